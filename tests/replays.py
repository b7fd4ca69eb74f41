"""Making the decisions of stored runs again from their stored evidence, for tests of what runs decide."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import text

from forecasting.domain.evidence import replay_global_verdict, replay_verdict
from forecasting.domain.policy import Verdict
from forecasting.storage.db.database import Database
from forecasting.storage.run_networks import read_global_decision
from forecasting.storage.runs import read_run

Told = tuple[str | None, str | None, str | None, str, str | None]


def replay_all(database: Database) -> Iterator[tuple[dict[str, Any], Told, Told]]:
    """Give, for every series and every shared network of every run: its evidence, what was stored, what is decided again."""
    with database.reading() as connection:
        for run_id in list(connection.scalars(text("SELECT run_id FROM milkrun.run ORDER BY run_id"))):
            run = read_run(connection, run_id)
            request, network = run.request, read_global_decision(connection, run)
            if network is not None:
                assert network.evidence is not None
                again = replay_global_verdict(network.evidence, request.policy, request.recipe, request.origin)
                decided = (again.decision, again.decision_reason or again.reason, None, "ok", again.detail)
                yield network.evidence, (network.decision, network.reason, None, "ok", network.detail), decided
            query = f"SELECT * FROM milkrun.run_series JOIN milkrun.series USING (series_id) WHERE run_id = {run_id}"
            rows = connection.execute(text(query))
            for row in rows:
                stored = (row.decision, row.decision_reason, row.outcome, row.reason, row.detail)
                again = replay_verdict(
                    row.evidence, request.policy.for_series(row.name), request.recipe, request.origin, network
                )
                yield row.evidence, stored, _told(again)


def _told(verdict: Verdict) -> Told:
    return verdict.decision, verdict.decision_reason, verdict.outcome, verdict.reason, verdict.detail
