"""Panels and series: the observations of some series up to an origin, with the values of a vintage."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from forecasting.domain.errors import InputError, RunRefused
from forecasting.domain.months import Month
from forecasting.domain.panel import Panel
from forecasting.storage.db.copy import array_of, copy_out_binary
from forecasting.storage.db.database import LOAD_LOCK


@dataclass(frozen=True)
class ActiveSeries:
    """The active series of a request, and the newest month that counts of any active series, in the request or not."""

    series_ids: tuple[int, ...]
    newest_month: Month


def read_panel(connection: Connection, series_ids: Sequence[int], *, origin: Month, as_of: int) -> Panel:
    """Read the values of series up to the month `origin`, each from the newest load up to `as_of`.

    The rows of the panel are in the order of `series_ids`; a series without observations is a row of NaN.
    """
    names = _read_names(connection, series_ids)
    sql_ids = array_of(map(int, series_ids))
    rows = copy_out_binary(
        connection,
        f"SELECT series_id, month - '1970-01-01'::date AS day, value FROM milkrun.observation "
        f"WHERE series_id = ANY({sql_ids}::int[]) AND load_id <= {int(as_of)} AND month <= '{origin.first_day}' "
        "ORDER BY series_id, month, load_id",
        {"series_id": "i4", "day": "i4", "value": "f8"},
    )
    if len(rows) == 0:
        return Panel(tuple(series_ids), names, origin, np.full((len(series_ids), 1), np.nan))
    months = ordinals(rows["day"])
    first_ordinal = int(months.min())
    grid = np.full((len(series_ids), origin.ordinal - first_ordinal + 1), np.nan)
    panel_rows = positions(rows["series_id"], series_ids)
    is_new_month = (np.diff(panel_rows) != 0) | (np.diff(months) != 0)  # of each row but the first: no later vintage
    last_vintage = np.append(is_new_month, True)
    grid[panel_rows[last_vintage], months[last_vintage] - first_ordinal] = rows["value"][last_vintage]
    first_released = None
    if not is_new_month.all():
        first_vintage = np.append(True, is_new_month)
        first_released = np.full_like(grid, np.nan)
        first_values = rows["value"][first_vintage]
        first_released[panel_rows[first_vintage], months[first_vintage] - first_ordinal] = first_values
    return Panel(tuple(series_ids), names, Month(first_ordinal), grid, first_released)


def ordinals(days: np.ndarray) -> np.ndarray:
    """Return the ordinal of the month of each day: int (days,); days: (days,) in days since 1970-01-01."""
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.asarray(months + Month.of(1970, 1).ordinal)


def positions(values: np.ndarray, sequence: Sequence[int]) -> np.ndarray:
    """Return the position of each value in a sequence, which must contain all of them: int (values,)."""
    sorted_positions = np.argsort(sequence)
    return np.asarray(sorted_positions[np.searchsorted(np.asarray(sequence)[sorted_positions], values)])


def _read_names(connection: Connection, series_ids: Sequence[int]) -> tuple[str, ...]:
    rows = connection.execute(
        text("SELECT series_id, name FROM milkrun.series WHERE series_id = ANY(:ids)"), {"ids": list(series_ids)}
    )
    name_by_id = {row.series_id: row.name for row in rows}
    return tuple(name_by_id[series_id] for series_id in series_ids)


def read_active_series(
    connection: Connection, names: Sequence[str] | None = None, *, through: Month | None = None
) -> ActiveSeries:
    """Return the active series of some names (None: all active series) and the newest month of all active series.

    through: the last month that counts; None: all months do. A series counts as late against the newest month of all series,
    even in a request for that series alone. Raises InputError with the names that no active series has, RunRefused before the
    first observation.
    """
    day = connection.scalar(
        text("""
            SELECT max((SELECT max(month) FROM milkrun.observation o WHERE o.series_id = s.series_id AND month <= :through))
            FROM milkrun.series s WHERE active
        """),
        {"through": through.first_day if through else "infinity"},
    )
    has_observations = day is not None or connection.scalar(text("SELECT EXISTS (SELECT FROM milkrun.observation)"))
    if day is None and has_observations:
        raise RunRefused(
            f"There are no observations up to {through}, the newest month that is over: load some with milkrun load FILE or "
            "milkrun pull."
        )
    if day is None:
        raise RunRefused("There are no observations: load some with milkrun load FILE or milkrun pull.")
    return ActiveSeries(tuple(_read_active_ids(connection, names)), Month.containing(day))


def read_newest_loads(connection: Connection, series_ids: Sequence[int], origins: Sequence[Month]) -> dict[Month, int]:
    """Return, for each origin, the newest load with an observation of the series up to that origin.

    Raises RunRefused when an origin has no such load.
    """
    rows = connection.execute(
        text("""
            SELECT origin, (SELECT max(load_id) FROM milkrun.observation WHERE series_id = ANY(:ids) AND month <= origin)
            FROM unnest(CAST(:origins AS date[])) AS wanted (origin) ORDER BY origin
        """),
        {"ids": list(series_ids), "origins": [origin.first_day for origin in origins]},
    )
    load_ids: dict[Month, int] = {}
    for day, load_id in rows:
        if load_id is None:
            raise RunRefused(f"No series has an observation up to {Month.containing(day)}: choose a later origin.")
        load_ids[Month.containing(day)] = load_id
    return load_ids


def block_loads(connection: Connection) -> None:
    """Block the commit of any load until this transaction ends.

    Loads take the same lock exclusively until they commit: after this call, no load with a smaller id can still appear.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": LOAD_LOCK})


def require_series(connection: Connection, name: str) -> int:
    """Return the id of a series; raises InputError when there is no series of that name."""
    series_id: int | None = connection.scalar(
        text("SELECT series_id FROM milkrun.series WHERE name = :name"), {"name": name}
    )
    if series_id is None:
        raise InputError(f'There is no series named {name!r}: milkrun sql "select name from series" lists them.')
    return series_id


def _read_active_ids(connection: Connection, names: Sequence[str] | None) -> list[int]:
    if names is None:
        return list(connection.scalars(text("SELECT series_id FROM milkrun.series WHERE active ORDER BY series_id")))
    rows = connection.execute(
        text("SELECT series_id, name FROM milkrun.series WHERE active AND name = ANY(:names) ORDER BY series_id"),
        {"names": list(names)},
    ).all()
    missing = sorted(set(names) - {row.name for row in rows})
    if missing:
        raise InputError(
            f"There is no active series named {', '.join(repr(name) for name in missing[:5])}: "
            'milkrun sql "select name, active from series" lists them.'
        )
    return [row.series_id for row in rows]
