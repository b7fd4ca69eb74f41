"""Removing runs and bundles that are no longer needed; docs/decisions/0015 defines them, and what is never removed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

# The tables with rows of a run; a table comes before those that it refers to.
_RESULT_TABLES = ("rmse_history", "forecast_change_part", "forecast", "filled_month", "run_series", "run_network")
_RUN_TABLES = (*_RESULT_TABLES, "run_shard", "run")


@dataclass(frozen=True)
class Prunable:
    """The runs and bundles that may be removed at a moment.

    run_ids: runs that were opened earlier and never published. unused_bundle_ids: bundles that no other run refers to.
    old_bundle_ids: bundles that no later published forecast and no champion needs; only their payload is removed.
    payload_bytes: size of the payloads of both.
    """

    run_ids: tuple[int, ...]
    unused_bundle_ids: tuple[str, ...]
    old_bundle_ids: tuple[str, ...]
    payload_bytes: int

    def __bool__(self) -> bool:
        """Return whether there is anything to remove."""
        return bool(self.run_ids or self.unused_bundle_ids or self.old_bundle_ids)


# For each series, kind, vintages and recipe the newest bundle of each `part` is needed: the one that made a published
# forecast is the champion that a run may reuse, a refused one may be promoted, and a promoted one is the next champion. A
# backfill builds only on backfill runs with the same policy, so backfills count per policy.
_FIND = text("""
    WITH told AS MATERIALIZED (
        SELECT run_id, series_id, bundle_id, CASE outcome WHEN 'forecast' THEN 'spoke' ELSE 'silent' END AS part, evidence
        FROM milkrun.run_series WHERE run_id <> ALL (CAST(:run_ids AS bigint[]))
        UNION ALL
        SELECT run_id, 0, bundle_id, 'spoke', evidence
        FROM milkrun.run_network WHERE run_id <> ALL (CAST(:run_ids AS bigint[]))
    ), used AS MATERIALIZED (
        SELECT run_id, series_id, bundle_id, part, 0 AS place FROM told WHERE bundle_id IS NOT NULL
        UNION ALL
        SELECT run_id, series_id, evidence -> 'challenge' ->> 'challenger', 'refused', 0
        FROM told WHERE evidence -> 'challenge' ->> 'result' = 'champion_kept'
                    AND evidence -> 'challenge' ->> 'challenger' IS NOT NULL
        UNION ALL
        SELECT run_id, coalesce(series_id, 0), bundle_id, 'ordered', promotion_id FROM milkrun.promotion
    ), needed AS (
        SELECT u.bundle_id FROM used u JOIN milkrun.run r USING (run_id)
        WHERE r.state = 'open' OR r.published_at >= :cutoff
        UNION
        SELECT bundle_id FROM (
            SELECT DISTINCT ON (u.series_id, u.part, r.kind, r.vintages, r.recipe_hash,
                                CASE WHEN r.kind = 'backfill' THEN r.policy END) u.bundle_id
            FROM used u JOIN milkrun.run r USING (run_id) WHERE r.state = 'published'
            ORDER BY u.series_id, u.part, r.kind, r.vintages, r.recipe_hash,
                     CASE WHEN r.kind = 'backfill' THEN r.policy END, r.origin DESC, r.run_id DESC, u.place DESC) newest
    )
    SELECT b.bundle_id, u.bundle_id IS NOT NULL AS used, octet_length(b.payload) AS size
    FROM milkrun.bundle b LEFT JOIN (SELECT DISTINCT bundle_id FROM used) u USING (bundle_id)
    WHERE u.bundle_id IS NULL OR octet_length(b.payload) > 0 AND b.bundle_id NOT IN (SELECT bundle_id FROM needed)
    ORDER BY b.bundle_id
""")


def find_prunable(connection: Connection, cutoff: datetime) -> Prunable:
    """Find the unpublished runs that were opened before the cutoff, and the bundles that were last needed before it."""
    run_ids = connection.scalars(
        text("SELECT run_id FROM milkrun.run WHERE state = 'open' AND started_at < :cutoff ORDER BY run_id"),
        {"cutoff": cutoff},
    ).all()
    rows = connection.execute(_FIND, {"run_ids": list(run_ids), "cutoff": cutoff}).all()
    return Prunable(
        tuple(run_ids),
        tuple(row.bundle_id for row in rows if not row.used),
        tuple(row.bundle_id for row in rows if row.used),
        sum(row.size for row in rows),
    )


def prune(connection: Connection, cutoff: datetime) -> Prunable:
    """Remove the prunable runs and bundles and return them; needs the right to delete, which the writer role lacks.

    Runs that write a bundle wait until this transaction ends, and it waits until theirs end: no bundle can come into use
    while it is removed.
    """
    connection.execute(text("LOCK TABLE milkrun.bundle IN SHARE ROW EXCLUSIVE MODE"))
    connection.execute(text("SELECT run_id FROM milkrun.run WHERE state = 'open' FOR UPDATE"))
    prunable = find_prunable(connection, cutoff)
    for table in _RUN_TABLES:
        connection.execute(
            text(f"DELETE FROM milkrun.{table} WHERE run_id = ANY(CAST(:ids AS bigint[]))"),
            {"ids": list(prunable.run_ids)},
        )
    bundle_parameters = {"ids": [*prunable.unused_bundle_ids, *prunable.old_bundle_ids]}
    connection.execute(text("DELETE FROM milkrun.bundle_member WHERE bundle_id = ANY(:ids)"), bundle_parameters)
    connection.execute(
        text("DELETE FROM milkrun.bundle WHERE bundle_id = ANY(:ids)"), {"ids": list(prunable.unused_bundle_ids)}
    )
    connection.execute(
        text("UPDATE milkrun.bundle SET payload = '' WHERE bundle_id = ANY(:ids)"),
        {"ids": list(prunable.old_bundle_ids)},
    )
    return prunable
