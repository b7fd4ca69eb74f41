"""How the newest runs went, at a glance: counts, skill and coverage of each."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

_RUNS = """
    SELECT run_id AS run, kind, to_char(origin, 'YYYY-MM') AS origin, recipe, state, series, forecast, fallback,
           held, refused, failed, retrained, reused, q.split AS scored_on, q.median_skill, q.better, q.scored,
           q.coverage_80, q.coverage_95, trigger, started_at, published_at
    FROM milkrun.run_health h
    LEFT JOIN LATERAL (
        SELECT split, count(skill) AS scored, count(*) FILTER (WHERE skill > 0) AS better,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY skill) AS median_skill,
               sum(coverage_80 * n) / sum(n) FILTER (WHERE coverage_80 IS NOT NULL) AS coverage_80,
               sum(coverage_95 * n) / sum(n) FILTER (WHERE coverage_95 IS NOT NULL) AS coverage_95
        FROM milkrun.rmse_history e
        WHERE e.run_id = h.run_id AND e.horizon = 1 AND e.split IN ('live', 'test')
        GROUP BY split ORDER BY split LIMIT 1
    ) q ON true"""


def newest_runs(connection: Connection, count: int) -> tuple[list[str], list[Sequence[Any]]]:
    """Return columns and rows of the newest runs, the newest first.

    The skill is one month ahead: live where forecasts have been answered, else on the test part. better: how many of the
    `scored` series beat the seasonal naive.
    """
    result = connection.execute(text(f"{_RUNS} ORDER BY run_id DESC LIMIT :count"), {"count": count})
    return list(result.keys()), [tuple(row) for row in result]


def read_newest_round(connection: Connection) -> dict[str, Any] | None:
    """Return the newest live run by origin, published or not, with how many of its shards are written; None before it."""
    run_id = connection.scalar(
        text("SELECT run_id FROM milkrun.run WHERE kind = 'live' ORDER BY origin DESC, run_id DESC LIMIT 1")
    )
    if run_id is None:
        return None
    row = connection.execute(text(f"{_RUNS} WHERE run_id = :run_id"), {"run_id": run_id}).mappings().one()
    shards = connection.execute(
        text("""
            SELECT (SELECT count(*) FROM milkrun.run_shard WHERE run_id = :run_id) AS written,
                   ceil(cardinality(series_ids)::numeric / shard_size)::int AS shards
            FROM milkrun.run WHERE run_id = :run_id"""),
        {"run_id": run_id},
    )
    return {**row, **shards.mappings().one()}
