"""Previous runs of series: their forecasts and vintages, and why forecasts of the same months changed since."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from forecasting.domain.months import Month
from forecasting.domain.panel import Counts, Panel, Values
from forecasting.domain.vocabulary import OUTCOMES_WITH_VALUES, sql_list
from forecasting.storage.db import tables
from forecasting.storage.db.copy import array_of, copy_in_binary, copy_out_binary
from forecasting.storage.panels import ordinals, positions
from forecasting.storage.runs import BUILT_ON, RUN_PRECEDENCE, Run, built_on_parameters


@dataclass(frozen=True)
class PreviousRun:
    """The previous run of some series: its vintage and its forecasts.

    bundle_ids: the bundle that made each forecast, None where no networks did. origins: (series,) last month of each series
    at that time, as an ordinal. values: (series, horizon) forecasts in the unit of each series.
    """

    run_id: int
    recipe_hash: str
    origin: Month
    as_of: int
    code_version: str
    series_ids: tuple[int, ...]
    bundle_ids: tuple[str | None, ...]
    origins: Counts
    values: Values


@dataclass(frozen=True)
class ForecastChanges:
    """Why the forecasts of some series differ from those of their previous run.

    parts_by_cause: by `Cause`, each (series, horizon) in the unit of each series; their sum is the difference.
    0 for months without an earlier forecast. reasons: why the parts of a series are unknown, as stored; None where known.
    """

    series_ids: Sequence[int]
    previous_run_id: int
    reasons: Sequence[str | None]
    parts_by_cause: dict[str, Values]


# The runs are sorted by precedence (RUN_PRECEDENCE); for each series the first run that forecast it is its previous run.
_PREVIOUS = text(f"""
    WITH earlier AS MATERIALIZED (
        SELECT array_agg(run_id ORDER BY {RUN_PRECEDENCE}) AS run_ids
        FROM milkrun.run WHERE {BUILT_ON} AND run_id <> :run_id
    )
    SELECT newest.*
    FROM unnest(CAST(:ids AS integer[])) AS wanted(series_id)
    CROSS JOIN LATERAL (
        SELECT x.run_id, x.series_id, x.bundle_id, x.origin
        FROM unnest((SELECT run_ids FROM earlier)) WITH ORDINALITY AS run(run_id, place)
        JOIN milkrun.run_series x ON x.run_id = run.run_id AND x.series_id = wanted.series_id
        WHERE x.outcome IN ({sql_list(OUTCOMES_WITH_VALUES)}) ORDER BY place LIMIT 1
    ) newest
""")


def read_previous_runs(connection: Connection, series_ids: Sequence[int], run: Run) -> list[PreviousRun]:
    """Return the previous runs of some series, each with the series that it is the previous run of.

    The previous run of a series is the newest published run that forecast it, among the runs that `run` may build on
    (BUILT_ON): one by the same recipe, or by another recipe where there is none.
    """
    rows = connection.execute(_PREVIOUS, {"ids": list(series_ids), **built_on_parameters(run)})
    rows_by_run: dict[int, list[Any]] = {}
    for row in rows:
        rows_by_run.setdefault(row.run_id, []).append(row)
    return [_read_previous_run(connection, run_id, series_rows) for run_id, series_rows in sorted(rows_by_run.items())]


def _read_previous_run(connection: Connection, run_id: int, series_rows: Sequence[Any]) -> PreviousRun:
    """Read one previous run; series_rows: of its series, as _PREVIOUS gives them."""
    run_row = connection.execute(
        text("SELECT recipe_hash, origin, as_of, code_version FROM milkrun.run WHERE run_id = :id"), {"id": run_id}
    ).one()
    series_ids = tuple(row.series_id for row in series_rows)
    forecasts = copy_out_binary(
        connection,
        f"SELECT series_id, horizon, value FROM milkrun.forecast "
        f"WHERE run_id = {run_id} AND series_id = ANY({array_of(series_ids)})",
        {"series_id": "i4", "horizon": "i2", "value": "f8"},
    )
    values = np.full((len(series_ids), int(forecasts["horizon"].max(initial=0))), np.nan)
    values[positions(forecasts["series_id"], series_ids), forecasts["horizon"] - 1] = forecasts["value"]
    origins = np.array([Month.containing(row.origin).ordinal for row in series_rows])
    bundle_ids = tuple(row.bundle_id for row in series_rows)
    run_values = run_id, run_row.recipe_hash, Month.containing(run_row.origin), run_row.as_of, run_row.code_version
    return PreviousRun(*run_values, series_ids, bundle_ids, origins, values)


def read_earlier_vintage(connection: Connection, panel: Panel, previous: PreviousRun, as_of: int) -> Panel:
    """Return a panel as it was for a previous run: only the months up to its origin, with the values of its vintage.

    as_of: the load that the values of `panel` are from.
    """
    earlier = panel.up_to(previous.origin)
    if as_of == previous.as_of:
        return earlier
    revisions = copy_out_binary(
        connection,
        f"""SELECT series_id, month - '1970-01-01'::date, coalesce((
                SELECT value FROM milkrun.observation e
                WHERE e.series_id = o.series_id AND e.month = o.month AND e.load_id <= {previous.as_of}
                ORDER BY load_id DESC LIMIT 1), 'NaN')
            FROM milkrun.observation o
            WHERE series_id = ANY({array_of(earlier.series_ids)}) AND load_id > {previous.as_of} AND load_id <= {as_of}
              AND month <= '{previous.origin.first_day}'""",
        {"series_id": "i4", "day": "i4", "value": "f8"},
    )
    columns = ordinals(revisions["day"]) - earlier.first.ordinal
    values = earlier.values.copy()
    values[positions(revisions["series_id"], earlier.series_ids), columns] = revisions["value"]
    return Panel(earlier.series_ids, earlier.names, earlier.first, values)


def write_changes(connection: Connection, run_id: int, changes: ForecastChanges) -> None:
    """Store the parts of changes; a part that is 0 in all months of a series is stored as NULL."""
    series_count = len(changes.series_ids)
    columns: dict[str, Any] = {
        "run_id": np.full(series_count, run_id),
        "series_id": np.asarray(changes.series_ids, dtype=np.int64),
        "previous_run_id": np.full(series_count, changes.previous_run_id),
        "reason": list(changes.reasons),
    }
    for cause, parts in changes.parts_by_cause.items():
        is_zero = (parts == 0).all(axis=1)
        if not is_zero.all():  # a column left out is NULL
            columns[cause] = np.ma.array(parts, mask=np.broadcast_to(is_zero[:, None], parts.shape))
    copy_in_binary(connection, tables.forecast_change_part, columns)
