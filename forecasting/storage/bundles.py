"""Bundles: networks and scalers as plain numbers, stored once, found again by series."""

import functools
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects.postgresql import insert

from forecasting.domain.months import Month
from forecasting.domain.recipes import Recipe, recipe_from
from forecasting.storage.db import tables
from forecasting.storage.db.copy import copy_in_binary
from forecasting.storage.runs import BUILT_ON, FIRST_TO_COUNT, Run, built_on_parameters


@dataclass(frozen=True)
class Member:
    """The network of one series in a bundle: where it lies, its scaler and how it scored when it was trained."""

    series_id: int
    position: int
    scaler: dict[str, Any]
    trained_through: Month
    origin: Month
    train_rmse: float | None
    test_rmse: float | None
    scores: dict[str, Any] | None = None


@dataclass(frozen=True)
class Bundle:
    """Networks with their provenance: those of one shard, or those that a run's series share.

    bundle_id is the digest of payload and manifest; the manifest holds a digest of the members.
    """

    recipe: Recipe
    origin: Month
    as_of: int
    payload: bytes
    manifest: dict[str, Any]
    members: tuple[Member, ...]

    @cached_property
    def bundle_id(self) -> str:
        """SHA-256 of payload and manifest: the same training gives the same bundle."""
        digest = hashlib.sha256(self.payload)
        plain = [self.recipe.hash, str(self.origin), self.as_of, self.manifest]
        digest.update(json.dumps(plain, sort_keys=True, allow_nan=False).encode())
        return digest.hexdigest()


def members_digest(members: Sequence[Member]) -> str:
    """SHA-256 of what members add to the numbers: places, scalers and months."""
    rows = [[m.series_id, m.position, m.scaler, str(m.trained_through), str(m.origin)] for m in members]
    return hashlib.sha256(json.dumps(rows, sort_keys=True, allow_nan=False).encode()).hexdigest()


@dataclass(frozen=True)
class Champion:
    """The network that made the last published forecast of a series.

    position is -1 and test_rmse None where it is shared and was trained without the series. confirmed: the origin from which
    it was last kept although another was trained, or put in charge by order; ordered: it has been since the newest run.
    """

    series_id: int
    bundle_id: str
    recipe_hash: str
    position: int
    trained_through: Month
    origin: Month
    test_rmse: float | None
    scores: dict[str, Any] | None = None
    confirmed: Month | None = None
    ordered: bool = False


def write_bundle(connection: Connection, bundle: Bundle) -> None:
    """Store a bundle and its members; one that is already there, numbers and all, stays as it is."""
    inserted = connection.execute(
        insert(tables.bundle)
        .values(
            bundle_id=bundle.bundle_id,
            recipe_hash=bundle.recipe.hash,
            origin=bundle.origin.first_day,
            as_of=bundle.as_of,
            payload=bundle.payload,
            manifest=bundle.manifest,
        )
        .on_conflict_do_nothing()
    )
    if inserted.rowcount == 0 and not _put_back(connection, bundle):
        return
    columns: dict[str, list[Any]] = {
        "bundle_id": [bundle.bundle_id] * len(bundle.members),
        "trained_through": [member.trained_through.first_day for member in bundle.members],
        "origin": [member.origin.first_day for member in bundle.members],
    }
    plain = ("series_id", "position", "scaler", "train_rmse", "test_rmse", "scores")
    columns |= {name: [getattr(member, name) for member in bundle.members] for name in plain}
    copy_in_binary(connection, tables.bundle_member, columns)


def _put_back(connection: Connection, bundle: Bundle) -> bool:
    """Give a bundle that is there the numbers that milkrun prune removed; False where it has them."""
    removed = tables.bundle.c.bundle_id == bundle.bundle_id, tables.bundle.c.payload == b""
    if connection.execute(select(tables.bundle.c.bundle_id).where(*removed)).one_or_none() is None:
        return False
    return connection.execute(update(tables.bundle).where(*removed).values(payload=bundle.payload)).rowcount == 1


def read_bundles(connection: Connection, bundle_ids: Iterable[str]) -> dict[str, Bundle]:
    """Return stored bundles by the name they are stored under, which is theirs only if nothing was changed since.

    Networks that all series share come without their members, who may be many and add nothing to the numbers.
    """
    found = connection.execute(
        text("SELECT * FROM milkrun.bundle JOIN milkrun.recipe USING (recipe_hash) WHERE bundle_id = ANY(:ids)"),
        {"ids": sorted(set(bundle_ids))},
    ).all()
    manifests = {row.bundle_id: row.manifest if isinstance(row.manifest, dict) else {} for row in found}
    own = [bundle_id for bundle_id, manifest in manifests.items() if not _is_shared(manifest.get("state"))]
    members: dict[str, list[Member]] = {}
    query = """
        SELECT bundle_id, series_id, position, scaler::text, trained_through, origin, train_rmse, test_rmse
        FROM milkrun.bundle_member WHERE bundle_id = ANY(:ids) ORDER BY bundle_id, position
    """
    rows = connection.execute(text(query), {"ids": own}).all()
    for row, scaler in zip(rows, _parsed(row.scaler for row in rows), strict=True):
        bundle_id, series_id, position, _, seen, origin, train_rmse, test_rmse = row
        members.setdefault(bundle_id, []).append(
            Member(series_id, position, scaler, _month(seen), _month(origin), train_rmse, test_rmse)
        )
    return {
        row.bundle_id: Bundle(
            recipe_from(row.settings),
            Month.containing(row.origin),
            row.as_of,
            bytes(row.payload),
            manifests[row.bundle_id],
            tuple(members.get(row.bundle_id, ())),
        )
        for row in found
    }


def _is_shared(state: object) -> bool:
    return isinstance(state, dict) and bool(state.get("shared"))


# Runs in the order in which their networks count, so that each series is looked up in the first of them alone, however
# many there are.
_CHAMPIONS = text(f"""
    WITH earlier AS MATERIALIZED (
        SELECT array_agg(run_id ORDER BY {FIRST_TO_COUNT}) AS run_ids FROM milkrun.run WHERE {BUILT_ON}
    ), promoted AS (
        SELECT DISTINCT ON (run_id, series_id) run_id, series_id, bundle_id FROM milkrun.promotion
        ORDER BY run_id, series_id, promotion_id DESC
    ), champion AS MATERIALIZED (
        SELECT wanted.series_id, coalesce(promoted.bundle_id, newest.bundle_id) AS bundle_id,
               CASE WHEN promoted.bundle_id IS NULL THEN newest.confirmed END AS confirmed,
               promoted.bundle_id IS NOT NULL AS ordered
        FROM unnest(CAST(:ids AS integer[])) AS wanted(series_id)
        CROSS JOIN LATERAL (
            SELECT x.run_id, x.bundle_id,
                   CASE WHEN x.decision_reason IN ('champion_kept', 'ordered') THEN to_char(x.origin, 'YYYY-MM')
                        WHEN x.decision = 'reuse' THEN x.evidence -> 'champion' ->> 'confirmed' END AS confirmed
            FROM unnest((SELECT run_ids FROM earlier)) WITH ORDINALITY AS run(run_id, place)
            JOIN milkrun.run_series x ON x.run_id = run.run_id AND x.series_id = wanted.series_id
            WHERE x.outcome = 'forecast' ORDER BY place LIMIT 1
        ) newest
        LEFT JOIN promoted ON promoted.run_id = newest.run_id AND promoted.series_id = wanted.series_id
    )
    SELECT series_id, bundle_id, b.recipe_hash, coalesce(m.position, -1), coalesce(m.trained_through, b.origin),
           coalesce(m.origin, b.origin), m.test_rmse, confirmed, ordered
    FROM champion JOIN milkrun.bundle b USING (bundle_id) LEFT JOIN milkrun.bundle_member m USING (bundle_id, series_id)
""")


def read_champions(connection: Connection, series_ids: Sequence[int], run: Run) -> dict[int, Champion]:
    """Return the network that a run may reuse, for each series that has one.

    That is the network of the series' newest published forecast, up to the run's origin and as_of, by the run's recipe, or
    by another where this one has none. Only runs that it may build on count (BUILT_ON): live runs never reuse the network
    of a backfill, nor of hindsight.
    """
    rows = connection.execute(
        _CHAMPIONS,
        {"ids": list(series_ids), **built_on_parameters(run)},
    )
    return {
        series_id: Champion(
            series_id,
            bundle_id,
            recipe_hash,
            position,
            _month(seen),
            _month(origin),
            test_rmse,
            confirmed=None if confirmed is None else Month.parse(confirmed),
            ordered=ordered,
        )
        for series_id, bundle_id, recipe_hash, position, seen, origin, test_rmse, confirmed, ordered in rows
    }


def read_global_members(connection: Connection, series_ids: Sequence[int], bundle_id: str) -> dict[int, Champion]:
    """Return networks that all series share as the champion of each of some series, members or not."""
    rows = connection.execute(
        text("""
            SELECT s.series_id, b.recipe_hash, coalesce(m.position, -1) AS position,
                   coalesce(m.trained_through, b.origin) AS trained_through, coalesce(m.origin, b.origin) AS origin,
                   m.test_rmse, m.scores
            FROM milkrun.bundle b CROSS JOIN unnest(CAST(:ids AS int[])) AS s (series_id)
            LEFT JOIN milkrun.bundle_member m ON m.bundle_id = b.bundle_id AND m.series_id = s.series_id
            WHERE b.bundle_id = :bundle_id
        """),
        {"ids": list(series_ids), "bundle_id": bundle_id},
    )
    return {
        row.series_id: Champion(
            row.series_id,
            bundle_id,
            row.recipe_hash,
            row.position,
            Month.containing(row.trained_through),
            Month.containing(row.origin),
            row.test_rmse,
            row.scores,
        )
        for row in rows
    }


def find_newest_bundle(connection: Connection, series_id: int, *, method: str) -> str | None:
    """Return the id of the bundle that made the newest published live forecast of a series by a method, None without one."""
    bundle_id: str | None = connection.scalar(
        text("""
            SELECT x.bundle_id FROM milkrun.run r JOIN milkrun.recipe c USING (recipe_hash)
            JOIN milkrun.run_series x USING (run_id)
            WHERE r.state = 'published' AND r.kind = 'live' AND x.series_id = :series_id AND x.outcome = 'forecast'
              AND coalesce(c.settings ->> 'method', 'classic') = :method
            ORDER BY r.origin DESC, run_id DESC LIMIT 1
        """),
        {"series_id": series_id, "method": method},
    )
    return bundle_id


_month = functools.lru_cache(Month.containing)  # many rows, few months


def _parsed(texts: Iterable[str]) -> list[Any]:
    """Parse JSON texts as one, much faster than one by one."""
    parsed: list[Any] = json.loads(f"[{','.join(texts)}]")
    return parsed
