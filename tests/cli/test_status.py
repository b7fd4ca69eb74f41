"""Tests of milkrun status --check: the alarm for a month that was not published."""

import json
from collections.abc import Callable
from datetime import date

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from forecasting.cli import milkrun
from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult
from forecasting.runs import job
from forecasting.storage.db.database import Database

Arrive = Callable[..., LoadResult]
Check = Callable[..., tuple[int, str]]


@pytest.fixture
def check(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Give a function that runs `milkrun status --check …` and returns its exit code and its state or words."""
    monkeypatch.setenv("DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("MILKRUN_HOME", str(settings.home))

    def call(*options: str) -> tuple[int, str]:
        answer = CliRunner().invoke(milkrun, ["status", "--check", *options], standalone_mode=False)
        assert answer.exception is None, answer.output
        return answer.return_value, answer.output

    return call


def publish(database: Database, settings: Settings, origin: str | None = None) -> None:
    """Publish a live run of every series."""
    run = job.open_run(database, job.run_parameters(settings, recipe="classic", origin=origin))
    for number in run.request.shard_numbers:
        job.run_shard(database, run, number)
    job.publish_run(database, run)


def test_a_month_is_overdue_until_it_is_published(
    check: Check, database: Database, settings: Settings, arrive: Arrive, milk: list[float]
) -> None:
    """Nothing loaded, loaded, within its grace, published, and overdue again when the next month arrives."""
    empty = check()
    arrive("1962-01", milk=milk[:-1])
    loaded, graced = check(), check("--grace", "1")
    publish(database, settings)
    published = check()
    arrive("1962-01", milk=milk)
    next_month = check()

    assert (empty[0], loaded[0], graced[0], published[0], next_month[0]) == (1, 1, 0, 0, 1)
    assert published[1] == "1975-11 is published as run 1, 1 series.\n"
    assert next_month[1].startswith("1975-12 has been known for 0.0 h and is not published: milkrun run")
    assert json.loads(check("--json")[1])[0]["state"] == "overdue"


def test_a_month_that_never_arrived_is_overdue_by_the_calendar(
    check: Check, database: Database, settings: Settings, arrive: Arrive, milk: list[float]
) -> None:
    """With --current, a published month is not enough where newer months should have been observed."""
    arrive("1962-01", milk=milk)
    publish(database, settings)

    code, words = check("--current")

    assert code == 1
    assert words.startswith("The newest observation is of 1975-12: ")


def test_month_health_shows_the_months_in_between(
    database: Database, settings: Settings, arrive: Arrive, milk: list[float]
) -> None:
    """A month that was skipped stays visible; a run of some series only does not count as its publication."""
    arrive("1962-01", milk=milk[:-2])
    publish(database, settings)
    arrive("1962-01", milk=milk[:-1])
    some = job.open_run(database, job.run_parameters(settings, recipe="classic", series=["milk"]))
    job.run_shard(database, some, 0)
    job.publish_run(database, some)
    arrive("1962-01", milk=milk)
    publish(database, settings)

    with database.reading() as connection:
        rows = connection.execute(
            text("SELECT month, published, newest FROM milkrun.month_health ORDER BY month")
        ).all()

    assert [tuple(row) for row in rows] == [
        (date(1975, 10, 1), True, False),
        (date(1975, 11, 1), False, False),
        (date(1975, 12, 1), True, True),
    ]
