"""Bundles: networks and scalers as plain numbers, stored once, and the champions of series among them."""

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
from forecasting.domain.vocabulary import CONFIRMING_REASONS, sql_list
from forecasting.storage.db import tables
from forecasting.storage.db.copy import copy_in_binary
from forecasting.storage.runs import BUILT_ON, RUN_PRECEDENCE, Run, built_on_parameters


@dataclass(frozen=True)
class Member:
    """The network of one series in a bundle: its position among the weights, its scaler and its scores after training.

    trained_through: last month of the training data. origin: of the run that trained it.
    """

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
    """Networks and how they were trained: the local networks of one shard, or the global networks of a run.

    payload: the weights. manifest: their description, with a digest of the members.
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
        description = [self.recipe.hash, str(self.origin), self.as_of, self.manifest]
        digest.update(json.dumps(description, sort_keys=True, allow_nan=False).encode())
        return digest.hexdigest()


def members_digest(members: Sequence[Member]) -> str:
    """SHA-256 of the positions, scalers and months of the members."""
    rows = [[m.series_id, m.position, m.scaler, str(m.trained_through), str(m.origin)] for m in members]
    return hashlib.sha256(json.dumps(rows, sort_keys=True, allow_nan=False).encode()).hexdigest()


@dataclass(frozen=True)
class Champion:
    """The network that made the last published forecast of a series, or that a user has promoted since.

    position is -1 and test_rmse None where it is global and was trained without the series. confirmed: origin of the last
    run that kept it in a challenge or after a promotion, None without one. ordered: whether it was promoted since the newest
    run.
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
    """Store a bundle and its members; a bundle that is stored already is not changed, unless its payload was removed."""
    result = connection.execute(
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
    if result.rowcount == 0 and not _restore_payload(connection, bundle):
        return
    columns: dict[str, list[Any]] = {
        "bundle_id": [bundle.bundle_id] * len(bundle.members),
        "trained_through": [member.trained_through.first_day for member in bundle.members],
        "origin": [member.origin.first_day for member in bundle.members],
    }
    names = ("series_id", "position", "scaler", "train_rmse", "test_rmse", "scores")
    columns |= {name: [getattr(member, name) for member in bundle.members] for name in names}
    copy_in_binary(connection, tables.bundle_member, columns)


def _restore_payload(connection: Connection, bundle: Bundle) -> bool:
    """Store the payload of a bundle again after milkrun prune removed it.

    Returns False where it was not removed, or another transaction restored it first.
    """
    # milkrun prune leaves an empty payload.
    removed_conditions = tables.bundle.c.bundle_id == bundle.bundle_id, tables.bundle.c.payload == b""
    # The UPDATE sends the payload, which may be large, to the server once more. So a query comes first.
    if connection.execute(select(tables.bundle.c.bundle_id).where(*removed_conditions)).one_or_none() is None:
        return False
    statement = update(tables.bundle).where(*removed_conditions).values(payload=bundle.payload)
    return connection.execute(statement).rowcount == 1


def read_bundles(connection: Connection, bundle_ids: Iterable[str]) -> dict[str, Bundle]:
    """Return stored bundles by the id that they are stored under; where a bundle is damaged, its own `bundle_id` differs.

    Global networks come without their members: these may be many, and forecasts do not need them.
    """
    bundle_rows = connection.execute(
        text("SELECT * FROM milkrun.bundle JOIN milkrun.recipe USING (recipe_hash) WHERE bundle_id = ANY(:ids)"),
        {"ids": sorted(set(bundle_ids))},
    ).all()
    manifests = {row.bundle_id: row.manifest if isinstance(row.manifest, dict) else {} for row in bundle_rows}
    local_ids = [bundle_id for bundle_id, manifest in manifests.items() if not _is_global(manifest.get("state"))]
    members_by_bundle: dict[str, list[Member]] = {}
    query = """
        SELECT bundle_id, series_id, position, scaler::text, trained_through, origin, train_rmse, test_rmse
        FROM milkrun.bundle_member WHERE bundle_id = ANY(:ids) ORDER BY bundle_id, position
    """
    member_rows = connection.execute(text(query), {"ids": local_ids}).all()
    for row, scaler in zip(member_rows, _parse_json(row.scaler for row in member_rows), strict=True):
        bundle_id, series_id, position, _, trained_through, origin, train_rmse, test_rmse = row
        members_by_bundle.setdefault(bundle_id, []).append(
            Member(series_id, position, scaler, _month(trained_through), _month(origin), train_rmse, test_rmse)
        )
    return {
        row.bundle_id: Bundle(
            recipe_from(row.settings),
            Month.containing(row.origin),
            row.as_of,
            bytes(row.payload),
            manifests[row.bundle_id],
            tuple(members_by_bundle.get(row.bundle_id, ())),
        )
        for row in bundle_rows
    }


def _is_global(state: object) -> bool:
    return isinstance(state, dict) and bool(state.get("shared"))


# The runs are sorted by precedence. For each series only the first run with a forecast is read, however many runs there are.
_CHAMPIONS = text(f"""
    WITH earlier AS MATERIALIZED (
        SELECT array_agg(run_id ORDER BY {RUN_PRECEDENCE}) AS run_ids FROM milkrun.run WHERE {BUILT_ON}
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
                   CASE WHEN x.decision_reason IN ({sql_list(CONFIRMING_REASONS)}) THEN to_char(x.origin, 'YYYY-MM')
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
    """Return, by series id, the network that a run may reuse, for the series that have one.

    It is the network of the newest published forecast of the series, among the runs that `run` may build on (BUILT_ON): by
    its recipe, or by another where its recipe has none. A live run never reuses the network of a backfill, nor of a run with
    vintages `latest`.
    """
    rows = connection.execute(_CHAMPIONS, {"ids": list(series_ids), **built_on_parameters(run)})
    return {
        series_id: Champion(
            series_id,
            bundle_id,
            recipe_hash,
            position,
            _month(trained_through),
            _month(origin),
            test_rmse,
            confirmed=None if confirmed is None else Month.parse(confirmed),
            ordered=ordered,
        )
        for series_id, bundle_id, recipe_hash, position, trained_through, origin, test_rmse, confirmed, ordered in rows
    }


def read_global_members(connection: Connection, series_ids: Sequence[int], bundle_id: str) -> dict[int, Champion]:
    """Return, by series id, the global networks of a bundle as the champion of each series, trained with it or without."""
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


def _parse_json(texts: Iterable[str]) -> list[Any]:
    """Parse JSON texts in one call, which is much faster than a call per text."""
    values: list[Any] = json.loads(f"[{','.join(texts)}]")
    return values
