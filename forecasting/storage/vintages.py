"""Vintages: the newest load and the series that a run from an origin may use."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from forecasting.domain.months import Month
from forecasting.domain.vocabulary import Vintages
from forecasting.storage.panels import block_loads, read_newest_loads


@dataclass(frozen=True)
class Vintage:
    """The data that a run may use.

    as_of: id of the newest load. vintages: `as_of` where these values were available at the origin of the run, `latest` where
    they came later. series_ids: the series that existed at that load.
    """

    as_of: int
    vintages: Vintages
    series_ids: tuple[int, ...]


def current_vintage(connection: Connection, series_ids: tuple[int, ...], origin: Month, *, is_due: bool) -> Vintage:
    """Return the vintage of a live run: all loads up to now. is_due: whether the origin is the due month or a later one."""
    block_loads(connection)
    load_id = read_newest_loads(connection, series_ids, [origin])[origin]
    return Vintage(load_id, Vintages.AS_OF if is_due else Vintages.LATEST, series_ids)


def historical_vintages(
    connection: Connection, series_ids: tuple[int, ...], origins: Sequence[Month], recipe_hash: str
) -> list[Vintage]:
    """Return, for each origin, the vintage of its live run, or the vintage that a live run would have had.

    Where the months up to an origin came in one load with later months, no vintage of that time exists: the newest load is
    used and the vintages are `latest`. Raises RunRefused for an origin before the first observation.
    """
    block_loads(connection)
    live_runs = _read_live_runs(connection, series_ids, origins, recipe_hash)
    earlier_loads = _loads_before_later_months(connection, series_ids, origins)
    newest = read_newest_loads(connection, series_ids, origins)
    vintages = []
    for origin in origins:
        if origin in live_runs:
            as_of, live_ids = live_runs[origin]
            vintages.append(
                Vintage(as_of, Vintages.AS_OF, tuple(series_id for series_id in series_ids if series_id in live_ids))
            )
        elif origin in earlier_loads:
            as_of = earlier_loads[origin]
            vintages.append(Vintage(as_of, Vintages.AS_OF, _series_at_load(connection, series_ids, as_of)))
        else:
            vintages.append(Vintage(newest[origin], Vintages.LATEST, series_ids))
    return vintages


def _read_live_runs(
    connection: Connection, series_ids: Sequence[int], origins: Sequence[Month], recipe_hash: str
) -> dict[Month, tuple[int, set[int]]]:
    """Return, by origin, as_of and series ids of the published live run with vintages `as_of`, where there is one.

    It must have all of the given series that existed at its load, and at least one. A run by the recipe takes precedence,
    then the newest.
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
    """Return, by origin, the newest load with months up to it from before the first load with a later month.

    An origin without such a load is left out, for example where the whole history came in one load.
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


def _series_at_load(connection: Connection, series_ids: Sequence[int], as_of: int) -> tuple[int, ...]:
    """Return those of some series that existed at a load, in their order."""
    ids = connection.scalars(
        text("SELECT series_id FROM milkrun.series WHERE series_id = ANY(:ids) AND first_load_id <= :as_of"),
        {"ids": list(series_ids), "as_of": as_of},
    )
    existing = set(ids)
    return tuple(series_id for series_id in series_ids if series_id in existing)
