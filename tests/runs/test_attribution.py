"""Tests of the change ledger: why forecasts moved, on a real database and with real networks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC, ClassicRecipe, Recipe
from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult
from forecasting.runs import job
from forecasting.storage.db.database import Database, open_database
from tests.runs.test_global_models import SHARED as QUICK
from tests.runs.test_global_models import some_series

Arrive = Callable[..., LoadResult]
PARTS = ("new_months", "revisions", "network", "recipe_change")
OTHER = ClassicRecipe(name="other", units=(5,), epochs=20)


def run(database: Database, *, recipe: Recipe = CLASSIC, **policy: Any) -> job.RunSummary:
    """Take all steps of a run, as the flows do."""
    opened = job.open_run(database, job.RunParameters(recipe=recipe, policy=Policy(**policy)))
    job.prepare_global_networks(database, opened)
    for number in opened.request.shard_numbers:
        job.run_shard(database, opened, number)
    return job.publish_run(database, opened)


def moved(database: Database, run_id: int) -> Sequence[Any]:
    """Return the rows of forecast_change of a run, once their parts are seen to add up."""
    with database.reading() as connection:
        rows = connection.execute(
            text("SELECT * FROM milkrun.forecast_change WHERE run_id = :id ORDER BY series, month"), {"id": run_id}
        ).all()
    for row in rows:
        if row.reason is None:
            assert sum(getattr(row, part) for part in PARTS) == pytest.approx(row.change, rel=1e-9)
    return rows


def only(part: str, rows: Sequence[Any]) -> bool:
    """Say whether that part is the whole change of every row, and some row changed."""
    return all(
        row.reason is None and getattr(row, part) == row.change and sum(getattr(row, name) != 0 for name in PARTS) <= 1
        for row in rows
    ) and any(row.change for row in rows)


@pytest.fixture
def first(database: Database, arrive: Arrive, milk: list[float]) -> job.RunSummary:
    """Publish a first run of a series up to 1974-12."""
    arrive("1962-01", milk=milk[:156])
    return run(database)


@pytest.mark.usefixtures("first")
def test_new_months_alone(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """A month arrives and the network is used again: the eleven months that both forecast moved by that month alone."""
    arrive("1975-01", milk=milk[156:157])

    rows = moved(database, run(database, retrain="never").run.run_id)

    assert [f"{row.month:%Y-%m}" for row in rows] == [f"1975-{month:02d}" for month in range(2, 13)]
    assert only("new_months", rows)


@pytest.mark.usefixtures("first")
def test_revisions_alone(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """The last month is corrected and nothing else arrives: the revision is the whole change."""
    arrive("1974-12", milk=[milk[155] + 40])

    rows = moved(database, run(database, retrain="never").run.run_id)

    assert len(rows) == 12
    assert only("revisions", rows)


@pytest.mark.usefixtures("first")
def test_another_network_alone(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """From the same months, by a network that was trained with one month more: the network is the whole change."""
    arrive("1975-01", milk=milk[156:157])
    run(database, retrain="never")

    rows = moved(database, run(database, retrain="always").run.run_id)

    assert len(rows) == 12
    assert only("network", rows)


def test_a_network_instead_of_the_fallback_is_another_network(database: Database, arrive: Arrive) -> None:
    """A constant series had the seasonal naive, which a new month leaves as it is; its first network is the whole change."""
    recipe = ClassicRecipe(name="sees all", scaler_sees="all", epochs=5)
    arrive("1962-01", milk=[5.0] * 156)
    assert run(database, recipe=recipe).counts["fallback"] == 1
    arrive("1975-01", milk=[6.0])

    summary = run(database, recipe=recipe)

    assert summary.counts["forecast"] == 1
    assert only("network", moved(database, summary.run.run_id))


@pytest.mark.usefixtures("first")
def test_another_recipe_alone(database: Database) -> None:
    """The same months by another recipe, for the first time: the recipe is the whole change."""
    rows = moved(database, run(database, recipe=OTHER).run.run_id)

    assert only("recipe_change", rows)
    assert {(row.recipe, row.previous_recipe) for row in rows} == {("other", "classic")}


def test_recipes_side_by_side_are_compared_with_themselves(
    database: Database, arrive: Arrive, milk: list[float], first: job.RunSummary
) -> None:
    """Where a recipe has an earlier run of its own, it is compared with that, not with the other's newer one."""
    run(database, recipe=OTHER)
    arrive("1975-01", milk=milk[156:157])
    rows = moved(database, run(database, retrain="never").run.run_id)

    assert {row.previous_run_id for row in rows} == {first.run.run_id}
    assert only("new_months", rows)


@pytest.mark.usefixtures("first")
def test_everything_at_once_adds_up(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """A revision, a new month and a new network: three parts, none of them empty, that add up."""
    arrive("1974-12", milk=[milk[155] + 40, milk[156]])

    rows = moved(database, run(database, retrain="always").run.run_id)

    assert len(rows) == 11
    assert all(row.new_months and row.revisions and row.network and not row.recipe_change for row in rows)


@pytest.mark.usefixtures("first")
def test_a_revision_and_a_new_month_with_the_old_network(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Used again, the network moves by the revision and by the month; the network itself costs nothing."""
    arrive("1974-12", milk=[milk[155] + 40, milk[156]])

    rows = moved(database, run(database, retrain="never").run.run_id)

    assert all(row.new_months and row.revisions and row.network == row.recipe_change == 0 for row in rows)


@pytest.mark.parametrize("shared_from", [4, 1_000], ids=["shared", "own"])
@pytest.mark.parametrize("retrain", ["never", "always"])
def test_networks_of_the_recipe_monthly(database: Database, arrive: Arrive, retrain: str, shared_from: int) -> None:
    """Five series, one revised, by shared networks or by their own: parts add up, and stand where they belong."""
    recipe = replace(QUICK, shared_from=shared_from)
    arrive("1970-01", **{name: values[:80] for name, values in some_series().items()})
    run(database, recipe=recipe)
    arrive("1976-08", b=[some_series()["b"][79] * 1.2])
    arrive("1976-09", **{name: values[80:81] for name, values in some_series().items()})

    rows = moved(database, run(database, recipe=recipe, retrain=retrain).run.run_id)

    assert len(rows) == 10
    assert {row.reason for row in rows} == {None}
    assert {row.series for row in rows if row.revisions} == {"b"}
    assert all(row.new_months for row in rows)
    assert any(row.network for row in rows) == (retrain == "always")


def test_a_damaged_network_is_said_instead_of_parts(
    database: Database, arrive: Arrive, milk: list[float], first: job.RunSummary
) -> None:
    """Where the network before cannot be read, the change is there, its parts are empty and the reason says why."""
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE milkrun.bundle SET payload = '\\x00'"))
    arrive("1975-01", milk=milk[156:157])

    rows = moved(database, run(database).run.run_id)

    assert {(row.reason, *(getattr(row, part) for part in PARTS)) for row in rows} == {("bundle_damaged", *[None] * 4)}
    assert {row.previous_run_id for row in rows} == {first.run.run_id}


@pytest.mark.usefixtures("first")
def test_a_forecast_that_does_not_repeat_is_not_explained(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """A stored forecast that its network does not give again has no parts: something else had moved it."""
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE milkrun.forecast SET value = value + 0.001"))
    arrive("1975-01", milk=milk[156:157])

    rows = moved(database, run(database, retrain="always").run.run_id)

    assert {row.reason for row in rows} == {"not_repeated"}


def test_every_change_of_a_year_adds_up(story: Settings) -> None:
    """Sixteen runs of eight series, with fallbacks and retraining: every row has parts that add up.

    The revision of the story moves nothing: networks that look one month back do not see it.
    """
    with open_database(story) as opened:
        rows = [row for run_id in range(1, 17) for row in moved(opened, run_id)]

    assert len(rows) > 500
    assert all(row.reason is None for row in rows)
    assert not any(row.revisions for row in rows)
    assert any(row.network for row in rows)
    assert not any(row.recipe_change for row in rows)


@pytest.mark.usefixtures("first")
def test_live_rmse_against_first_and_latest_values(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """A revision of an answered month adds a score by its latest value beside that by the first; older rows stay."""
    arrive("1975-01", milk=milk[156:157])
    run(database, retrain="never")
    before = scores(database)
    arrive("1975-01", milk=[milk[156] + 30, milk[157]])

    run(database, retrain="never")

    after = scores(database)
    error = made(database) - milk[156]
    assert [row[:2] for row in before] == [(pytest.approx(abs(error)), pytest.approx(abs(error)))]
    assert after[: len(before)] == before
    newest = after[-1]
    assert newest[2] == 2
    second = made(database, run_id=2) - milk[157]
    assert newest[0] == pytest.approx((((error - 30) ** 2 + second**2) / 2) ** 0.5)
    assert newest[1] == pytest.approx(((error**2 + second**2) / 2) ** 0.5)
    with database.reading() as connection:
        stored = connection.execute(text("SELECT rmse_first FROM milkrun.rmse_history WHERE run_id = 2")).scalars()
        assert set(stored) == {None}


def scores(database: Database) -> list[Any]:
    """Return live RMSE one month ahead by latest and by first values, and the months scored, the oldest run first."""
    query = "SELECT rmse, rmse_first, n FROM milkrun.rmse_trend WHERE split = 'live' AND horizon = 1 ORDER BY run_id"
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def made(database: Database, *, run_id: int = 1) -> float:
    """Return what a run forecast one month ahead."""
    with database.reading() as connection:
        query = text("SELECT value FROM milkrun.forecast WHERE horizon = 1 AND run_id = :id")
        return float(connection.scalar(query, {"id": run_id}) or 0)
