"""The forecasts of a run as they are stored, beside which they are computed again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from forecasting.domain.months import Month
from forecasting.domain.panel import BOUNDS, Values
from forecasting.storage.db.copy import array_of, copy_out_binary
from forecasting.storage.panels import ordinals, positions
from forecasting.storage.runs import BUILT_ON, Run, built_on_parameters

NUMBERS = ("value", "seasonal_naive", "base_path", *BOUNDS)


@dataclass(frozen=True)
class PublishedForecasts:
    """What a run stored for some series.

    spoke: bool (series,), whether the series has a forecast. bundle_ids: the bundle that made it, None where its method
    spoke without networks. numbers: by column of `forecast`, each (series, horizon), NaN where there is none.
    """

    spoke: np.ndarray
    bundle_ids: tuple[str | None, ...]
    numbers: dict[str, Values]


def read_published(
    connection: Connection, run: Run, series_ids: Sequence[int], last_months: Sequence[Month]
) -> PublishedForecasts:
    """Read what a run stored for some series; a row whose month is not its series' last month + horizon is none of theirs.

    last_months: (series,) the last month that each forecast used.
    """
    ended = connection.execute(
        text("""
            SELECT wanted.series_id, x.method IS NOT NULL AS spoke, x.bundle_id
            FROM unnest(CAST(:ids AS int[])) WITH ORDINALITY AS wanted (series_id, place)
            LEFT JOIN milkrun.run_series x ON x.run_id = :run AND x.series_id = wanted.series_id ORDER BY place
        """),
        {"run": run.run_id, "ids": list(series_ids)},
    ).all()
    known = ", ".join(f"coalesce({name}, 'NaN')" for name in NUMBERS)
    ids = array_of(map(int, series_ids))
    rows = copy_out_binary(
        connection,
        f"""SELECT series_id, horizon, month - '1970-01-01'::date, {known}
            FROM milkrun.forecast WHERE run_id = {int(run.run_id)} AND series_id = ANY({ids}::int[])""",
        {"series_id": "i4", "horizon": "i2", "day": "i4", **dict.fromkeys(NUMBERS, "f8")},
    )
    place = positions(rows["series_id"], series_ids) if len(rows) else np.empty(0, np.int64)
    months = ordinals(rows["day"])
    origins = np.array([month.ordinal for month in last_months], np.int64)
    own = months == origins[place] + rows["horizon"]
    horizon = max(run.recipe.horizon, int(rows["horizon"].max(initial=0)))
    numbers = {name: np.full((len(series_ids), horizon), np.nan) for name in NUMBERS}
    for name, grid in numbers.items():
        grid[place[own], rows["horizon"][own] - 1] = rows[name][own]
    return PublishedForecasts(
        np.array([bool(row.spoke) for row in ended], dtype=bool), tuple(row.bundle_id for row in ended), numbers
    )


def runs_since(connection: Connection, run: Run) -> list[int]:
    """Return the runs that a run would build on now but that were published after it was opened.

    Their forecasts count in the live errors of the run now, and may not have counted then. Runs that were opened at one moment
    were taken one after the other: those published before this one's first shard was written did count.
    """
    found = connection.scalars(
        text(f"""
            SELECT run_id FROM milkrun.run
            WHERE {BUILT_ON} AND recipe_hash = :recipe_hash AND origin < :origin
              AND published_at > (
                  SELECT CASE WHEN own.started_at = run.started_at THEN min(finished_at) ELSE own.started_at END
                  FROM milkrun.run own JOIN milkrun.run_shard USING (run_id) WHERE run_id = :run_id GROUP BY run_id)
            ORDER BY run_id
        """),
        built_on_parameters(run),
    )
    return list(found)
