"""Attempts: the runs of one request, and the series that earlier attempts left without a forecast."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from forecasting.domain.months import Month
from forecasting.domain.vocabulary import OUTCOMES_WITHOUT_VALUES, sql_list
from forecasting.storage.runs import Request, request_parameters

_SAME = """kind = :kind AND origin = :origin AND as_of = :as_of AND recipe_hash = :recipe_hash
           AND policy = CAST(:policy AS jsonb)"""
_OF_ORIGINS = """kind = :kind AND origin = ANY(:origins) AND recipe_hash = :recipe_hash
           AND policy = CAST(:policy AS jsonb)"""


def find_newest_published_runs(connection: Connection, requests: Sequence[Request]) -> list[int | None]:
    """Return the id of the newest published run of each request, of any attempt; None where there is none.

    requests: of one kind, recipe, policy and scope.
    """
    if not requests:
        return []
    rows = connection.execute(
        text(f"""
            SELECT origin, as_of, max(run_id) FROM milkrun.run
            WHERE {_OF_ORIGINS} AND scope = :scope AND state = 'published' GROUP BY origin, as_of
        """),
        _origins_parameters(requests),
    )
    run_ids = {(Month.containing(origin), as_of): run_id for origin, as_of, run_id in rows}
    return [run_ids.get((request.origin, request.as_of)) for request in requests]


def read_written_shards_of_requests(connection: Connection, requests: Sequence[Request]) -> list[set[int]]:
    """Return, for each request, the numbers of the shards of its run whose rows are committed.

    requests: of one kind, recipe and policy.
    """
    if not requests:
        return []
    rows = connection.execute(
        text(f"""
            SELECT origin, as_of, scope, attempt, array_agg(shard) FROM milkrun.run JOIN milkrun.run_shard USING (run_id)
            WHERE {_OF_ORIGINS} GROUP BY run.run_id
        """),
        _origins_parameters(requests),
    )
    numbers_by_key = {
        (Month.containing(origin), *other_fields): set(numbers) for origin, *other_fields, numbers in rows
    }
    keys = [(request.origin, request.as_of, request.scope, request.attempt) for request in requests]
    return [numbers_by_key.get(key, set()) for key in keys]


def find_newest_attempt(connection: Connection, request: Request) -> int:
    """Return the highest attempt of the runs of a request or of some of its series, published or not; 1 without a run."""
    attempt = connection.scalar(
        text(f"SELECT max(attempt) FROM milkrun.run WHERE {_SAME} AND series_ids <@ CAST(:ids AS int[])"),
        {**request_parameters(request), "ids": list(request.series_ids)},
    )
    return int(attempt or 1)


def find_series_without_forecast(connection: Connection, request: Request, attempt: int) -> list[str]:
    """Return the names of the series whose newest outcome before an attempt has no forecast values."""
    rows = connection.scalars(
        text(f"""
            SELECT s.name FROM (
                SELECT DISTINCT ON (series_id) series_id, outcome
                FROM (SELECT run_id FROM milkrun.run
                      WHERE {_SAME} AND state = 'published' AND attempt < :attempt) earlier
                JOIN milkrun.run_series USING (run_id)
                WHERE series_id = ANY(:ids) ORDER BY series_id, run_id DESC) newest
            JOIN milkrun.series s USING (series_id)
            WHERE outcome IN ({sql_list(OUTCOMES_WITHOUT_VALUES)}) ORDER BY s.name
        """),
        {**request_parameters(request), "attempt": attempt, "ids": list(request.series_ids)},
    )
    return list(rows)


def _origins_parameters(requests: Sequence[Request]) -> dict[str, Any]:
    return {**request_parameters(requests[0]), "origins": [request.origin.first_day for request in requests]}
