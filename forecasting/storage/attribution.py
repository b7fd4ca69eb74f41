"""What earlier runs forecast and knew, and why forecasts of the same months moved since."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from forecasting.domain.months import Month
from forecasting.domain.panel import Counts, Panel, Values
from forecasting.storage.db import tables
from forecasting.storage.db.copy import array_of, copy_in_binary, copy_out_binary
from forecasting.storage.panels import positions
from forecasting.storage.runs import BUILT_ON, FIRST_TO_COUNT, Run, built_on_parameters

PARTS = ("new_months", "revisions", "network", "recipe_change")


@dataclass(frozen=True)
class PreviousRun:
    """The previous run of some series: what it could know, and what it forecast.

    bundle_ids: of the networks that spoke, None where none did. origins: (series,) ordinals of the series' own last months.
    values: (series, horizon) in the unit of each series.
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

    parts: by name of PARTS, (series, horizon) in the unit of each series, 0 for months that were not forecast before; they
    add up to the difference. reasons: None, or the word for why a series' parts are not known.
    """

    series_ids: Sequence[int]
    previous_run_id: int
    reasons: Sequence[str | None]
    parts: dict[str, Values]


# The runs in the order in which they count: each series is looked up in the first of them that forecast it.
_PREVIOUS = text(f"""
    WITH earlier AS MATERIALIZED (
        SELECT array_agg(run_id ORDER BY {FIRST_TO_COUNT}) AS run_ids
        FROM milkrun.run WHERE {BUILT_ON} AND run_id <> :run_id
    )
    SELECT newest.*
    FROM unnest(CAST(:ids AS integer[])) AS wanted(series_id)
    CROSS JOIN LATERAL (
        SELECT x.run_id, x.series_id, x.bundle_id, x.origin
        FROM unnest((SELECT run_ids FROM earlier)) WITH ORDINALITY AS run(run_id, place)
        JOIN milkrun.run_series x ON x.run_id = run.run_id AND x.series_id = wanted.series_id
        WHERE x.outcome IN ('forecast', 'fallback') ORDER BY place LIMIT 1
    ) newest
""")


def read_previous_runs(connection: Connection, series_ids: Sequence[int], run: Run) -> list[PreviousRun]:
    """Return the previous runs of some series, each with those whose previous run it was.

    That is the newest published run that forecast the series, of those that the run may build on (BUILT_ON): by its recipe,
    or by another where there is none.
    """
    rows = connection.execute(_PREVIOUS, {"ids": list(series_ids), **built_on_parameters(run)})
    groups: dict[int, list[Any]] = {}
    for row in rows:
        groups.setdefault(row.run_id, []).append(row)
    return [_earlier(connection, run_id, members) for run_id, members in sorted(groups.items())]


def _earlier(connection: Connection, run_id: int, members: Sequence[Any]) -> PreviousRun:
    head = connection.execute(
        text("SELECT recipe_hash, origin, as_of, code_version FROM milkrun.run WHERE run_id = :id"), {"id": run_id}
    ).one()
    ids = tuple(member.series_id for member in members)
    made = copy_out_binary(
        connection,
        f"SELECT series_id, horizon, value FROM milkrun.forecast "
        f"WHERE run_id = {run_id} AND series_id = ANY({array_of(ids)})",
        {"series_id": "i4", "horizon": "i2", "value": "f8"},
    )
    values = np.full((len(ids), int(made["horizon"].max(initial=0))), np.nan)
    values[positions(made["series_id"], ids), made["horizon"] - 1] = made["value"]
    origins = np.array([Month.containing(member.origin).ordinal for member in members])
    bundle_ids = tuple(member.bundle_id for member in members)
    origin = Month.containing(head.origin)
    return PreviousRun(
        run_id, head.recipe_hash, origin, head.as_of, head.code_version, ids, bundle_ids, origins, values
    )


def read_earlier_vintage(connection: Connection, panel: Panel, earlier: PreviousRun, as_of: int) -> Panel:
    """Return the part of a panel, as known at the load `as_of`, that an earlier run knew, with the values of then."""
    known = panel.up_to(earlier.origin)
    if as_of == earlier.as_of:
        return known
    learned = copy_out_binary(
        connection,
        f"""SELECT series_id, month - '1970-01-01'::date, coalesce((
                SELECT value FROM milkrun.observation e
                WHERE e.series_id = o.series_id AND e.month = o.month AND e.load_id <= {earlier.as_of}
                ORDER BY load_id DESC LIMIT 1), 'NaN')
            FROM milkrun.observation o
            WHERE series_id = ANY({array_of(known.series_ids)}) AND load_id > {earlier.as_of} AND load_id <= {as_of}
              AND month <= '{earlier.origin.first_day}'""",
        {"series_id": "i4", "day": "i4", "value": "f8"},
    )
    months = learned["day"].astype("datetime64[D]").astype("datetime64[M]") - known.first.to_datetime64()
    values = known.values.copy()
    values[positions(learned["series_id"], known.series_ids), months.astype(np.int64)] = learned["value"]
    return Panel(known.series_ids, known.names, known.first, values)


def write_changes(connection: Connection, run_id: int, changes: ForecastChanges) -> None:
    """Store why forecasts moved; a part in which nothing of a series moved takes no room."""
    count = len(changes.series_ids)
    columns: dict[str, Any] = {
        "run_id": np.full(count, run_id),
        "series_id": np.asarray(changes.series_ids, dtype=np.int64),
        "previous_run_id": np.full(count, changes.previous_run_id),
        "reason": list(changes.reasons),
    }
    for name, values in changes.parts.items():
        still = (values == 0).all(axis=1)
        if not still.all():
            columns[name] = np.ma.array(values, mask=np.broadcast_to(still[:, None], values.shape))
    copy_in_binary(connection, tables.forecast_change_part, columns)
