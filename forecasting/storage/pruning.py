"""Removing what nobody needs any more; docs/decisions/0015 says what that is, and what is never removed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

# Rows that belong to a run, dependants first.
_OF_A_RUN = (
    "rmse_history",
    "forecast_change_part",
    "forecast",
    "filled_month",
    "run_series",
    "run_network",
    "run_shard",
    "run",
)


@dataclass(frozen=True)
class Prunable:
    """What may be removed.

    run_ids: runs opened before and never published. unused: bundles that no other run refers to. old: bundles whose numbers
    no forecast published since and no champion needs. size: bytes of the payloads of both.
    """

    run_ids: tuple[int, ...]
    unused: tuple[str, ...]
    old: tuple[str, ...]
    size: int

    def __bool__(self) -> bool:
        """Say whether there is anything."""
        return bool(self.run_ids or self.unused or self.old)


# Of each series, kind, vintages and recipe the newest bundle in each part is kept: the one that made a published forecast is
# the network that a run may reuse, the one that was refused may be promoted, the one in charge by order goes on. A backfill
# builds on runs of its own policy, so those count apart.
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
        WHERE r.state = 'open' OR r.published_at >= :before
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


def find_prunable(connection: Connection, before: datetime) -> Prunable:
    """Find what may be removed: runs opened and bundles last needed before a moment."""
    run_ids = connection.scalars(
        text("SELECT run_id FROM milkrun.run WHERE state = 'open' AND started_at < :before ORDER BY run_id"),
        {"before": before},
    ).all()
    rows = connection.execute(_FIND, {"run_ids": list(run_ids), "before": before}).all()
    return Prunable(
        tuple(run_ids),
        tuple(row.bundle_id for row in rows if not row.used),
        tuple(row.bundle_id for row in rows if row.used),
        sum(row.size for row in rows),
    )


def prune(connection: Connection, before: datetime) -> Prunable:
    """Remove what may be removed, and return what that was; needs the right to delete, which the writer has not.

    Runs that write a bundle wait for the end of this transaction, and it waits for theirs: nothing can come into use while
    it is removed.
    """
    connection.execute(text("LOCK TABLE milkrun.bundle IN SHARE ROW EXCLUSIVE MODE"))
    connection.execute(text("SELECT run_id FROM milkrun.run WHERE state = 'open' FOR UPDATE"))
    found = find_prunable(connection, before)
    for table in _OF_A_RUN:
        connection.execute(
            text(f"DELETE FROM milkrun.{table} WHERE run_id = ANY(CAST(:ids AS bigint[]))"),
            {"ids": list(found.run_ids)},
        )
    named = {"ids": [*found.unused, *found.old]}
    connection.execute(text("DELETE FROM milkrun.bundle_member WHERE bundle_id = ANY(:ids)"), named)
    connection.execute(text("DELETE FROM milkrun.bundle WHERE bundle_id = ANY(:ids)"), {"ids": list(found.unused)})
    connection.execute(
        text("UPDATE milkrun.bundle SET payload = '' WHERE bundle_id = ANY(:ids)"), {"ids": list(found.old)}
    )
    return found
