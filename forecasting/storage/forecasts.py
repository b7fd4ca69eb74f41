"""Writing the results of a shard: bundle, outcomes, forecasts, scores and filled months, in one short transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table

from forecasting.domain.months import Month
from forecasting.domain.panel import BOUNDS, Values
from forecasting.storage.attribution import ForecastChanges, write_changes
from forecasting.storage.bundles import Bundle, write_bundle
from forecasting.storage.db import tables
from forecasting.storage.db.copy import copy_in_binary
from forecasting.storage.runs import Run, claim_shard, publish
from forecasting.storage.scores import Scores


@dataclass(frozen=True)
class SeriesResult:
    """The outcome of a run for one series, its forecast, and the evidence for its decision.

    values, seasonal_naive, base_path and each of bounds: (horizon,) in the unit of the series, or None. last_value: the last
    observation.
    """

    series_id: int
    origin: Month | None
    decision: str | None
    decision_reason: str | None
    outcome: str
    reason: str
    detail: str | None
    evidence: dict[str, Any] | None = None
    method: str | None = None
    bundle_id: str | None = None
    last_value: float | None = None
    values: Values | None = None
    seasonal_naive: Values | None = None
    base_path: Values | None = None
    bounds: dict[str, Values] = field(default_factory=dict)


@dataclass(frozen=True)
class FilledMonth:
    """A month without an observation, and the value that a run filled in; rule: how the value was computed."""

    series_id: int
    month: Month
    value: float
    rule: str


@dataclass(frozen=True)
class ShardResult:
    """All rows that a shard writes."""

    bundle: Bundle | None
    results: tuple[SeriesResult, ...]
    scores: tuple[Scores, ...]
    filled_months: tuple[FilledMonth, ...]
    changes: tuple[ForecastChanges, ...] = ()


def write_shard(connection: Connection, run: Run, shard: int, result: ShardResult) -> bool:
    """Write all rows of a shard; return False, and write nothing, when it was written before."""
    if not claim_shard(connection, run.run_id, shard):
        return False
    if result.bundle is not None:
        write_bundle(connection, result.bundle)
    _copy(connection, tables.run_series, run.run_id, _outcome_columns(result.results))
    _copy(connection, tables.filled_month, run.run_id, _filled_columns(result.filled_months))
    _copy(connection, tables.forecast, run.run_id, _forecast_columns(result.results))
    for changes in result.changes:
        write_changes(connection, run.run_id, changes)
    _copy(connection, tables.rmse_history, run.run_id, _score_columns(result.scores, run.request.as_of))
    return True


def write_last_shard(connection: Connection, run: Run, shard: int, result: ShardResult) -> bool:
    """Write a shard unless it was written before, and publish its run; return False when the run was published before."""
    write_shard(connection, run, shard, result)
    return publish(connection, run)


def _outcome_columns(results: Sequence[SeriesResult]) -> dict[str, Any]:
    """Return the columns of run_series; but for run_id and origin, they are fields of a SeriesResult of the same names."""
    names = [column.name for column in tables.run_series.columns if column.name not in ("run_id", "origin")]
    columns = dict(zip(names, zip(*map(attrgetter(*names), results), strict=True), strict=False))
    return {**columns, "origin": [result.origin and result.origin.first_day for result in results]}


def _filled_columns(filled_months: Sequence[FilledMonth]) -> dict[str, Any]:
    columns = {name: [getattr(each, name) for each in filled_months] for name in ("series_id", "value", "rule")}
    return {**columns, "month": [each.month.first_day for each in filled_months]}


def _forecast_columns(results: Sequence[SeriesResult]) -> dict[str, Any]:
    forecasts = [result for result in results if result.values is not None and result.origin is not None]
    if not forecasts:
        return {}
    values = np.stack([result.values for result in forecasts if result.values is not None])  # (series, horizon)
    no_numbers = np.full(values.shape[1], np.nan)

    def masked_column(name: str, arrays: list[Values | None]) -> dict[str, np.ma.MaskedArray[Any, Any]]:
        """Return one column of all series, NULL where a number is missing; none where all are missing."""
        if all(array is None for array in arrays):
            return {}
        column = np.concatenate([no_numbers if array is None else array for array in arrays])
        mask = np.isnan(column)
        return {} if mask.all() else {name: np.ma.array(column, mask=mask)}

    horizons = np.arange(1, values.shape[1] + 1)
    ordinals = np.array([result.origin.ordinal for result in forecasts if result.origin is not None])
    origins = (ordinals - Month.of(1970, 1).ordinal).astype("datetime64[M]")
    return {
        "series_id": np.repeat([result.series_id for result in forecasts], len(horizons)),
        "horizon": np.tile(horizons, len(forecasts)),
        "month": (origins[:, None] + horizons).astype("datetime64[D]").ravel(),
        "value": values.ravel(),
        **masked_column("seasonal_naive", [result.seasonal_naive for result in forecasts]),
        **masked_column("base_path", [result.base_path for result in forecasts]),
        **{
            name: column
            for bound in BOUNDS
            for name, column in masked_column(bound, [result.bounds.get(bound) for result in forecasts]).items()
        },
    }


def _score_columns(scores: Sequence[Scores], actuals_load_id: int) -> dict[str, Any]:
    """Concatenate the scores of all splits; a measure that a split does not have is NULL in its rows.

    scores: one per split. actuals_load_id: the load as of which the actual values are known that the forecasts were scored by.
    """
    columns_by_split = [_columns_of_split(each) for each in scores]
    row_counts = [len(split_columns["horizon"]) for split_columns in columns_by_split]
    columns: dict[str, Any] = {}
    for name in dict.fromkeys(name for split_columns in columns_by_split for name in split_columns):
        column = np.concatenate(
            [
                split_columns.get(name, np.full(row_count, np.nan))
                for split_columns, row_count in zip(columns_by_split, row_counts, strict=True)
            ]
        )
        columns[name] = np.ma.masked_invalid(column) if column.dtype.kind == "f" else column
    splits = [each.split for each, row_count in zip(scores, row_counts, strict=True) for _ in range(row_count)]
    return {**columns, "split": splits, "actuals_as_of": np.full(sum(row_counts), actuals_load_id)}


def _columns_of_split(scores: Scores) -> dict[str, np.ndarray]:
    rows, horizons = np.nonzero((scores.measures["n"] > 0) & np.isfinite(scores.measures["rmse"]))
    measures = {name: values[rows, horizons] for name, values in scores.measures.items()}
    return {"series_id": np.asarray(scores.series_ids, dtype=np.int64)[rows], "horizon": horizons + 1, **measures}


def _copy(connection: Connection, table: Table, run_id: int, columns: dict[str, Any]) -> None:
    """Copy columns into a table whose rows belong to a run."""
    row_count = len(next(iter(columns.values()), ()))
    copy_in_binary(connection, table, {"run_id": np.full(row_count, run_id), **columns})
