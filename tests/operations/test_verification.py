"""Published forecasts are computed again, to the last bit, from what is stored; whatever was changed since is named."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from forecasting.cli import milkrun
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC, Recipe
from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult
from forecasting.operations.verification import replay_run
from forecasting.runs import job
from forecasting.runs.backfill import plan_backfill
from forecasting.storage.db.database import Database, open_database
from tests.runs.test_global_models import OWN, SHARED, some_series

Arrive = Callable[..., LoadResult]
Verify = Callable[..., tuple[int, dict[str, Any]]]


def publish(database: Database, recipe: Recipe, *, shard_size: int = 1000, **policy: Any) -> None:
    """Take all steps of a run, as the flows do."""
    run = job.open_run(database, job.RunParameters(recipe=recipe, policy=Policy(**policy), shard_size=shard_size))
    job.prepare_global_networks(database, run)
    for number in run.request.shard_numbers:
        job.run_shard(database, run, number)
    job.publish_run(database, run)


def execute(database: Database, statement: str) -> None:
    """Do what no writer may: change what is stored."""
    database.write(lambda connection: connection.execute(text(statement)))


@pytest.fixture
def verify(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Verify:
    """Give a function that runs `milkrun verify --json …` and returns its exit code and what it says."""
    monkeypatch.setenv("DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("MILKRUN_HOME", str(settings.home))

    def call(*options: str) -> tuple[int, dict[str, Any]]:
        answer = CliRunner().invoke(milkrun, ["verify", "--json", *options], standalone_mode=False)
        assert answer.exception is None, answer.output
        return answer.return_value, json.loads(answer.output)

    return call


def a_year(database: Database, arrive: Arrive, recipe: Recipe) -> None:
    """Publish a run and, after each of eleven months that arrive, another; the networks are trained in the first only."""
    series = some_series(96)
    arrive("1970-01", **{name: values[:84] for name, values in series.items()})
    publish(database, recipe)
    for month in range(84, 95):
        arrive(str(Month.of(1970, 1) + month), **{name: values[month : month + 1] for name, values in series.items()})
        publish(database, recipe, retrain="never")


def test_every_run_of_a_year_is_repeated_exactly(story: Settings) -> None:
    """Retrained, reused, fallen back, held and refused; with a revision that came later: not one bit differs."""
    with open_database(story) as database:
        for run_id in range(1, 17):
            found = replay_run(database, job.read_run(database, run_id))

            assert found.largest is not None
            assert (found.compared_count, found.mismatches, found.largest.absolute) == (found.forecasts, 0, 0.0)
            assert found.forecasts >= 60
            assert not found.failures


@pytest.mark.parametrize("recipe", [CLASSIC, OWN, SHARED], ids=["classic", "own", "shared"])
def test_intervals_that_live_errors_widen_are_repeated_exactly(
    database: Database, arrive: Arrive, recipe: Recipe
) -> None:
    """After a year, the live errors of that time count again as they counted then."""
    a_year(database, arrive, recipe)

    found = replay_run(database, job.read_run(database, 12))

    assert found.largest is not None
    assert (found.compared_count, found.largest.absolute) == (5 * recipe.horizon, 0.0)
    assert (found.intervals_open, found.later_runs, found.failures) == (0, [], {})


def test_the_newest_run_is_verified_by_default(
    verify: Verify, database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """The exit code is 0, and the largest difference 0.0 is that of a named series and month."""
    arrive("1962-01", milk=milk)
    publish(database, CLASSIC)

    code, said = verify()

    assert (code, said["run_id"], said["forecasts"], said["compared"], said["mismatches"]) == (0, 1, 12, 12, 0)
    assert said["largest_difference"]["absolute"] == said["largest_difference"]["relative"] == 0.0
    assert said["largest_difference"]["series"] == "milk"


def test_a_changed_number_is_found_and_named(verify: Verify, database: Database, arrive: Arrive) -> None:
    """One number of one row, by a millionth of it: series, month and column are said, and the exit code is 2."""
    a_year(database, arrive, OWN)
    chosen = "WHERE run_id = 12 AND horizon = 2 AND series_id = (SELECT series_id FROM milkrun.series WHERE name = 'c')"
    execute(database, f"CREATE TABLE public.kept AS SELECT * FROM milkrun.forecast {chosen}")
    for column in ("value", "upper_80", "base_path", "seasonal_naive"):
        execute(database, f"UPDATE milkrun.forecast SET {column} = {column} * 1.000001 {chosen}")

        code, said = verify()

        assert (code, said["mismatches"], len(said["differences"])) == (2, 1, 1)
        found = said["differences"][0]
        assert (found["series"], found["month"], found["number"]) == ("c", "1978-01", column)
        assert found["absolute"] == pytest.approx(1e-6 * found["computed"], rel=1e-3)
        assert verify("--tolerance", "1e-5")[0] == 0
        execute(database, f"UPDATE milkrun.forecast SET {column} = (SELECT {column} FROM public.kept) {chosen}")
    assert verify()[0] == 0


def test_a_row_that_was_removed_and_one_that_was_moved_are_named(
    verify: Verify, database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """A forecast that is gone, and one of another month than its horizon says, have nothing stored where they belong."""
    arrive("1962-01", milk=milk)
    publish(database, CLASSIC)
    execute(database, "DELETE FROM milkrun.forecast WHERE horizon = 3")
    execute(database, "UPDATE milkrun.forecast SET month = '1999-01-01' WHERE horizon = 5")

    code, said = verify()

    assert (code, said["forecasts"], said["mismatches"]) == (2, 12, 2)
    assert {(one["month"], one["stored"]) for one in said["differences"]} == {("1976-03", None), ("1976-05", None)}


def test_a_damaged_bundle_is_named_and_the_others_are_compared(
    verify: Verify, database: Database, arrive: Arrive
) -> None:
    """Where the networks cannot be read nothing is compared, and why is said; the other shard is replayed."""
    arrive("1970-01", **some_series())
    publish(database, CLASSIC, shard_size=3)
    execute(database, """UPDATE milkrun.bundle SET payload = set_byte(payload, 5, get_byte(payload, 5) # 1)
        WHERE bundle_id = (SELECT bundle_id FROM milkrun.run_series WHERE series_id = 1)""")  # fmt: skip

    code, said = verify()

    assert (code, said["forecasts"], said["compared"], said["mismatches"]) == (2, 60, 24, 0)
    [lost] = said["not_replayed"]
    assert "checksum" in lost["reason"]
    assert lost["series"] == ["a", "b", "c"]


def test_an_older_run_published_later_leaves_intervals_open(verify: Verify, database: Database, arrive: Arrive) -> None:
    """Forecasts that count in the live errors now but were not there then: values are compared, bounds are not called wrong."""
    series = some_series(88)
    arrive("1970-01", **{name: values[:84] for name, values in series.items()})
    early = job.open_run(database, job.RunParameters(recipe=OWN, policy=Policy()))
    for month in range(84, 88):
        arrive(str(Month.of(1970, 1) + month), **{name: values[month : month + 1] for name, values in series.items()})
        publish(database, OWN, retrain="auto" if month == 84 else "never")
    job.run_shard(database, early, 0)
    job.publish_run(database, early)

    code, said = verify("--run", "4")

    assert (code, said["mismatches"], said["compared"]) == (0, 0, 15)
    assert 0 < said["intervals_not_compared"] <= 15
    execute(database, "UPDATE milkrun.forecast SET value = (lower_80 + value) / 2 WHERE run_id = 4")
    assert verify("--run", "4")[1]["mismatches"] == 15


def test_intervals_of_origins_that_were_taken_together_are_compared(
    verify: Verify, database: Database, arrive: Arrive
) -> None:
    """The runs of a group are opened at one moment; each counts those before it, and so does its replay."""
    arrive("1970-01", **some_series(96))
    asked = job.RunParameters(recipe=OWN, policy=Policy(retrain="always"))
    steps = plan_backfill(database, asked, Month.of(1977, 1), Month.of(1977, 4), "none")
    job.run_jointly(database, [step.request for step in steps])
    for number in range(1, 5):
        assert verify("--run", str(number))[1]["intervals_not_compared"] == 0
    execute(database, "UPDATE milkrun.forecast SET upper_80 = upper_80 * 1.000001 WHERE run_id = 4 AND horizon = 2")

    code, said = verify("--run", "4")

    assert (code, said["mismatches"], said["intervals_not_compared"]) == (2, 5, 0)


def test_a_run_that_is_not_published_cannot_be_verified(
    settings: Settings, database: Database, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what to do first."""
    monkeypatch.setenv("DATABASE_URL", str(settings.database_url))
    arrive("1962-01", milk=[float(month) for month in range(60)])
    job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy()))

    answer = CliRunner().invoke(milkrun, ["verify", "--run", "1"], standalone_mode=False)

    assert "Run 1 is not published: milkrun run goes on with it" in str(answer.exception)
