"""Tests of judging recipes on stored data."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text

from forecasting.domain.errors import RunRefused
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC, ClassicRecipe
from forecasting.domain.settings import Settings
from forecasting.domain.vocabulary import Kind
from forecasting.intake.loads import LoadResult
from forecasting.numerics.comparison import compare, measures
from forecasting.operations.backtest import run_backtest
from forecasting.runs import job
from forecasting.storage.db.database import Database

Arrive = Callable[..., LoadResult]
QUICK = ClassicRecipe(name="quick", epochs=2, horizon=3)


def test_a_backtest_says_what_a_backfill_publishes(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """The same origins, trained once: the forecasts of the backfill to the last bit, and nothing in the tables."""
    arrive("1962-01", milk=milk, other=[value * 2 for value in milk])
    found = run_backtest(database, [QUICK], origin_count=3, refit_every=12, late_months=3)
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM milkrun.run")) == 0

    for month in (9, 10, 11):
        opened = job.open_run(
            database, job.RunParameters(recipe=QUICK, policy=Policy(), kind=Kind.BACKFILL, origin=Month.of(1975, month))
        )
        job.run_shard(database, opened, 0)
        job.publish_run(database, opened)
    with database.reading() as connection:
        stored = connection.execute(
            text("SELECT value FROM milkrun.forecast_history ORDER BY run_id, series, horizon")
        ).scalars()
        assert found.forecasts["quick"].values.ravel().tolist() == list(stored)
    assert [str(origin) for origin in found.origins] == ["1975-09", "1975-10", "1975-11"]
    assert found.forecasts["seasonal_naive"].values[0, 0].tolist() == milk[153:156]
    assert found.actual[0, 0].tolist() == milk[165:168]
    assert np.isnan(found.actual[2, 0, 1:]).all()


def test_months_after_an_origin_change_no_forecast(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Absurd values in the newest months leave the forecasts from before as they are."""
    arrive("1962-01", milk=[*milk[:-1], 1e6])
    tampered = run_backtest(database, [QUICK], origin_count=2, refit_every=1, late_months=3)
    arrive("1975-12", milk=milk[-1:])
    honest = run_backtest(database, [QUICK], origin_count=2, refit_every=1, late_months=3)

    for name in honest.forecasts:
        assert honest.forecasts[name].values.tolist() == tampered.forecasts[name].values.tolist()
    assert honest.actual.tolist() != tampered.actual.tolist()


def test_what_cannot_be_judged_is_refused(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """No data, too few months, recipes of different horizons: each with the remedy."""
    with pytest.raises(RunRefused, match="milkrun load"):
        run_backtest(database, [QUICK], origin_count=2, refit_every=1, late_months=3)
    arrive("1962-01", milk=milk[:24])
    with pytest.raises(RunRefused, match="choose fewer origins"):
        run_backtest(database, [QUICK], origin_count=20, refit_every=1, late_months=3)
    with pytest.raises(RunRefused, match=r"quick: 3, classic: 12"):
        run_backtest(database, [QUICK, CLASSIC], origin_count=2, refit_every=1, late_months=3)


def test_measures_are_those_of_plain_arithmetic() -> None:
    """Two origins, one series, two horizons, one month unknown."""
    actual = np.array([[[10.0, 12.0]], [[12.0, np.nan]]])
    values = np.array([[[11.0, 10.0]], [[15.0, 1.0]]])
    baseline = np.array([[[10.0, 10.0]], [[10.0, 10.0]]])
    bounds = {"lower_95": values - 4, "lower_80": values - 1, "upper_80": values + 1, "upper_95": values + 4}

    found = measures(values, bounds, actual, np.array([2.0]), baseline)

    errors = np.array([1.0, -2.0, 3.0])
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean(errors**2)))
    assert [found["mae"], found["mase"], found["bias"]] == pytest.approx([2.0, 1.0, 2 / 3])
    assert [found["coverage_80"], found["coverage_95"]] == pytest.approx([1 / 3, 1.0])
    assert found["msis"] == 4.0
    assert found["skill"] == pytest.approx(1 - np.sqrt(14 / 8))
    assert found["smape"] == pytest.approx(200 / 3 * (1 / 21 + 2 / 22 + 3 / 27))


def test_a_difference_is_told_with_its_chance() -> None:
    """Twelve series of which one contestant is better on all: p is 2 / 2**12; against itself it is 1."""
    draw = np.random.default_rng(0)
    actual = draw.normal(size=(3, 12, 2))
    close, far = actual + 0.1, actual + 1 + draw.uniform(0, 0.1, actual.shape)

    found = compare(close, far, actual, np.ones(12))

    assert (found.pairs, found.better) == (12, 1.0)
    assert found.p == pytest.approx(2 / 2**12)
    assert compare(close, close, actual, np.ones(12)).p == 1.0


def test_the_command_prints_compares_and_saves(
    settings: Settings, arrive: Arrive, milk: list[float], tmp_path: Path
) -> None:
    """A table and the paired test for people, JSON for programs, every forecast in a file."""
    arrive("1962-01", milk=milk)
    (settings.home / "recipes").mkdir()
    (settings.home / "recipes" / "quick.toml").write_text('base = "classic"\nepochs = 2\n')
    environment = {**os.environ, "DATABASE_URL": str(settings.database_url), "MILKRUN_HOME": str(settings.home)}

    def milkrun(*arguments: str) -> str:
        command = [sys.executable, "-c", "from forecasting.cli import main; main()", "backtest", "--recipe", "quick"]
        done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    out = tmp_path / "forecasts.csv"
    table = milkrun("--origins", "2", "--horizon", "2", "--out", str(out))
    rows = json.loads(milkrun("--origins", "2", "--horizon", "2", "--json"))

    assert "quick beside seasonal_naive: better in" in table
    assert {(row["horizon"], row["contestant"]) for row in rows} == {
        (part, name) for part in ("all", "1", "2") for name in ("quick", "seasonal_naive", "naive", "base_path")
    }
    saved = pd.read_csv(out)
    assert len(saved) == 4 * 2 * 2
    [naive] = saved[(saved.contestant == "naive") & (saved.origin == "1975-11") & (saved.horizon == 1)].forecast
    assert naive == milk[-2]
