"""Tests of milkrun status: the newest run, and with --check the alarm for a month that was not published."""

import json
from collections.abc import Callable
from datetime import date

from sqlalchemy import text

from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult
from forecasting.runs import job
from forecasting.storage.db.database import Database
from tests.cli.conftest import Milkrun

Arrive = Callable[..., LoadResult]


def publish(database: Database, settings: Settings, origin: str | None = None) -> None:
    """Publish a live run of every series."""
    run = job.open_run(database, job.run_parameters(settings, recipe="classic", origin=origin))
    for number in run.request.shard_numbers:
        job.run_shard(database, run, number)
    job.publish_run(database, run)


def test_status_tells_the_month_at_a_glance(milkrun_after_runs: Milkrun) -> None:
    """State, counts, skill and every reason with an example above the table; numbers as JSON."""
    output = milkrun_after_runs("status").out
    newest = json.loads(milkrun_after_runs("status", "--json").out)[0]

    assert output.startswith("1975-12: run 16, recipe classic, published 20")
    assert "7 series: 5 forecast, 1 fallback, 1 held" in output
    assert "1 held, late; one of them: milkrun show whey" in output
    assert f"median {newest['median_skill']:.2f}, better in {newest['better']} of 6" in output
    assert (newest["scored_on"], newest["scored"], newest["coverage_80"]) == ("live", 6, None)


def test_a_month_is_overdue_until_it_is_published(
    milkrun: Milkrun, database: Database, settings: Settings, arrive: Arrive, milk: list[float]
) -> None:
    """Nothing loaded, loaded, within its grace, published, and overdue again when the next month arrives."""
    empty = milkrun("status", "--check")
    arrive("1962-01", milk=milk[:-1])
    loaded, graced = milkrun("status", "--check"), milkrun("status", "--check", "--grace", "1")
    publish(database, settings)
    published = milkrun("status", "--check")
    arrive("1962-01", milk=milk)
    next_month = milkrun("status", "--check")

    assert (empty.code, loaded.code, graced.code, published.code, next_month.code) == (1, 1, 0, 0, 1)
    assert published.out == "1975-11 is published as run 1, 1 series.\n"
    assert next_month.out.startswith("1975-12 has been known for 0.0 h and is not published: milkrun run")
    assert json.loads(milkrun("status", "--check", "--json").out)[0]["state"] == "overdue"


def test_a_month_that_never_arrived_is_overdue_by_the_calendar(
    milkrun: Milkrun, database: Database, settings: Settings, arrive: Arrive, milk: list[float]
) -> None:
    """With --current, a published month is not enough where newer months should have been observed."""
    arrive("1962-01", milk=milk)
    publish(database, settings)

    answer = milkrun("status", "--check", "--current")

    assert answer.code == 1
    assert answer.out.startswith("The newest observation is of 1975-12: ")


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
