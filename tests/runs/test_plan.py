"""Tests of what a plan tells: who would be challenged, and how long it takes."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from forecasting.cli import main
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC
from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult
from forecasting.runs import job
from forecasting.runs.backfill import plan_backfill
from forecasting.storage.db.database import Database
from forecasting.storage.views.runs import estimate_seconds
from tests.domain.test_evidence import run
from tests.runs.test_champion_challenger import QUICK, seasonal

Arrive = Callable[..., LoadResult]


def lasted(database: Database, run_id: int, seconds: float) -> None:
    """Let a run have taken so long."""
    with database.engine.begin() as connection:
        query = "UPDATE milkrun.run SET started_at = published_at - make_interval(secs => :seconds) WHERE run_id = :id"
        connection.execute(text(query), {"id": run_id, "seconds": seconds})


def test_a_plan_estimates_its_time_from_earlier_runs(database: Database, arrive: Arrive) -> None:
    """Two seconds a series that is trained, half a second one that is not; nothing is said before a run could tell."""
    values = seasonal(98)
    arrive("1990-01", **dict.fromkeys("abcd", values[:96]))
    asked = job.RunParameters(recipe=QUICK, policy=Policy())
    assert job.plan_run(database, asked).seconds is None
    first = run(database, QUICK)
    lasted(database, first.run.run_id, 10.0)
    arrive("1998-01", **dict.fromkeys("abcd", values[96:97]))
    second = run(database, QUICK)
    lasted(database, second.run.run_id, 2.0)
    arrive("1998-02", **dict.fromkeys("abcd", values[97:98]))

    assert job.plan_run(database, asked).seconds == pytest.approx(2.0)
    always = job.RunParameters(recipe=QUICK, policy=Policy(retrain="always"))
    assert job.plan_run(database, always).seconds == pytest.approx(10.0)
    with database.reading() as connection:
        assert estimate_seconds(connection, QUICK.hash, series_count=100, retrained_count=10) == pytest.approx(50 + 20)
        assert estimate_seconds(connection, CLASSIC.hash, series_count=1, retrained_count=1) is None


def test_origins_that_were_taken_together_tell_nothing_of_one_alone(database: Database, arrive: Arrive) -> None:
    """Their networks were trained with those of others: no time is estimated from them."""
    arrive("1990-01", **dict.fromkeys("abcd", seasonal(98)))
    asked = job.RunParameters(recipe=QUICK, policy=Policy(retrain="always"))
    steps = plan_backfill(database, asked, Month.of(1997, 10), Month.of(1997, 12), "none")
    job.run_jointly(database, [step.request for step in steps])
    assert job.plan_run(database, asked).seconds is None

    alone = run(database, QUICK)
    lasted(database, alone.run.run_id, 10.0)

    assert job.plan_run(
        database, job.RunParameters(recipe=QUICK, policy=Policy(retrain="always"))
    ).seconds == pytest.approx(10.0)


def test_a_plan_tells_who_will_be_challenged(
    database: Database,
    settings: Settings,
    arrive: Arrive,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An old network will be challenged, a series without one will not; counted and, on request, series by series."""
    values = seasonal(109)
    arrive("1990-01", old=values[:96])
    run(database, CLASSIC)
    arrive("1998-01", old=values[96:108])
    arrive("1990-01", new=values[:108])
    monkeypatch.setenv("DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("MILKRUN_RECIPE", "classic")

    def plan(*options: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["milkrun", "plan", "--json", *options])
        with pytest.raises(SystemExit):
            main()
        return json.loads(capsys.readouterr().out)

    told = {(row["decision"], row["reason"]): (row["challenge"], row["series"]) for row in plan()}
    assert told == {("retrain", "age"): (True, 1), ("retrain", "no_network"): (False, 1)}
    assert {row["series"]: row["challenge"] for row in plan("--every-series")} == {"old": True, "new": False}
    assert plan()[0]["seconds"] > 0
