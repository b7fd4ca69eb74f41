"""Writing what a shard found: bundle, outcomes, forecasts, scores and filled months, in one short transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, text

from forecasting.domain.months import Month
from forecasting.domain.panel import BOUNDS, Values
from forecasting.storage.attribution import ForecastChanges, write_changes
from forecasting.storage.bundles import Bundle, write_bundle
from forecasting.storage.db import tables
from forecasting.storage.db.copy import copy_in_binary
from forecasting.storage.panels import require_series
from forecasting.storage.runs import Run, claim_shard, publish
from forecasting.storage.scores import Scores


@dataclass(frozen=True)
class SeriesResult:
    """How a run ended for one series, and what that was decided from.

    values, baselines and bounds: (horizon,) in the unit of the series, or None.
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
    """A missing month and what a run put in its place."""

    series_id: int
    month: Month
    value: float
    rule: str


@dataclass(frozen=True)
class ShardResult:
    """Everything that a shard writes."""

    bundle: Bundle | None
    results: tuple[SeriesResult, ...]
    scores: tuple[Scores, ...]
    filled: tuple[FilledMonth, ...]
    changes: tuple[ForecastChanges, ...] = ()


def write_shard(connection: Connection, run: Run, shard: int, result: ShardResult) -> bool:
    """Write a shard whole; False, and nothing written, when it has been written before."""
    if not claim_shard(connection, run.run_id, shard):
        return False
    if result.bundle is not None:
        write_bundle(connection, result.bundle)
    _copy(connection, tables.run_series, run.run_id, _outcome_columns(result.results))
    _copy(connection, tables.filled_month, run.run_id, _filled_columns(result.filled))
    _copy(connection, tables.forecast, run.run_id, _forecast_columns(result.results))
    for changes in result.changes:
        write_changes(connection, run.run_id, changes)
    _copy(connection, tables.rmse_history, run.run_id, _score_columns(result.scores, run.as_of))
    return True


def write_last_shard(connection: Connection, run: Run, shard: int, result: ShardResult) -> bool:
    """Write a shard whole, unless it has been written before, and publish its run; False when it is published already."""
    write_shard(connection, run, shard, result)
    return publish(connection, run)


def _outcome_columns(results: Sequence[SeriesResult]) -> dict[str, Any]:
    plain = (
        "series_id",
        "decision",
        "decision_reason",
        "outcome",
        "reason",
        "detail",
        "evidence",
        "method",
        "bundle_id",
        "last_value",
    )
    columns = dict(zip(plain, zip(*map(attrgetter(*plain), results), strict=True), strict=False))
    return {**columns, "origin": [row.origin and row.origin.first_day for row in results]}


def _filled_columns(filled: Sequence[FilledMonth]) -> dict[str, Any]:
    return {
        "series_id": [row.series_id for row in filled],
        "month": [row.month.first_day for row in filled],
        "value": [row.value for row in filled],
        "rule": [row.rule for row in filled],
    }


def _forecast_columns(results: Sequence[SeriesResult]) -> dict[str, Any]:
    made = [row for row in results if row.values is not None and row.origin is not None]
    if not made:
        return {}
    values = np.stack([row.values for row in made if row.values is not None])  # (series, horizon)
    nothing = np.full(values.shape[1], np.nan)

    def where_known(name: str, numbers: list[Values | None]) -> dict[str, np.ma.MaskedArray[Any, Any]]:
        if all(own is None for own in numbers):
            return {}
        column = np.concatenate([nothing if own is None else own for own in numbers])
        unknown = np.isnan(column)
        return {} if unknown.all() else {name: np.ma.array(column, mask=unknown)}

    horizons = np.arange(1, values.shape[1] + 1)
    since_1970 = np.array([row.origin.ordinal for row in made if row.origin is not None]) - Month.of(1970, 1).ordinal
    origins = since_1970.astype("datetime64[M]")
    return {
        "series_id": np.repeat([row.series_id for row in made], len(horizons)),
        "horizon": np.tile(horizons, len(made)),
        "month": (origins[:, None] + horizons).astype("datetime64[D]").ravel(),
        "value": values.ravel(),
        **where_known("seasonal_naive", [row.seasonal_naive for row in made]),
        **where_known("base_path", [row.base_path for row in made]),
        **{
            name: column
            for bound in BOUNDS
            for name, column in where_known(bound, [row.bounds.get(bound) for row in made]).items()
        },
    }


def _score_columns(scores: Sequence[Scores], actuals_as_of: int) -> dict[str, Any]:
    """Put the scores of all splits below one another; a measure that a split does not have is unknown there."""
    parts = [_numbers_of(own) for own in scores]
    lengths = [len(part["horizon"]) for part in parts]
    columns: dict[str, Any] = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        found = [part.get(name, np.full(length, np.nan)) for part, length in zip(parts, lengths, strict=True)]
        values = np.concatenate(found)
        columns[name] = np.ma.masked_invalid(values) if values.dtype.kind == "f" else values
    splits = [own.split for own, length in zip(scores, lengths, strict=True) for _ in range(length)]
    return {**columns, "split": splits, "actuals_as_of": np.full(sum(lengths), actuals_as_of)}


def _numbers_of(scores: Scores) -> dict[str, np.ndarray]:
    rows, ahead = np.nonzero((scores.measures["n"] > 0) & np.isfinite(scores.measures["rmse"]))
    measured = {name: values[rows, ahead] for name, values in scores.measures.items()}
    return {"series_id": np.asarray(scores.series_ids, dtype=np.int64)[rows], "horizon": ahead + 1, **measured}


def _copy(connection: Connection, table: Table, run_id: int, columns: dict[str, Any]) -> None:
    """Copy rows, given as columns, into a table of runs."""
    length = len(next(iter(columns.values()), ()))
    copy_in_binary(connection, table, {"run_id": np.full(length, run_id), **columns})


@dataclass(frozen=True)
class NewestForecast:
    """The newest published live forecast of a series; values and seasonal_naive: (horizon,) in its unit.

    intervals: lower and upper ends, each (horizon,), of the 80 and the 95 % interval where the forecast has them.
    """

    series_id: int
    unit: str | None
    run_id: int
    values: Values
    seasonal_naive: Values
    intervals: dict[int, tuple[Values, Values]]


def read_newest(connection: Connection, name: str) -> NewestForecast | None:
    """Return the newest published live forecast of a series, None where there is none.

    Raises InputError when there is no series of that name.
    """
    series_id = require_series(connection, name)
    rows = connection.execute(
        text("SELECT * FROM milkrun.latest_forecast WHERE series = :name ORDER BY horizon"), {"name": name}
    ).all()
    if not rows:
        return None
    columns = {
        column: np.array([getattr(row, column) for row in rows], dtype=np.float64)
        for column in ("value", "seasonal_naive", "lower_80", "upper_80", "lower_95", "upper_95")
    }
    intervals = {level: (columns[f"lower_{level}"], columns[f"upper_{level}"]) for level in (80, 95)}
    return NewestForecast(
        series_id,
        rows[0].unit,
        rows[0].run_id,
        columns["value"],
        columns["seasonal_naive"],
        {level: ends for level, ends in intervals.items() if np.isfinite(ends).all()},
    )
