"""Tests of backfills that are killed, and of those that are asked for again."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest
from sqlalchemy import text

from forecasting.domain.errors import InputError
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.settings import Settings
from forecasting.domain.vocabulary import Reprocess, Retrain
from forecasting.runs import job
from forecasting.runs.backfill import BackfillStep, plan_backfill, plan_first
from forecasting.runs.job import RunParameters
from forecasting.storage import runs
from forecasting.storage.db.database import Database
from tests.runs.test_backfill import QUICK, Arrive, backfill, read, run, said

START, END = Month.of(1974, 1), Month.of(1974, 6)

_BACKFILL = """
import sys
from forecasting.runs.backfill import group_steps, plan_backfill
from forecasting.domain.settings import Settings
from forecasting.domain.vocabulary import Reprocess, Retrain
from forecasting.storage.db.database import open_database
from tests.runs.test_backfill import Month, QUICK, Policy, job

start, end, size, retrain = sys.argv[1:]
asked = job.RunParameters(recipe=QUICK, policy=Policy(retrain), kind="backfill", shard_size=int(size))
with open_database(Settings.from_environment()) as database:
    for group in group_steps(plan_backfill(database, asked, Month.parse(start), Month.parse(end), "none")):
        if len(group) > 1:
            job.run_jointly(database, [step.request for step in group], progress=lambda done: print(done, flush=True))
            continue
        run = job.open_run(database, group[0].request)
        for number in run.request.shard_numbers:
            job.run_shard(database, run, number)
            print(run.request.origin, number, flush=True)
        job.publish_run(database, run)
"""


def plan(
    database: Database, reprocess: Reprocess = "none", end: Month = END, retrain: Retrain = "auto"
) -> list[BackfillStep]:
    """Plan the backfill of these tests."""
    return plan_backfill(database, RunParameters(recipe=QUICK, policy=Policy(retrain)), START, end, reprocess)


def take(database: Database, steps: Sequence[BackfillStep], shard_size: int = 1000) -> list[job.RunSummary]:
    """Take the steps that are to do."""
    return [
        backfill(
            database,
            step.request.origin,
            series=step.parameters.series,
            attempt=step.parameters.attempt,
            shard_size=shard_size,
            policy=step.request.policy.settings,
        )
        for step in steps
        if step.to_do
    ]


def kill_and_go_on(
    settings: Settings, *, end: Month, shard_size: int, kills: int, most: int, retrain: Retrain = "auto"
) -> None:
    """Kill a backfill at random moments after it has told of its next shards or networks, up to `most`; then let it end."""
    environment = {**os.environ, "DATABASE_URL": str(settings.database_url), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", _BACKFILL, str(START), str(end), str(shard_size), retrain]
    draw = random.Random(5)  # noqa: S311 - the same moments every time
    for _ in range(kills):
        victim = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert victim.stdout is not None
        for _ in range(draw.randint(1, most)):
            victim.stdout.readline()
        try:
            victim.wait(draw.uniform(0, 0.3))
        except subprocess.TimeoutExpired:
            os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        victim.stdout.close()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)


def assert_as_if_undisturbed(
    database: Database, origins: int, end: Month, shard_size: int, retrain: Retrain = "auto"
) -> None:
    """Check that each origin was published once, with what an undisturbed attempt says."""
    stored = read(database, "SELECT run_id, origin FROM milkrun.run WHERE state = 'published' ORDER BY origin")
    assert len(stored) == len({row.origin for row in stored}) == origins
    assert len(read(database, "SELECT FROM milkrun.run")) == origins
    for row, again in zip(stored, take(database, plan(database, "completed", end, retrain), shard_size), strict=True):
        with database.reading() as connection:
            first = runs.read_run(connection, row.run_id)
        assert again.run.request.attempt == 2
        assert said(database, job.RunSummary(first, False, {}, ())) == said(database, again)


@pytest.mark.slow
@pytest.mark.parametrize("retrain", ["auto", "always"])
def test_a_killed_backfill_goes_on_where_it_ended(
    database: Database, settings: Settings, arrive: Arrive, milk: list[float], retrain: Retrain
) -> None:
    """Killed with -9 at three random moments and started again, it says what an undisturbed one says, origin by origin."""
    arrive("1962-01", **{f"series {number}": [value + number for value in milk] for number in range(3)})

    kill_and_go_on(settings, end=END, shard_size=6, kills=3, most=2, retrain=retrain)

    assert_as_if_undisturbed(database, 6, END, 6, retrain)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_twenty_kills_of_a_backfill(database: Database, settings: Settings, arrive: Arrive, milk: list[float]) -> None:
    """24 origins of 200 series, killed at 20 random moments."""
    arrive("1962-01", **{f"series {number}": [value + number for value in milk] for number in range(200)})
    end = Month.of(1975, 12)

    kill_and_go_on(settings, end=end, shard_size=50, kills=20, most=6)

    assert_as_if_undisturbed(database, 24, end, 50)


def test_the_plan_says_what_is_then_done(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Per origin its load and vintages, and what the first one decides; nothing is written by planning."""
    arrive("1962-01", milk=milk[:146])
    for month in range(146, 150):
        arrive(str(Month.of(1962, 1) + month), milk=milk[month : month + 1])

    steps = plan(database)

    assert [(step.request.as_of, step.request.vintages, step.to_do) for step in steps] == [
        (1, "latest", True), (1, "as_of", True), (2, "as_of", True), (3, "as_of", True), (4, "as_of", True),
        (5, "as_of", True),
    ]  # fmt: skip
    first = plan_first(database, steps)
    assert first is not None
    assert first.series_by_verdict == {("retrain", "no_network"): ["milk"]}
    assert read(database, "SELECT FROM milkrun.run") == []
    done = take(database, steps)
    assert [step.published_run_id for step in plan(database)] == [summary.run.run_id for summary in done]
    assert plan_first(database, plan(database)) is None


def test_an_attempt_is_completed_before_the_next_one_begins(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """Everything again beside what is there; interrupted after two origins, it goes on with the others."""
    arrive("1962-01", milk=milk)
    take(database, plan(database))

    steps = plan(database, "completed")
    assert [step.parameters.attempt for step in steps if step.to_do] == [2] * 6
    take(database, steps[:2])
    assert [step.to_do for step in plan(database, "completed")] == [False, False, True, True, True, True]
    take(database, plan(database, "completed"))

    assert [step.parameters.attempt for step in plan(database, "completed")] == [3] * 6
    assert [step.to_do for step in plan(database)] == [False] * 6
    assert len(read(database, "SELECT FROM milkrun.forecast")) == 2 * 6 * 12


def test_failed_repeats_only_series_without_a_forecast(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """The one that was held, by a run of its own; the others' forecasts stay as they are."""
    arrive("1962-01", milk=milk, gappy=[*milk[:100], *[None] * 5, *milk[105:]])
    take(database, plan(database))

    again = take(database, plan(database, "failed"))

    assert [
        (summary.run.request.attempt, len(summary.run.request.series_ids), summary.counts["held"]) for summary in again
    ] == [(2, 1, 1)] * 6
    assert len(read(database, "SELECT FROM milkrun.forecast")) == 6 * 12


def test_what_cannot_be_backfilled_is_refused(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Months out of reach and a word that is none: named, and nothing is written."""
    arrive("1962-01", milk=milk[:148])
    with pytest.raises(InputError, match="after the newest observation 1974-04"):
        plan(database)
    with pytest.raises(InputError, match="before it starts"):
        plan(database, end=Month.of(1973, 1))
    with pytest.raises(InputError, match="choose none, failed or completed"):
        plan(database, "all")  # type: ignore[arg-type]
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM milkrun.run")) == 0
    assert run(database).published_now
