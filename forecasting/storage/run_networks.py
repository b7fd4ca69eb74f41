"""Global networks of a run: the decision about them is made once per run, before its shards, and stored with them."""

from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from forecasting.domain.months import Month
from forecasting.domain.policy import GlobalDecision
from forecasting.domain.vocabulary import CONFIRMING_REASONS, sql_list
from forecasting.storage.bundles import Bundle, write_bundle
from forecasting.storage.db import tables
from forecasting.storage.runs import BUILT_ON, RUN_PRECEDENCE, Run, built_on_parameters


@dataclass(frozen=True)
class GlobalChampion:
    """The global networks of the newest published run that had some; origin: of the run that trained them.

    confirmed: origin of the last run that kept them in a challenge or after a promotion, None without one. ordered: whether
    a user has promoted them since the newest run.
    """

    bundle_id: str
    recipe_hash: str
    origin: Month
    confirmed: Month | None = None
    ordered: bool = False


def read_global_decision(connection: Connection, run: Run) -> GlobalDecision | None:
    """Return the decision about the global networks of a run; None before it is made, or where the run has none."""
    if not run.request.has_global_networks:
        return None
    row = connection.execute(
        text("SELECT decision, reason, detail, bundle_id, evidence FROM milkrun.run_network WHERE run_id = :id"),
        {"id": run.run_id},
    ).one_or_none()
    return None if row is None else GlobalDecision(*row)


def write_global_decision(connection: Connection, run: Run, decision: GlobalDecision, bundle: Bundle | None) -> bool:
    """Store a decision and the bundle that was trained for it; return False when the run has a decision already.

    A second writer waits here until the first commits.
    """
    if bundle is not None:
        write_bundle(connection, bundle)
    result = connection.execute(
        insert(tables.run_network)
        .values(
            run_id=run.run_id,
            decision=decision.decision,
            reason=decision.reason,
            detail=decision.detail,
            bundle_id=decision.bundle_id,
            evidence=decision.evidence,
        )
        .on_conflict_do_nothing()
    )
    return result.rowcount == 1


def read_global_champion(connection: Connection, run: Run) -> GlobalChampion | None:
    """Return the global networks that a run may reuse; None where there are none.

    They are those of the newest published run that it may build on: by its recipe, or by another where its recipe has none.
    """
    row = connection.execute(
        text(f"""
            WITH earlier AS (
                SELECT run_id, origin, row_number() OVER (ORDER BY {RUN_PRECEDENCE}) AS place FROM milkrun.run WHERE {BUILT_ON}
            )
            SELECT b.bundle_id, b.recipe_hash, b.origin, p.bundle_id IS NOT NULL AS ordered,
                   CASE WHEN p.bundle_id IS NOT NULL THEN NULL
                        WHEN n.reason IN ({sql_list(CONFIRMING_REASONS)}) THEN to_char(earlier.origin, 'YYYY-MM')
                        WHEN n.decision = 'reuse' THEN n.evidence -> 'champion' ->> 'confirmed' END AS confirmed
            FROM earlier JOIN milkrun.run_network n USING (run_id)
            LEFT JOIN LATERAL (
                SELECT bundle_id FROM milkrun.promotion WHERE run_id = n.run_id AND series_id IS NULL
                ORDER BY promotion_id DESC LIMIT 1
            ) p ON true
            JOIN milkrun.bundle b ON b.bundle_id = coalesce(p.bundle_id, n.bundle_id)
            ORDER BY place LIMIT 1
        """),
        built_on_parameters(run),
    ).one_or_none()
    if row is None:
        return None
    confirmed = None if row.confirmed is None else Month.parse(row.confirmed)
    return GlobalChampion(row.bundle_id, row.recipe_hash, Month.containing(row.origin), confirmed, row.ordered)
