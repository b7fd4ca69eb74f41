"""Tests of runs whose series share networks, and of runs by the recipe monthly, on a real database."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import MonthlyRecipe
from forecasting.domain.vocabulary import Retrain
from forecasting.intake.loads import LoadResult
from forecasting.operations.series_review import review_series
from forecasting.runs import job
from forecasting.storage.db.database import Database

Arrive = Callable[..., LoadResult]

SHARED = MonthlyRecipe(
    name="quick",
    horizon=3,
    windows=(24, 36),
    emphasis=(0.5, 0.0),
    judges=1,
    units=4,
    updates=20,
    batch_size=16,
    own_epochs=3,
    own_members=2,
    shared_from=4,
)
OWN = replace(SHARED, name="quick own", shared_from=1_000)


def run(database: Database, recipe: MonthlyRecipe = SHARED, **asked: Any) -> job.RunSummary:
    """Take all steps of a run, as the flows do."""
    policy = Policy(**asked.pop("policy", {}))
    opened = job.open_run(database, job.RunParameters(**{"recipe": recipe, "policy": policy, **asked}))
    job.prepare_global_networks(database, opened)
    for number in opened.request.shard_numbers:
        job.run_shard(database, opened, number)
    return job.publish_run(database, opened)


def read(database: Database, query: str) -> Sequence[Any]:
    """Read rows."""
    with database.reading() as connection:
        return connection.execute(text(query)).all()


def some_series(months: int = 84) -> dict[str, list[float]]:
    """Make five seasonal series."""
    draw = np.random.default_rng(5)
    month = np.arange(months)
    return {
        name: (100 * (row + 1) * np.exp(np.sin(month * np.pi / 6 + row) / 4 + draw.normal(0, 0.05, months))).tolist()
        for row, name in enumerate(("a", "b", "c", "d", "e"))
    }


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_a_run_gives_forecasts_with_intervals_and_every_baseline(
    database: Database, arrive: Arrive, recipe: MonthlyRecipe
) -> None:
    """Values inside their intervals, base path, naive and seasonal naive beside them; scores of train and test per horizon."""
    arrive("1970-01", **some_series())

    summary = run(database, recipe)

    assert (summary.counts["forecast"], summary.counts["retrained"]) == (5, 5)
    rows = read(database, "SELECT * FROM milkrun.latest_forecast")
    assert len(rows) == 15
    for row in rows:
        assert row.lower_95 <= row.lower_80 <= row.value <= row.upper_80 <= row.upper_95
        assert None not in (row.base_path, row.naive, row.seasonal_naive)
    scores = read(database, "SELECT * FROM milkrun.latest_rmse")
    assert {(row.split, row.horizon, row.n) for row in scores} == {
        (split, horizon, 13 - horizon) for split in ("train", "test") for horizon in (1, 2, 3)
    }
    assert all(None not in (row.baseline_rmse, row.naive_rmse, row.base_path_rmse, row.skill) for row in scores)


def test_shared_networks_are_one_bundle_whatever_the_shards(database: Database, arrive: Arrive) -> None:
    """Trained once, in the order of names: the numbers are the same for any size of shard and any order of loads."""
    series = some_series()
    arrive("1970-01", **series)
    run(database)
    run(database, policy={"retrain": "always"}, shard_size=2)
    for name in reversed(series):
        arrive("1970-01", **{f"{name} again": series[name]})
    names = tuple(f"{name} again" for name in series)
    run(database, series=names)

    forecasts = [
        [
            tuple(row)
            for row in read(
                database,
                f"SELECT left(s.name, 1), horizon, value, lower_80, upper_95 FROM milkrun.forecast "
                f"JOIN milkrun.series s USING (series_id) WHERE run_id = {number} ORDER BY 1, 2",
            )
        ]
        for number in (1, 2, 3)
    ]
    assert forecasts[0] == forecasts[1] == forecasts[2]
    assert read(database, "SELECT count(DISTINCT bundle_id) AS n FROM milkrun.run_series WHERE run_id = 1")[0].n == 1


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_reused_networks_forecast_what_they_forecast_when_they_were_trained(
    database: Database, arrive: Arrive, recipe: MonthlyRecipe
) -> None:
    """Read back from the bundle, with nothing trained, to the last bit."""
    arrive("1970-01", **some_series())
    run(database, recipe)

    reused = run(database, recipe, policy={"retrain": "never"})

    assert (reused.counts["retrained"], reused.counts["reused"]) == (0, 5)
    rows = read(
        database,
        "SELECT count(DISTINCT (value, lower_95, upper_80)) AS n FROM milkrun.forecast GROUP BY series_id, horizon",
    )
    assert {1} == {row.n for row in rows}


def test_a_new_series_is_forecast_by_networks_that_never_saw_it(database: Database, arrive: Arrive) -> None:
    """Cold start: no training, a forecast, and a reason that says so."""
    series = some_series()
    late = series.pop("e")
    arrive("1970-01", **series)
    run(database)
    arrive("1970-01", e=late)

    second = run(database)

    assert (second.counts["forecast"], second.counts["retrained"]) == (5, 0)
    reasons = {
        row.series: row.decision_reason for row in read(database, "SELECT * FROM milkrun.run_outcome WHERE run_id = 2")
    }
    assert reasons == {"a": "young", "b": "young", "c": "young", "d": "young", "e": "cold_start"}


def test_shared_networks_grow_old_together(database: Database, arrive: Arrive) -> None:
    """After twelve months they are retrained, all at once, as the plan says; too few months to compare old and new on."""
    series = some_series(97)
    arrive("1970-01", **{name: values[:84] for name, values in series.items()})
    run(database)
    arrive("1977-01", **{name: values[84:95] for name, values in series.items()})
    young = run(database)
    arrive("1977-12", **{name: values[95:96] for name, values in series.items()})

    plan = job.plan_run(database, job.RunParameters(recipe=SHARED, policy=Policy(challenge_least=90)))
    old = run(database, policy={"challenge_least": 90})

    assert {key: len(names) for key, names in plan.series_by_verdict.items()} == {("retrain", "age"): 5}
    assert (young.counts["reused"], old.counts["retrained"]) == (5, 5)
    decisions = read(database, "SELECT decision, reason FROM milkrun.run_network ORDER BY run_id")
    assert [tuple(row) for row in decisions] == [("retrain", "no_network"), ("reuse", "young"), ("retrain", "age")]


def test_shared_networks_that_became_worse_are_retrained(database: Database, arrive: Arrive) -> None:
    """Three months far from what was forecast: the median ratio of live to test RMSE is in the reason."""
    series = some_series(88)
    arrive("1970-01", **{name: values[:84] for name, values in series.items()})
    run(database)
    for month in range(3):
        arrive(str(Month.of(1977, 1) + month), **{n: [v[84 + month] * 3] for n, v in series.items()})
        last = run(database)

    [network] = read(database, f"SELECT * FROM milkrun.run_network WHERE run_id = {last.run.run_id}")
    assert (network.decision, network.reason) == ("retrain", "live_rmse")
    assert "median of 5 series: worse than 1.5 times" in network.detail


def test_live_misses_widen_intervals(database: Database, arrive: Arrive) -> None:
    """A series whose months fall outside its intervals gets wider ones than the same networks gave it before."""
    series = some_series(86)
    arrive("1970-01", **{name: values[:84] for name, values in series.items()})
    run(database, OWN)
    surprises = {**{name: values[84:85] for name, values in series.items()}, "a": [series["a"][84] * 2]}
    arrive("1977-01", **surprises)
    run(database, OWN)
    plain = _width(database, "a", 2)
    with database.engine.begin() as connection:
        connection.execute(
            text("UPDATE milkrun.forecast SET lower_80 = 0, upper_80 = 1e9, lower_95 = 0, upper_95 = 1e9")
        )
    run(database, OWN, policy={"retrain": "never"})

    assert plain > _width(database, "a", 3) > 0


def _width(database: Database, name: str, run_id: int) -> float:
    [row] = read(
        database,
        f"SELECT upper_80 - lower_80 AS width FROM milkrun.forecast_history "
        f"WHERE series = '{name}' AND horizon = 1 AND run_id = {run_id}",
    )
    return float(row.width)


def test_strange_series_end_in_a_labelled_fallback(database: Database, arrive: Arrive) -> None:
    """Short, constant and intermittent series get the base path with intervals, and the reason; the others go on."""
    draw = np.random.default_rng(2).normal(size=84)
    arrive(
        "1970-01",
        **some_series(),
        constant=[7.0] * 84,
        intermittent=np.where(draw > 0.5, 3.0, 0.0).tolist(),
        negative=(-50 + 10 * draw).tolist(),
        huge=(1e14 * (2 + np.tanh(draw))).tolist(),
        tiny=(1e-200 * (2 + np.tanh(draw))).tolist(),
        short=[None] * 80 + [5.0, 6.0, 5.0, 6.0],
    )

    for recipe in (SHARED, OWN):
        summary = run(database, recipe)
        assert summary.counts["failed"] == 0
        found = {
            row.series: (row.outcome, row.reason, row.method)
            for row in read(database, f"SELECT * FROM milkrun.run_outcome WHERE run_id = {summary.run.run_id}")
        }
        for name, reason in (("constant", "constant"), ("intermittent", "intermittent"), ("short", "short_history")):
            assert found.pop(name) == ("fallback", reason, "base_path")
        assert {end[0] for end in found.values()} == {"forecast"}
    rows = read(database, "SELECT * FROM milkrun.forecast_history WHERE series = 'short'")
    assert len(rows) == 6
    assert all(row.lower_95 < row.value < row.upper_95 for row in rows)


@pytest.mark.parametrize("retrain", ["auto", "never"])
def test_a_damaged_shared_bundle_is_retrained_or_fails_the_series(
    database: Database, arrive: Arrive, retrain: Retrain
) -> None:
    """The reason names the damage; nothing is forecast with it."""
    series = some_series(85)
    arrive("1970-01", **{name: values[:84] for name, values in series.items()})
    run(database)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE milkrun.bundle SET payload = set_byte(payload, 100, 77)"))
    arrive("1977-01", **{name: values[84:] for name, values in series.items()})

    second = run(database, policy={"retrain": retrain})

    assert second.counts["retrained" if retrain == "auto" else "failed"] == 5
    [network] = read(database, f"SELECT * FROM milkrun.run_network WHERE run_id = {second.run.run_id}")
    assert (network.decision, network.reason) == ("retrain" if retrain == "auto" else None, "bundle_damaged")
    assert "checksum" in network.detail


def test_never_retrain_without_shared_networks_refuses_every_series(database: Database, arrive: Arrive) -> None:
    """Each with the reason; nothing is trained."""
    arrive("1970-01", **some_series())

    assert run(database, policy={"retrain": "never"}).counts["refused"] == 5
    assert read(database, "SELECT FROM milkrun.bundle") == []


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_a_chart_shows_what_the_networks_say_of_the_past(
    database: Database, arrive: Arrive, recipe: MonthlyRecipe
) -> None:
    """The held-out year is the test part right after training; later months join it."""
    series = some_series(86)
    arrive("1970-01", **{name: values[:84] for name, values in series.items()})
    run(database, recipe)
    arrive("1977-01", **{name: values[84:] for name, values in series.items()})
    run(database, recipe)

    chart = review_series(database, "c")

    assert chart.train_predictions is not None
    assert chart.test_predictions is not None
    assert chart.test_predictions.first == Month.of(1976, 1)
    assert len(chart.test_predictions.values) == 14
    assert chart.train_predictions.first == Month.of(1971, 7)
