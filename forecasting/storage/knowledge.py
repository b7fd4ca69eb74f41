"""What was known when: the load and the series that a run from an origin uses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, text

from forecasting.months import Month
from forecasting.storage.panels import hold_loads, newest_load


@dataclass(frozen=True)
class Knowledge:
    """The newest load that a run may use, whether that is what was known at its origin, and the series that were there."""

    as_of: int
    vintages: Literal["as_of", "latest"]
    series_ids: tuple[int, ...]


def known_now(connection: Connection, series_ids: tuple[int, ...], origin: Month, *, usual: bool) -> Knowledge:
    """Return what a live run knows: every load so far; usual: whether the origin is the one that is due, or newer."""
    hold_loads(connection)
    return Knowledge(newest_load(connection, series_ids, origin), "as_of" if usual else "latest", series_ids)


def known_then(connection: Connection, series_ids: tuple[int, ...], origin: Month, recipe_hash: str) -> Knowledge:
    """Return what a live run from an origin knew, or would have known, of those of some series that were there.

    Only where the loads do not tell, since what came up to the origin came together with later months, is it the newest
    load, and the vintages are called `latest`.
    """
    hold_loads(connection)
    live = _find_live(connection, series_ids, origin, recipe_hash)
    if live is not None:
        as_of, then = live
        return Knowledge(as_of, "as_of", tuple(series_id for series_id in series_ids if series_id in then))
    before = _load_before_later_months(connection, series_ids, origin)
    if before is not None:
        return Knowledge(before, "as_of", _known_by(connection, series_ids, before))
    return Knowledge(newest_load(connection, series_ids, origin), "latest", series_ids)


def _find_live(
    connection: Connection, series_ids: Sequence[int], origin: Month, recipe_hash: str
) -> tuple[int, set[int]] | None:
    """Return as_of and series of the published live run from an origin; None where there is none that knew no better.

    It must have had every series asked for that was there then, and at least one. One by the recipe comes first, then the
    newest.
    """
    row = connection.execute(
        text("""
            SELECT r.as_of, r.series_ids FROM milkrun.run r
            WHERE r.state = 'published' AND r.kind = 'live' AND r.vintages = 'as_of' AND r.origin = :origin
              AND EXISTS (SELECT unnest(r.series_ids) INTERSECT SELECT unnest(CAST(:ids AS int[])))
              AND NOT EXISTS (
                SELECT series_id FROM milkrun.series WHERE series_id = ANY(:ids) AND first_load_id <= r.as_of
                EXCEPT SELECT unnest(r.series_ids))
            ORDER BY r.recipe_hash = :recipe_hash DESC, r.run_id DESC LIMIT 1
        """),
        {"ids": list(series_ids), "origin": origin.first_day, "recipe_hash": recipe_hash},
    ).one_or_none()
    return None if row is None else (row.as_of, set(row.series_ids))


def _load_before_later_months(connection: Connection, series_ids: Sequence[int], origin: Month) -> int | None:
    """Return the newest load up to an origin from before any load that brought a later month; None where there is none.

    That is what a run from this origin knew at the latest. Where history came in one load it cannot be told.
    """
    load_id: int | None = connection.scalar(
        text("""
            SELECT max(load_id) FROM milkrun.observation
            WHERE series_id = ANY(:ids) AND month <= :origin AND load_id < coalesce(
                (SELECT min(load_id) FROM milkrun.observation WHERE series_id = ANY(:ids) AND month > :origin),
                9223372036854775807)
        """),
        {"ids": list(series_ids), "origin": origin.first_day},
    )
    return load_id


def _known_by(connection: Connection, series_ids: Sequence[int], as_of: int) -> tuple[int, ...]:
    """Return those of some series that were there at a load, in their order."""
    found = connection.scalars(
        text("SELECT series_id FROM milkrun.series WHERE series_id = ANY(:ids) AND first_load_id <= :as_of"),
        {"ids": list(series_ids), "as_of": as_of},
    )
    there = set(found)
    return tuple(series_id for series_id in series_ids if series_id in there)
