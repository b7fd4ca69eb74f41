"""Runs: opened once per request, written shard by shard, published as a whole in one statement."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Select, select, text
from sqlalchemy.dialects.postgresql import insert

from forecasting.domain.errors import RunRefused
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy, policy_from
from forecasting.domain.recipes import Recipe, recipe_from
from forecasting.domain.vocabulary import Kind, NetworkScope, RunState, Vintages
from forecasting.storage.db import tables
from forecasting.storage.db.database import PUBLISH_LOCK


@dataclass(frozen=True)
class Request:
    """What identifies a run: the same request finds the same run.

    series_ids: the series to forecast, in the order in which they are cut into shards of shard_size. scope: `all`, or a
    digest of the names of the series, as `scope_of` gives it. attempt: from 2 on, the same request once more.
    """

    kind: Kind
    origin: Month
    as_of: int
    vintages: Vintages
    recipe: Recipe
    policy: Policy
    series_ids: tuple[int, ...]
    scope: str
    shard_size: int
    code_version: str
    trigger: str
    prefect_flow_run_id: str | None = None
    attempt: int = 1
    made_by: str | None = None

    @cached_property
    def shards(self) -> tuple[tuple[int, ...], ...]:
        """The series of each shard, in order."""
        starts = range(0, len(self.series_ids), self.shard_size)
        return tuple(self.series_ids[start : start + self.shard_size] for start in starts)

    @property
    def shard_numbers(self) -> range:
        """The numbers of the shards, from 0 on."""
        return range(len(self.shards))

    @property
    def has_global_networks(self) -> bool:
        """Whether the series of the run share networks."""
        return self.recipe.network_scope(len(self.series_ids)) == NetworkScope.GLOBAL


@dataclass(frozen=True)
class Run:
    """A request with the number and the state under which it is stored; run_id is 0 where it is not stored yet."""

    run_id: int
    state: RunState
    request: Request


def scope_of(names: Sequence[str] | None) -> str:
    """Return the scope of a request: `all` where no names are given, else the SHA-256 of the names."""
    return "all" if names is None else hashlib.sha256(json.dumps(sorted(set(names))).encode()).hexdigest()


def open_runs(connection: Connection, requests: Sequence[Request]) -> list[Run]:
    """Store the runs of some requests, and read those that are stored already: a repeated request continues its run.

    requests: of one recipe, no two from the same origin.
    """
    recipe = requests[0].recipe
    connection.execute(
        insert(tables.recipe)
        .values(recipe_hash=recipe.hash, name=recipe.name, settings=recipe.settings)
        .on_conflict_do_nothing()
    )
    new_rows = connection.execute(
        insert(tables.run)
        .values([_row_of(request) for request in requests])
        .on_conflict_do_nothing()
        .returning(tables.run.c.run_id, tables.run.c.origin, tables.run.c.as_of)
    )
    new_ids = {(Month.containing(row.origin), row.as_of): row.run_id for row in new_rows}
    return [
        Run(new_ids[request.origin, request.as_of], RunState.OPEN, request)
        if (request.origin, request.as_of) in new_ids
        else read_run(connection, connection.execute(_same_request(request)).one().run_id)
        for request in requests
    ]


def _row_of(request: Request) -> dict[str, Any]:
    return {
        **request_parameters(request),
        "policy": request.policy.settings,
        "attempt": request.attempt,
        "series_ids": list(request.series_ids),
        "shard_size": request.shard_size,
        "code_version": request.code_version,
        "trigger": request.trigger,
        "prefect_flow_run_id": request.prefect_flow_run_id,
        "made_by": request.made_by,
    }


def find_published_run(connection: Connection, request: Request) -> int | None:
    """Return the id of the published run of a request; None where there is none."""
    run_id: int | None = connection.execute(
        _same_request(request).where(tables.run.c.state == RunState.PUBLISHED)
    ).scalar_one_or_none()
    return run_id


def _same_request(request: Request) -> Select[tuple[int]]:
    return select(tables.run.c.run_id).where(
        tables.run.c.kind == request.kind,
        tables.run.c.origin == request.origin.first_day,
        tables.run.c.as_of == request.as_of,
        tables.run.c.recipe_hash == request.recipe.hash,
        tables.run.c.policy == request.policy.settings,
        tables.run.c.scope == request.scope,
        tables.run.c.attempt == request.attempt,
    )


def read_run(connection: Connection, run_id: int) -> Run:
    """Read a stored run; raises RunRefused when there is no run of that id."""
    row = connection.execute(
        text("SELECT r.*, c.settings FROM milkrun.run r JOIN milkrun.recipe c USING (recipe_hash) WHERE run_id = :id"),
        {"id": run_id},
    ).one_or_none()
    if row is None:
        raise RunRefused(f'There is no run {run_id}: milkrun sql "select * from run_health" lists them.')
    request = Request(
        kind=Kind(row.kind),
        origin=Month.containing(row.origin),
        as_of=row.as_of,
        vintages=Vintages(row.vintages),
        recipe=recipe_from(row.settings),
        policy=policy_from(row.policy),
        series_ids=tuple(row.series_ids),
        scope=row.scope,
        shard_size=row.shard_size,
        code_version=row.code_version,
        trigger=row.trigger,
        prefect_flow_run_id=row.prefect_flow_run_id,
        attempt=row.attempt,
        made_by=row.made_by,
    )
    return Run(row.run_id, RunState(row.state), request)


# The runs that a run may build on: published, with its vintages, not after its origin and as_of. A live run builds on live
# runs. A backfill builds on backfills with its policy that are strictly earlier, so that an attempt never builds on the one
# that it repeats; with vintages `as_of` also on the live runs that existed before it. A published run may build on itself.
BUILT_ON = """
    state = 'published' AND vintages = :vintages AND origin <= :origin AND as_of <= :as_of AND (
        run_id = :run_id
        OR :kind = 'live' AND kind = 'live'
        OR :kind = 'backfill' AND kind = 'backfill' AND policy = CAST(:policy AS jsonb)
           AND (origin, as_of) < (:origin, :as_of)
        OR :kind = 'backfill' AND kind = 'live' AND vintages = 'as_of' AND (
            (origin, as_of) < (:origin, :as_of)
            OR run_id < (SELECT max(run_id) FROM milkrun.run same
                         WHERE state = 'published' AND kind = 'live' AND recipe_hash = :recipe_hash AND origin = :origin
                           AND as_of = :as_of AND vintages = :vintages AND policy = CAST(:policy AS jsonb))))
"""
# Of several runs with a forecast of one series, the first in this order counts.
RUN_PRECEDENCE = "recipe_hash = :recipe_hash DESC, origin DESC, kind = :kind DESC, run_id DESC"


def built_on_parameters(run: Run) -> dict[str, Any]:
    """Return the parameters of BUILT_ON and RUN_PRECEDENCE for a run, stored or not."""
    return {"run_id": run.run_id, **request_parameters(run.request)}


def request_parameters(request: Request) -> dict[str, Any]:
    """Return the columns of the table `run` that a request decides, as parameters of statements; policy as JSON text."""
    return {
        "kind": request.kind,
        "origin": request.origin.first_day,
        "as_of": request.as_of,
        "vintages": request.vintages,
        "recipe_hash": request.recipe.hash,
        "policy": json.dumps(request.policy.settings),
        "scope": request.scope,
    }


def read_recipe(connection: Connection, recipe_hash: str) -> Recipe:
    """Return the stored recipe of a hash."""
    settings = connection.scalar(
        text("SELECT settings FROM milkrun.recipe WHERE recipe_hash = :hash"), {"hash": recipe_hash}
    )
    return recipe_from(settings)


def read_written_shards(connection: Connection, run_id: int) -> set[int]:
    """Return the numbers of the shards of a run whose rows are committed."""
    return set(connection.scalars(text("SELECT shard FROM milkrun.run_shard WHERE run_id = :id"), {"id": run_id}))


def claim_shard(connection: Connection, run_id: int, shard: int) -> bool:
    """Claim a shard for this transaction; return False when another transaction has written it.

    A second claimant waits here until the first commits, so the rows of a shard are written exactly once.
    """
    result = connection.execute(insert(tables.run_shard).values(run_id=run_id, shard=shard).on_conflict_do_nothing())
    return result.rowcount == 1


def publish(connection: Connection, run: Run) -> bool:
    """Publish a run, which makes all its rows visible at once; return False when it was published before.

    Raises RunRefused when a series of the run has no outcome.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": PUBLISH_LOCK})
    missing_count = connection.scalar(
        text("""
            SELECT count(*) FROM (
                SELECT unnest(series_ids) FROM milkrun.run WHERE run_id = :id
                EXCEPT SELECT series_id FROM milkrun.run_series WHERE run_id = :id) AS without_outcome
        """),
        {"id": run.run_id},
    )
    if missing_count:
        raise RunRefused(
            f"Run {run.run_id} cannot be published: {missing_count} of {len(run.request.series_ids)} series have no outcome yet. "
            "Repeat the run: it goes on where it ended."
        )
    result = connection.execute(
        text("""
            UPDATE milkrun.run SET state = 'published', published_at = clock_timestamp()
            WHERE run_id = :id AND state = 'open'
        """),
        {"id": run.run_id},
    )
    return result.rowcount == 1
