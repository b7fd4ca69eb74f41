"""Tests of backfills: nothing learned later is seen, and the numbers are those that live runs gave or would have given."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC, MonthlyRecipe, Recipe
from forecasting.intake.loads import LoadResult
from forecasting.runs import job
from forecasting.storage import panels
from forecasting.storage import vintages as knowledge
from forecasting.storage.db.database import Database

Arrive = Callable[..., LoadResult]
Rows = dict[str, list[Any]]

QUICK = dataclasses.replace(CLASSIC, name="quick", epochs=3)
OWN = MonthlyRecipe(
    name="own",
    horizon=3,
    windows=(24, 36),
    emphasis=(0.5, 0.0),
    judges=1,
    units=4,
    updates=10,
    batch_size=16,
    own_epochs=2,
    own_members=1,
)
SHARED = dataclasses.replace(OWN, name="shared", shared_from=1)

# Everything that a run says, but for its number, its kind and its times.
SAID = {
    "forecast": "series_id, horizon, month, value, seasonal_naive, base_path, lower_80, upper_80, lower_95, upper_95",
    "rmse_history": "series_id, split, horizon, n, rmse, baseline_rmse, naive_rmse, base_path_rmse, skill, "
    "coverage_80, coverage_95",
    "run_series": "series_id, origin, decision, decision_reason, outcome, reason, detail, method, bundle_id, last_value",
    "filled_month": "series_id, month, value, rule",
    "run_network": "decision, reason, detail, bundle_id",
}


def run(database: Database, recipe: Recipe = QUICK, **asked: Any) -> job.RunSummary:
    """Take all steps of a run, as the flows do."""
    policy = Policy(**asked.pop("policy", {}))
    opened = job.open_run(database, job.RunParameters(**{"recipe": recipe, "policy": policy, **asked}))
    job.prepare_global_networks(database, opened)
    for number in opened.request.shard_numbers:
        job.run_shard(database, opened, number)
    return job.publish_run(database, opened)


def backfill(database: Database, origin: Month, recipe: Recipe = QUICK, **asked: Any) -> job.RunSummary:
    """Take all steps of the run of one past origin."""
    return run(database, recipe, kind="backfill", origin=origin, **asked)


def read(database: Database, query: str) -> Sequence[Any]:
    """Read rows."""
    with database.reading() as connection:
        return connection.execute(text(query)).all()


def said(database: Database, summary: job.RunSummary) -> Rows:
    """Return all that a run says, as text, to the last bit."""
    return {
        table: [
            str(tuple(row))
            for row in read(
                database,
                f"SELECT {columns} FROM milkrun.{table} WHERE run_id = {summary.run.run_id} ORDER BY {columns}",
            )
        ]
        for table, columns in SAID.items()
    }


@pytest.mark.parametrize("recipe", [QUICK, OWN, SHARED], ids=lambda recipe: recipe.name)
def test_a_backfill_of_24_origins_says_what_the_live_runs_said(
    database: Database, arrive: Arrive, milk: list[float], recipe: Recipe
) -> None:
    """Loads month by month with a revision on the way: forecasts, decisions, outcomes and scores, row by row."""
    arrive("1962-01", milk=milk[:144])
    live = [run(database, recipe)]
    for month in range(1, 24):
        arrive("1973-11", milk=[milk[142] + month, milk[143], *milk[144 : 144 + month]])
        live.append(run(database, recipe))

    again = [backfill(database, summary.run.request.origin, recipe) for summary in live]

    assert [(one.run.request.as_of, one.run.request.vintages) for one in again] == [
        (one.run.request.as_of, "as_of") for one in live
    ]
    assert {one.run.request.kind for one in again} == {"backfill"}
    for one, other in zip(live, again, strict=True):
        assert said(database, one) == said(database, other)
    assert {one.counts["retrained"] for one in live} == {0, 1}


def test_any_origin_alone_is_backfilled_as_its_live_run(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """In the middle of the live runs: the network that was reused then is reused, and nothing else is built on."""
    arrive("1962-01", milk=milk[:156])
    live = [run(database)]
    for month in range(3):
        arrive(str(Month.of(1975, 1) + month), milk=milk[156 + month : 157 + month])
        live.append(run(database))

    again = backfill(database, live[2].run.request.origin)

    assert again.counts["reused"] == 1
    assert said(database, live[2]) == said(database, again)


def _vintages(arrive: Arrive, milk: list[float]) -> None:
    arrive("1962-01", milk=milk[:150], other=[value * 2 for value in milk[:150]])
    arrive("1974-07", milk=milk[150:152], other=[value * 2 for value in milk[150:152]])


def _poison(database: Database, arrive: Arrive) -> None:
    """Add what nobody knew at the origin: absurd months before and after it, a later network, another recipe."""
    arrive("1974-01", milk=[1e6] * 10, other=[1e6] * 10)
    run(database)
    run(database, dataclasses.replace(QUICK, name="later", seed=9))


@pytest.mark.parametrize("recipe", [QUICK, SHARED], ids=lambda recipe: recipe.name)
def test_what_was_learned_later_changes_no_byte(
    database: Database, arrive: Arrive, milk: list[float], recipe: Recipe
) -> None:
    """The canary: one origin before and after later revisions, networks and a recipe arrived; by a new attempt."""
    _vintages(arrive, milk)
    before = said(database, backfill(database, Month.of(1974, 6), recipe))
    _poison(database, arrive)

    after = backfill(database, Month.of(1974, 6), recipe, attempt=2)

    assert (after.run.request.as_of, after.run.request.vintages, after.published_now) == (1, "as_of", True)
    assert said(database, after) == before
    assert len(before["forecast"]) == 2 * recipe.horizon


def test_without_the_filter_the_canary_dies(
    database: Database, arrive: Arrive, milk: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the newest load instead of that of the origin, the absurd months show: the canary can fail."""
    _vintages(arrive, milk)
    before = said(database, backfill(database, Month.of(1974, 6)))
    _poison(database, arrive)
    monkeypatch.setattr(knowledge, "_loads_before_later_months", panels.read_newest_loads)

    after = backfill(database, Month.of(1974, 6), attempt=2)

    assert said(database, after)["forecast"] != before["forecast"]


def test_history_in_one_load_is_called_so(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Only its newest month has a vintage of its own; the others say `latest`, and neither builds on the other."""
    arrive("1962-01", milk=milk)

    found = [backfill(database, Month.of(1975, month)) for month in (10, 11, 12)]

    assert [one.run.request.vintages for one in found] == ["latest", "latest", "as_of"]
    assert [one.counts["retrained"] for one in found] == [1, 0, 1]


def test_a_series_that_was_not_there_is_not_forecast(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """A backfill of all series has those that a live run would have had; asked for alone, a later one says `latest`."""
    arrive("1962-01", milk=milk[:150])
    arrive("1974-07", milk=milk[150:151])
    arrive("1962-01", young=milk[:151])

    whole = backfill(database, Month.of(1974, 6))
    alone = backfill(database, Month.of(1974, 6), series=("young",))

    assert (len(whole.run.request.series_ids), whole.run.request.as_of, whole.run.request.vintages) == (1, 1, "as_of")
    assert (alone.run.request.as_of, alone.run.request.vintages, alone.counts["forecast"]) == (3, "latest", 1)


def test_a_backfill_changes_no_later_live_run(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Live runs go on with the networks and scores of live runs."""
    arrive("1962-01", milk=milk[:156])
    first = run(database)
    backfill(database, first.run.request.origin, policy={"retrain": "always"})
    arrive("1975-01", milk=milk[156:157])

    second = run(database)

    assert (second.counts["reused"], second.counts["retrained"]) == (1, 0)
    assert read(database, "SELECT n FROM milkrun.latest_rmse WHERE split = 'live'")[0].n == 1
