"""Tests of the monthly flow and of the backfill, on Prefect's engine and a real database."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from flows.backfill import backfill_forecasts
from flows.monthly import monthly_forecast
from flows.progress import listener
from forecasting.domain.errors import InputError, RecipeError, StatementRefused
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC
from forecasting.intake.loads import LoadResult
from forecasting.runs import job
from forecasting.runs.job import RunPlan, RunSummary
from forecasting.storage.db.database import Database

pytestmark = pytest.mark.usefixtures("environment")
Arrive = Callable[..., LoadResult]


def read(database: Database, query: str) -> Sequence[Any]:
    """Read rows."""
    with database.reading() as connection:
        return connection.execute(text(query)).all()


def test_the_flow_publishes_the_newest_month_once(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """A run is published with its flow run on record; a second flow run finds it and adds nothing."""
    arrive("1962-01", milk=milk)
    seen: list[tuple[int, int]] = []
    token = listener.set(lambda done, total: seen.append((done, total)))

    first, second = monthly_forecast(), monthly_forecast()

    listener.reset(token)
    assert isinstance(first, RunSummary)
    assert isinstance(second, RunSummary)
    assert (str(first.run.request.origin), first.published_now, second.published_now) == ("1975-12", True, False)
    assert seen[-1] == (1, 1)
    [run] = read(database, "SELECT * FROM milkrun.run")
    assert (run.state, run.trigger) == ("published", "command line")
    assert len(run.prefect_flow_run_id) == 36


def test_shards_worked_on_at_once_give_the_bits_of_one_after_the_other(
    database: Database, arrive: Arrive, milk: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A panel larger than a shard is cut; each shard is written once, what is done adds up, and the numbers are the same."""
    monkeypatch.setenv("MILKRUN_SHARD_SIZE", "2")
    arrive("1962-01", **{f"series {number}": [value + number for value in milk] for number in range(9)})
    seen: list[tuple[int, int]] = []
    token = listener.set(lambda done, total: seen.append((done, total)))

    at_once = monthly_forecast()

    listener.reset(token)
    assert isinstance(at_once, RunSummary)
    assert at_once.counts["forecast"] == 9
    assert read(database, "SELECT shard FROM milkrun.run_shard ORDER BY shard") == [(0,), (1,), (2,), (3,), (4,)]
    assert seen == sorted(seen)
    assert seen[-1] == (9, 9)
    alone = job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy(retrain="always"), shard_size=9))
    assert job.run_shard(database, alone, 0)
    for table, columns in (("forecast", "series_id, horizon, value"), ("rmse_history", "series_id, split, rmse")):
        rows = [
            read(database, f"SELECT {columns} FROM milkrun.{table} WHERE run_id = {which.run_id} ORDER BY 1, 2")
            for which in (at_once.run, alone)
        ]
        assert rows[0] == rows[1] != []


def test_a_shard_that_fails_ends_the_run_and_the_next_one_goes_on(
    database: Database, arrive: Arrive, milk: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its error is raised, most of the shards behind it are not begun, nothing is published; repeated, the rest is done."""
    monkeypatch.setenv("MILKRUN_SHARD_SIZE", "1")
    arrive("1962-01", **{f"series {number}": milk for number in range(12)})
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE milkrun.run_series ADD CONSTRAINT poison CHECK (series_id <> 1)"))

    with pytest.raises(StatementRefused, match="constraint poison"):
        monthly_forecast()

    written = read(database, "SELECT shard FROM milkrun.run_shard")
    assert len(written) < 6
    assert (0,) not in written
    assert read(database, "SELECT state FROM milkrun.run") == [("open",)]
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE milkrun.run_series DROP CONSTRAINT poison"))
    again = monthly_forecast()
    assert isinstance(again, RunSummary)
    assert (again.published_now, again.counts["forecast"]) == (True, 12)


def test_a_dry_run_only_plans(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """The decisions come back; no run is stored."""
    arrive("1962-01", milk=milk)

    plan = monthly_forecast(origin="1974-12", dry_run=True)

    assert isinstance(plan, RunPlan)
    assert [verdict.decision_reason for verdict in plan.verdicts] == ["no_network"]
    assert read(database, "SELECT * FROM milkrun.run") == []


def test_wrong_parameters_are_refused_before_anything_is_done(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """Months, recipes and choices are checked first; the error says what is right."""
    arrive("1962-01", milk=milk)

    with pytest.raises(InputError, match="YYYY-MM"):
        monthly_forecast(origin="last month")
    with pytest.raises(RecipeError, match="there are: classic"):
        monthly_forecast(recipe="best")
    with pytest.raises(Exception, match=r"'auto', 'always' or 'never'"):
        monthly_forecast(retrain="sometimes")  # type: ignore[call-overload]
    assert read(database, "SELECT * FROM milkrun.run") == []


def test_a_backfill_walks_through_its_origins_and_leaves_live_runs_alone(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """Oldest first, ends included, reusing its own networks; the latest forecast stays that of the live run."""
    arrive("1962-01", milk=milk)
    live = monthly_forecast()
    before = read(database, "SELECT * FROM milkrun.latest_forecast ORDER BY horizon")

    summaries = backfill_forecasts("1975-01", "1975-03")

    assert isinstance(live, RunSummary)
    assert [str(summary.run.request.origin) for summary in summaries] == ["1975-01", "1975-02", "1975-03"]
    assert [summary.counts["retrained"] for summary in summaries] == [1, 0, 0]
    assert before == read(database, "SELECT * FROM milkrun.latest_forecast ORDER BY horizon")
    assert {("backfill", "latest")} == {
        (row.kind, row.vintages)
        for row in read(database, f"SELECT * FROM milkrun.run WHERE run_id > {live.run.run_id}")
    }
    assert [summary.published_now for summary in backfill_forecasts("1975-01", "1975-03")] == [False] * 3


def test_a_backfill_that_retrains_trains_its_origins_together(
    database: Database, arrive: Arrive, milk: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """One program for all of them, on record; the networks are those of origins that were run one by one."""
    arrive("1962-01", milk=milk)
    alone = [backfill_forecasts(month, month, retrain="always")[0] for month in ("1975-01", "1975-02")]

    with caplog.at_level("INFO", logger="flows"):
        together = backfill_forecasts("1975-01", "1975-02", retrain="always", reprocess="completed")

    assert [line for line in caplog.messages if "one program" in line] == [
        "Origins 1975-01 to 1975-02: their networks are trained as one program."
    ]
    assert [(summary.run.request.attempt, summary.counts["retrained"]) for summary in together] == [(2, 1), (2, 1)]
    bundles = read(database, "SELECT run_id, bundle_id FROM milkrun.run_series ORDER BY run_id")
    assert [row.run_id for row in bundles] == [summary.run.run_id for summary in (*alone, *together)]
    assert [row.bundle_id for row in bundles[:2]] == [row.bundle_id for row in bundles[2:]]


def test_a_planned_backfill_is_only_said(
    database: Database, arrive: Arrive, milk: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """A dry run logs the load and the vintages of each origin, and what is published; nothing is stored."""
    arrive("1962-01", milk=milk)
    backfill_forecasts("1975-01", "1975-01")

    with caplog.at_level("INFO", logger="flows"):
        assert backfill_forecasts("1975-01", "1975-02", dry_run=True) == []

    assert [line for line in caplog.messages if line.startswith("Origin")] == [
        "Origin 1975-01, 1 of 2: load 1 (latest), 1 series, published as run 1.",
        "Origin 1975-02, 2 of 2: load 1 (latest), 1 series, to run.",
    ]
    assert len(read(database, "SELECT FROM milkrun.run")) == 1


def test_a_backfill_that_ends_before_it_starts_is_refused(database: Database) -> None:
    """The two months are named."""
    with pytest.raises(InputError, match="ends at 1975-01, before it starts at 1975-03"):
        backfill_forecasts("1975-03", "1975-01")
