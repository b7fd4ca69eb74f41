"""The networks that the series of a run share: decided, and trained if need be, once per run, before its shards."""

from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from forecasting.domain.months import Month
from forecasting.domain.policy import GlobalDecision
from forecasting.storage.bundles import Bundle, write_bundle
from forecasting.storage.db import tables
from forecasting.storage.runs import BUILT_ON, FIRST_TO_COUNT, Run, built_on_parameters


@dataclass(frozen=True)
class GlobalChampion:
    """The shared networks of the newest published run that had some; origin: that of the run that trained them.

    confirmed: the origin from which they were last kept although others were trained, or put in charge by order; ordered:
    they have been since the newest run.
    """

    bundle_id: str
    recipe_hash: str
    origin: Month
    confirmed: Month | None = None
    ordered: bool = False


def read_global_decision(connection: Connection, run: Run) -> GlobalDecision | None:
    """Return what was decided for a run, None before that, or where its series share no networks."""
    if not run.request.recipe.shares(len(run.request.series_ids)):
        return None
    row = connection.execute(
        text("SELECT decision, reason, detail, bundle_id, evidence FROM milkrun.run_network WHERE run_id = :id"),
        {"id": run.run_id},
    ).one_or_none()
    return None if row is None else GlobalDecision(*row)


def write_global_decision(connection: Connection, run: Run, network: GlobalDecision, bundle: Bundle | None) -> bool:
    """Store a decision and the bundle that was trained for it; False, and nothing stored, when there is one already.

    A second writer waits here until the first commits.
    """
    if bundle is not None:
        write_bundle(connection, bundle)
    claimed = connection.execute(
        insert(tables.run_network)
        .values(
            run_id=run.run_id,
            decision=network.decision,
            reason=network.reason,
            detail=network.detail,
            bundle_id=network.bundle_id,
            evidence=network.evidence,
        )
        .on_conflict_do_nothing()
    )
    return claimed.rowcount == 1


def read_global_champion(connection: Connection, run: Run) -> GlobalChampion | None:
    """Return the shared networks that a run may reuse, None where there are none.

    Those of the newest published run that it may build on; by its recipe, or by another where this one has none.
    """
    row = connection.execute(
        text(f"""
            WITH earlier AS (
                SELECT run_id, origin, row_number() OVER (ORDER BY {FIRST_TO_COUNT}) AS place FROM milkrun.run WHERE {BUILT_ON}
            )
            SELECT b.bundle_id, b.recipe_hash, b.origin, p.bundle_id IS NOT NULL AS ordered,
                   CASE WHEN p.bundle_id IS NOT NULL THEN NULL
                        WHEN n.reason IN ('champion_kept', 'ordered') THEN to_char(earlier.origin, 'YYYY-MM')
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
