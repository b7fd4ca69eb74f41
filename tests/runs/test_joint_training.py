"""Tests of networks that many origins train together: they are those that each origin would have trained alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, text

from forecasting.domain.errors import PassingFailure
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import Recipe
from forecasting.runs import job
from forecasting.runs.backfill import BackfillStep, group_steps, plan_backfill
from forecasting.runs.job import RunParameters
from forecasting.runs.joint_training import LocalTrainer, PretrainedNetworks, always_trains, pretrain
from forecasting.storage.db.database import Database
from forecasting.storage.runs import Request
from tests.runs.test_backfill import OWN, QUICK, SHARED, Arrive, backfill, said

START, END = Month.of(1974, 1), Month.of(1974, 6)
ALWAYS: dict[str, Any] = {"retrain": "always"}


def steps_of(database: Database, recipe: Recipe, end: Month = END, **asked: Any) -> list[BackfillStep]:
    """Plan a backfill that retrains, unless another policy is asked for."""
    policy = Policy(**asked.pop("policy", ALWAYS))
    return plan_backfill(database, RunParameters(recipe=recipe, policy=policy, **asked), START, end, "none")


def take(database: Database, step: BackfillStep, ahead: PretrainedNetworks) -> tuple[job.RunSummary, int]:
    """Take a step with networks that were trained ahead; returns how many were trained all the same as well."""
    trained: list[int] = []
    run = job.open_run(database, step.parameters)
    for number in run.request.shard_numbers:
        job.run_shard(database, run, number, LocalTrainer(ahead, progress=trained.append))
    return job.publish_run(database, run), sum(trained)


def sizes(steps: list[BackfillStep]) -> list[int]:
    """Return how many steps each group has."""
    return [len(group) for group in group_steps(steps)]


@pytest.mark.parametrize("recipe", [QUICK, OWN], ids=lambda recipe: recipe.name)
def test_origins_trained_together_say_what_each_says_alone(
    database: Database, arrive: Arrive, milk: list[float], recipe: Recipe
) -> None:
    """Histories of many lengths, one late, one with a gap, in shards of two: every row the same, and none trains twice."""
    gap = [*milk[:100], None, *milk[101:]]
    arrive("1962-01", milk=milk, gap=gap, late=milk[:148], even=[5.0] * 168, short=[None] * 130 + milk[130:])
    alone = [
        backfill(database, START + month, recipe, policy=dict(ALWAYS), shard_size=2) for month in range(END - START + 1)
    ]

    steps = plan_backfill(
        database, RunParameters(recipe=recipe, policy=Policy("always"), shard_size=2), START, END, "completed"
    )
    ahead = pretrain(database, [step.request for step in steps])
    again = [take(database, step, ahead) for step in steps]

    assert len(ahead) >= 2 * len(steps)
    for one, (other, trained) in zip(alone, again, strict=True):
        assert (other.run.request.attempt, trained) == (2, 0)
        assert said(database, other) == said(database, one)
    assert alone[-1].counts["retrained"] == (3 if recipe is OWN else 4)


def test_what_was_learned_since_is_not_answered_by_networks_trained_before(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """A revision that comes between training and the run: the run trains for itself, as if nothing had been ahead."""
    arrive("1962-01", milk=milk)
    steps = steps_of(database, QUICK, START)
    ahead = pretrain(database, [step.request for step in steps])
    arrive("1970-01", milk=[milk[96] + 50])

    run, trained = take(database, steps[0], ahead)

    assert (run.run.request.as_of, trained) == (2, 1)
    [without] = plan_backfill(database, RunParameters(recipe=QUICK, policy=Policy("always")), START, START, "completed")
    assert said(database, take(database, without, {})[0]) == said(database, run)


def test_shards_that_are_written_are_not_trained_again(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """An interrupted backfill trains what is left."""
    arrive("1962-01", **{f"series {number}": [value + number for value in milk] for number in range(4)})
    steps = steps_of(database, QUICK, shard_size=2)
    requests = [step.request for step in steps]
    assert len(pretrain(database, requests)) == 12
    take(database, steps[0], {})
    job.run_shard(database, job.open_run(database, steps[1].parameters), 0)

    assert len(pretrain(database, requests)) == 9


def test_written_shards_are_known_whatever_the_attempts_of_a_group(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """One origin is done for the first time, the next once more: what is written of either is not trained again."""
    arrive("1962-01", milk=milk)
    first, second = (step.request for step in steps_of(database, QUICK, START + 1))
    again = replace(second, attempt=2)
    job.run_shard(database, job.open_run(database, again), 0)

    assert len(pretrain(database, [first, again])) == 1
    assert len(pretrain(database, [first, second])) == 2


@pytest.mark.slow
def test_a_group_that_breaks_at_any_statement_goes_on_where_it_was(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """The server ends the connection at every third statement: asked again, the group ends in the rows of an undisturbed one."""
    arrive("1962-01", milk=milk)

    def group() -> list[Request]:
        steps = plan_backfill(
            database, RunParameters(recipe=QUICK, policy=Policy("always")), START, START + 1, "completed"
        )
        return [step.request for step in steps]

    job.run_jointly(database, [step.request for step in steps_of(database, QUICK, START + 1)])
    with breaking(database, None) as statements:
        undisturbed = [said(database, summary) for summary in job.run_jointly(database, group())]
    broken = 0
    for moment in range(0, len(statements), 3):
        requests = group()
        with breaking(database, moment):
            try:
                job.run_jointly(database, requests)
            except PassingFailure:
                broken += 1
        again = job.run_jointly(database, requests)
        assert [said(database, summary) for summary in again] == undisturbed
        assert {summary.run.request.attempt for summary in again} == {requests[0].attempt}

    assert len(statements) > 40
    assert broken > 2


@contextmanager
def breaking(database: Database, moment: int | None) -> Iterator[list[str]]:
    """Give the statements as they are made; the server ends the connection before the one that is numbered `moment`."""
    statements: list[str] = []

    def before(_connection: object, cursor: Any, statement: str, *_: object) -> None:
        statements.append(statement)
        if len(statements) - 1 == moment:
            with database.engine.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": cursor.connection.info.backend_pid})

    event.listen(database.engine, "before_cursor_execute", before)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", before)


def test_only_runs_that_train_whatever_was_before_are_together(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """With `auto` each origin builds on the one before; networks that series share, and published origins, are apart."""
    arrive("1962-01", milk=milk, other=milk)

    assert sizes(steps_of(database, QUICK)) == [6]
    assert sizes(steps_of(database, QUICK, shard_size=4)) == [2, 2, 2]
    assert sizes(steps_of(database, QUICK, shard_size=1)) == [1] * 6
    assert sizes(steps_of(database, QUICK, policy={})) == [1] * 6
    assert sizes(steps_of(database, SHARED)) == [1] * 6
    assert not always_trains(steps_of(database, SHARED)[0].request)
    take(database, steps_of(database, QUICK)[2], {})
    assert sizes(steps_of(database, QUICK)) == [2, 1, 3]
