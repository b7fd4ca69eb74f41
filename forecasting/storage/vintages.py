"""What was known when: the load and the series that a run from an origin uses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, text

from forecasting.domain.months import Month
from forecasting.storage.panels import hold_loads, newest_loads


@dataclass(frozen=True)
class Vintage:
    """The newest load that a run may use, whether that is what was known at its origin, and the series that were there."""

    as_of: int
    vintages: Literal["as_of", "latest"]
    series_ids: tuple[int, ...]


def current_vintage(connection: Connection, series_ids: tuple[int, ...], origin: Month, *, usual: bool) -> Vintage:
    """Return what a live run knows: every load so far; usual: whether the origin is the one that is due, or newer."""
    hold_loads(connection)
    newest = newest_loads(connection, series_ids, [origin])[origin]
    return Vintage(newest, "as_of" if usual else "latest", series_ids)


def historical_vintages(
    connection: Connection, series_ids: tuple[int, ...], origins: Sequence[Month], recipe_hash: str
) -> list[Vintage]:
    """Return what a live run from each of some origins knew, or would have known, of those of some series that were there.

    Only where the loads do not tell, since what came up to the origin came together with later months, is it the newest
    load, and the vintages are called `latest`. Raises RunRefused for an origin before every observation.
    """
    hold_loads(connection)
    live = _find_live(connection, series_ids, origins, recipe_hash)
    before = _loads_before_later_months(connection, series_ids, origins)
    newest = newest_loads(connection, series_ids, origins)
    known = []
    for origin in origins:
        if origin in live:
            as_of, then = live[origin]
            known.append(Vintage(as_of, "as_of", tuple(series_id for series_id in series_ids if series_id in then)))
        elif origin in before:
            known.append(Vintage(before[origin], "as_of", _known_by(connection, series_ids, before[origin])))
        else:
            known.append(Vintage(newest[origin], "latest", series_ids))
    return known


def _find_live(
    connection: Connection, series_ids: Sequence[int], origins: Sequence[Month], recipe_hash: str
) -> dict[Month, tuple[int, set[int]]]:
    """Return as_of and series of the published live run from each origin that has one that knew no better.

    It must have had every series asked for that was there then, and at least one. One by the recipe comes first, then the
    newest.
    """
    rows = connection.execute(
        text("""
            SELECT DISTINCT ON (r.origin) r.origin, r.as_of, r.series_ids FROM milkrun.run r
            WHERE r.state = 'published' AND r.kind = 'live' AND r.vintages = 'as_of' AND r.origin = ANY(:origins)
              AND EXISTS (SELECT unnest(r.series_ids) INTERSECT SELECT unnest(CAST(:ids AS int[])))
              AND NOT EXISTS (
                SELECT series_id FROM milkrun.series WHERE series_id = ANY(:ids) AND first_load_id <= r.as_of
                EXCEPT SELECT unnest(r.series_ids))
            ORDER BY r.origin, r.recipe_hash = :recipe_hash DESC, r.run_id DESC
        """),
        {"ids": list(series_ids), "origins": [origin.first_day for origin in origins], "recipe_hash": recipe_hash},
    )
    return {Month.containing(row.origin): (row.as_of, set(row.series_ids)) for row in rows}


def _loads_before_later_months(
    connection: Connection, series_ids: Sequence[int], origins: Sequence[Month]
) -> dict[Month, int]:
    """Return the newest load up to each origin from before any load that brought a later month, for those that have one.

    That is what a run from this origin knew at the latest. Where history came in one load it cannot be told.
    """
    rows = connection.execute(
        text("""
            SELECT origin, (
                SELECT max(load_id) FROM milkrun.observation
                WHERE series_id = ANY(:ids) AND month <= origin AND load_id < coalesce(
                    (SELECT min(load_id) FROM milkrun.observation WHERE series_id = ANY(:ids) AND month > origin),
                    9223372036854775807)) AS load_id
            FROM unnest(CAST(:origins AS date[])) AS wanted (origin)
        """),
        {"ids": list(series_ids), "origins": [origin.first_day for origin in origins]},
    )
    return {Month.containing(row.origin): row.load_id for row in rows if row.load_id is not None}


def _known_by(connection: Connection, series_ids: Sequence[int], as_of: int) -> tuple[int, ...]:
    """Return those of some series that were there at a load, in their order."""
    found = connection.scalars(
        text("SELECT series_id FROM milkrun.series WHERE series_id = ANY(:ids) AND first_load_id <= :as_of"),
        {"ids": list(series_ids), "as_of": as_of},
    )
    there = set(found)
    return tuple(series_id for series_id in series_ids if series_id in there)
