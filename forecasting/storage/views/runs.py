"""Runs: which one is the newest, how runs ended for their series, and how long they took."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from sqlalchemy import Connection, text

from forecasting.domain.errors import RunRefused
from forecasting.domain.vocabulary import DECISION_COUNTS, Outcome
from forecasting.storage.runs import BUILT_ON, Run, built_on_parameters
from forecasting.storage.views.rows import Record, Table, read_records, read_table

DURATION_RUNS = 12  # as many of the newest runs count for an estimate: they ran on the present machine

_SUMMARIES = """
    SELECT run_id AS run, kind, to_char(origin, 'YYYY-MM') AS origin, recipe, state, series, forecast, fallback,
           held, refused, failed, retrained, reused, quality.split AS scored_on, quality.median_skill, quality.better,
           quality.scored, quality.coverage_80, quality.coverage_95, trigger, started_at, published_at
    FROM milkrun.run_health health
    LEFT JOIN LATERAL (
        SELECT split, count(skill) AS scored, count(*) FILTER (WHERE skill > 0) AS better,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY skill) AS median_skill,
               sum(coverage_80 * n) / sum(n) FILTER (WHERE coverage_80 IS NOT NULL) AS coverage_80,
               sum(coverage_95 * n) / sum(n) FILTER (WHERE coverage_95 IS NOT NULL) AS coverage_95
        FROM milkrun.rmse_history score
        WHERE score.run_id = health.run_id AND score.horizon = 1 AND score.split IN ('live', 'test')
        GROUP BY split
        ORDER BY split = 'live' DESC LIMIT 1  -- live scores where there are any, else those of the test part
    ) quality ON true"""


class ReasonCount(NamedTuple):
    """How many series of a run ended in one outcome for one reason; example: the name of one of them."""

    outcome: str
    reason: str
    series_count: int
    example: str


@dataclass(frozen=True)
class RunHistory:
    """A published run and earlier published runs of its kind and vintages.

    health: the rows of the view run_health by run id, the oldest origin first.
    """

    run_id: int
    health: dict[int, Record]

    @property
    def earlier_run_ids(self) -> list[int]:
        """The ids of the earlier runs, the oldest origin first."""
        return [run_id for run_id in self.health if run_id != self.run_id]


def find_newest_published_run(connection: Connection) -> int:
    """Return the id of the newest published run: live before backfill, then by origin, then by number of series.

    Raises RunRefused when no run is published.
    """
    run_id: int | None = connection.scalar(
        text("""
            SELECT run_id FROM milkrun.run WHERE state = 'published'
            ORDER BY kind = 'live' DESC, origin DESC, cardinality(series_ids) DESC, run_id DESC LIMIT 1
        """)
    )
    if run_id is None:
        raise RunRefused("No run is published yet: milkrun run makes one.")
    return run_id


def find_runs_published_since(connection: Connection, run: Run) -> list[int]:
    """Return the ids of the runs that a run can build on today, but that were published after it was opened.

    Their forecasts count in the live errors of the run today, and may not have counted at its time. Runs of one group have
    the same start time and were computed one after the other: for them the time of the run's first shard counts instead.
    """
    run_ids = connection.scalars(
        text(f"""
            SELECT run_id FROM milkrun.run
            WHERE {BUILT_ON} AND recipe_hash = :recipe_hash AND origin < :origin
              AND published_at > (
                  SELECT CASE WHEN own.started_at = run.started_at THEN min(finished_at) ELSE own.started_at END
                  FROM milkrun.run own JOIN milkrun.run_shard USING (run_id) WHERE run_id = :run_id GROUP BY run_id)
            ORDER BY run_id
        """),
        built_on_parameters(run),
    )
    return list(run_ids)


def read_run_history(connection: Connection, run: Run, *, origins: int) -> RunHistory:
    """Read the health of a run and of the earlier published runs from its newest `origins` earlier origins."""
    rows = read_records(
        connection,
        """
        SELECT * FROM milkrun.run_health
        WHERE run_id = :run_id OR (state = 'published' AND kind = :kind AND vintages = :vintages AND origin IN (
            SELECT origin FROM milkrun.run WHERE state = 'published' AND kind = :kind AND vintages = :vintages
              AND origin < :origin GROUP BY origin ORDER BY origin DESC LIMIT :origins))
        ORDER BY origin, run_id""",
        run_id=run.run_id,
        kind=run.request.kind,
        vintages=run.request.vintages,
        origin=run.request.origin.first_day,
        origins=origins,
    )
    return RunHistory(run.run_id, {row["run_id"]: row for row in rows})


def read_run_summaries(connection: Connection, count: int) -> Table:
    """Return a row for each of the `count` newest runs by run id, published or not, the newest first.

    It has the numbers of series by outcome and decision, and, for one month ahead, the median skill over the series and the
    mean coverage weighted by months. scored_on: `live` where the run has live scores, else `test`. scored: number of series
    with a skill; better: how many of them beat the seasonal naive.
    """
    return read_table(connection, f"{_SUMMARIES} ORDER BY run_id DESC LIMIT :count", count=count)


def read_newest_live_run(connection: Connection) -> Record | None:
    """Return the summary of the newest live run by origin, published or not; None where there is no live run.

    written and shards: how many of its shards are written, and how many it has.
    """
    run_id = connection.scalar(
        text("SELECT run_id FROM milkrun.run WHERE kind = 'live' ORDER BY origin DESC, run_id DESC LIMIT 1")
    )
    if run_id is None:
        return None
    [summary] = read_records(connection, f"{_SUMMARIES} WHERE run_id = :run_id", run_id=run_id)
    [progress] = read_records(
        connection,
        """
        SELECT (SELECT count(*) FROM milkrun.run_shard WHERE run_id = :run_id) AS written,
               ceil(cardinality(series_ids)::numeric / shard_size)::int AS shards
        FROM milkrun.run WHERE run_id = :run_id""",
        run_id=run_id,
    )
    return summary | progress


def read_series_outcomes(connection: Connection, run_id: int, series_ids: Sequence[int]) -> list[Record]:
    """Return how a run ended for some series, in their order; a series without an outcome is left out."""
    rows = read_records(
        connection,
        """
        SELECT x.series_id, s.name AS series, s.unit, x.origin, x.outcome, x.reason, x.detail, x.decision,
               x.decision_reason, x.method
        FROM milkrun.run_series x JOIN milkrun.series s USING (series_id)
        WHERE run_id = :run_id AND series_id = ANY(:ids)""",
        run_id=run_id,
        ids=list(series_ids),
    )
    outcomes = {row["series_id"]: row for row in rows}
    return [outcomes[series_id] for series_id in series_ids if series_id in outcomes]


def count_outcomes(connection: Connection, run_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return, by run id, the number of series by outcome, and the numbers of retrained and reused series."""
    rows = read_records(connection, "SELECT * FROM milkrun.run_health WHERE run_id = ANY(:ids)", ids=list(run_ids))
    return {row["run_id"]: {name: row[name] for name in (*Outcome, *DECISION_COUNTS.values())} for row in rows}


def count_outcome_reasons(connection: Connection, run_ids: Sequence[int]) -> dict[int, tuple[ReasonCount, ...]]:
    """Return, by run id, the outcomes and reasons with their numbers of series, the most frequent first."""
    rows = connection.execute(
        text("""
            SELECT run_id, outcome, reason, count(*), min(s.name)
            FROM milkrun.run_series JOIN milkrun.series s USING (series_id)
            WHERE run_id = ANY(:ids) GROUP BY run_id, outcome, reason ORDER BY count(*) DESC, outcome, reason
        """),
        {"ids": list(run_ids)},
    )
    counts_by_run: dict[int, list[ReasonCount]] = {run_id: [] for run_id in run_ids}
    for run_id, *columns in rows:
        counts_by_run[run_id].append(ReasonCount(*columns))
    return {run_id: tuple(reason_counts) for run_id, reason_counts in counts_by_run.items()}


def count_decisions(connection: Connection, run_id: int) -> list[Record]:
    """Count the series of a run that were retrained, reused or done without a network, by reason; most frequent first."""
    return read_records(
        connection,
        """
        SELECT coalesce(decision, 'no network') AS decision, coalesce(decision_reason, reason) AS reason,
               count(*) AS series, min(series) AS "such as"
        FROM milkrun.run_outcome WHERE run_id = :run_id GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2""",
        run_id=run_id,
    )


def estimate_seconds(
    connection: Connection, recipe_hash: str, *, series_count: int, retrained_count: int
) -> float | None:
    """Estimate how many seconds a run takes; None where no earlier run of the recipe allows an estimate.

    retrained_count: how many of its series get new networks. The estimate is the sum of two medians over published runs by
    the recipe: seconds per series, of runs that trained nothing, and the additional seconds per retrained series, of the
    others. An interrupted run counts from its start. Runs that were opened together do not count: their networks were
    trained before they started.
    """
    rows = connection.execute(
        text("""
            SELECT count(*) AS series, extract(epoch FROM newest.published_at - newest.started_at)::float AS seconds,
                   count(*) FILTER (WHERE decision = 'retrain' OR decision_reason = 'champion_kept') AS trained
            FROM (SELECT * FROM milkrun.run r WHERE state = 'published' AND recipe_hash = :recipe_hash AND NOT EXISTS (
                      SELECT 1 FROM milkrun.run o WHERE o.started_at = r.started_at AND o.run_id <> r.run_id)
                  ORDER BY run_id DESC LIMIT :runs) newest
            JOIN milkrun.run_series USING (run_id)
            GROUP BY newest.run_id, newest.published_at, newest.started_at
        """),
        {"recipe_hash": recipe_hash, "runs": DURATION_RUNS},
    ).all()
    seconds_without_training = [row.seconds / row.series for row in rows if not row.trained]
    seconds_per_series = median(seconds_without_training) if seconds_without_training else 0.0
    training_runs = [row for row in rows if row.trained]
    training_seconds = [max(row.seconds - seconds_per_series * row.series, 0.0) / row.trained for row in training_runs]
    if (retrained_count and not training_seconds) or not (seconds_without_training or training_seconds):
        return None
    return seconds_per_series * series_count + (retrained_count and median(training_seconds) * retrained_count)
