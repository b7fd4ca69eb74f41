"""Tests of the benchmark of accuracy: a tiny panel through every mode, by real networks and a real run."""

import importlib.resources
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import skill
from benchmarks.panels import many, read_milk, read_panel

SERIES, MONTHS, HORIZON = 5, 60, 3
MILK = Path(str(importlib.resources.files("forecasting.examples").joinpath("milk.csv")))
QUICK = [
    f"--set={name}={value}"
    for name, value in {
        "shared_from": 4, "windows": "[24]", "emphasis": "[0.5]", "judges": 1, "units": 4, "updates": 5, "batch_size": 16,
        "own_epochs": 2, "own_members": 1,
    }.items()
]  # fmt: skip


@pytest.fixture
def panel(tmp_path: Path) -> Path:
    """Write a panel of noisy seasons as the benchmark reads it."""
    draw, months = np.random.default_rng(3), np.arange(MONTHS)
    frames = []
    for row in range(SERIES):
        values = 100 * (row + 1) * (1 + np.sin(months * np.pi / 6) / 5 + draw.normal(0, 0.03, MONTHS))
        split = np.where(months < MONTHS - HORIZON, "train", "test")
        ds = pd.date_range("2015-01-01", periods=MONTHS, freq="MS")
        frames.append(pd.DataFrame({"unique_id": f"s{row}", "ds": ds, "y": values, "split": split}))
    path = tmp_path / "panel.parquet"
    pd.concat(frames).to_parquet(path)
    return path


def measured(*arguments: str, alone: str) -> dict[str, dict[str, float]]:
    """Measure one contestant in this process."""
    return skill.measure(skill.read_arguments([*arguments, "--horizon", str(HORIZON), *QUICK, "--alone", alone]))


def test_a_recipe_stands_beside_baselines(panel: Path) -> None:
    """An untrained network is the base path nearly; the seasonal naive has no skill over itself."""
    found = {
        name: measured("--data", str(panel), alone=name)[name]
        for name in ("monthly", "naive", "seasonal_naive", "base_path")
    }

    assert found["monthly"]["mase"] == pytest.approx(found["base_path"]["mase"], rel=0.2)
    assert found["seasonal_naive"]["skill"] == 0
    assert found["naive"]["mase"] > found["base_path"]["mase"]
    assert "msis" not in found["naive"]
    assert found["monthly"]["msis"] > 0
    assert 0 <= found["monthly"]["coverage_80"] <= found["monthly"]["coverage_95"] <= 1
    assert min(found["monthly"][cost] for cost in ("wall", "cpu", "peak_mib")) > 0


def test_a_model_of_statsforecast_stands_beside_them(panel: Path) -> None:
    """The real one, where it is installed."""
    pytest.importorskip("statsforecast", reason="statsforecast is not installed: pip install 'milkrun[classic]'")
    found, naive = (measured("--data", str(panel), alone=name)[name] for name in ("AutoETS", "naive"))

    assert found["mase"] < naive["mase"]
    assert found["without_forecast"] == 0


def test_held_out_months_come_from_the_training_part(panel: Path) -> None:
    """The test part is not even read."""
    whole, held_out = (read_panel(panel, HORIZON, held_out=held) for held in (False, True))

    assert whole.histories.lengths.tolist() == [MONTHS - HORIZON] * SERIES
    assert held_out.histories.lengths.tolist() == [MONTHS - 2 * HORIZON] * SERIES
    assert held_out.actual.tolist() == whole.histories.values[:, MONTHS - 2 * HORIZON : MONTHS - HORIZON].tolist()


def test_unseen_series_are_scored_apart_and_against_having_been_seen(panel: Path) -> None:
    """Both train, and both score the same series: with and without them in training."""
    seen, unseen = (measured("--data", str(panel), "--unseen", "0.2", alone=name)[name] for name in ("seen", "unseen"))

    assert seen["mase"] != unseen["mase"]
    assert seen["mase"] == pytest.approx(unseen["mase"], rel=0.2)


def test_a_run_is_measured_through_the_database(panel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Loaded, run by the flow and read by SQL: the scores of the arrays, and the stored baselines'."""
    skill.main(["--data", str(panel), "--horizon", str(HORIZON), "--through-database", *QUICK, "--json"])
    results = json.loads(capsys.readouterr().out)["results"]
    arrays = measured("--data", str(panel), alone="monthly")["monthly"]

    assert set(results) == {"monthly", "naive", "seasonal_naive", "base_path"}
    for name in ("mase", "smape", "coverage_80", "msis"):
        assert results["monthly"][name]["mean"] == pytest.approx(arrays[name], rel=1e-6)
    assert results["monthly"]["run"]["mean"] > 0


def test_the_milk_series_is_forecast_month_by_month() -> None:
    """Fitted once on 112 months; then 54 months from June 1971 on, each from all months before it."""
    task = read_milk(MILK, held_out=False)

    assert task.histories.lengths.tolist() == [112, *range(113, 167)]
    assert str(task.histories.last_months[1]) == "1971-05"
    for name in ("fitted once", "refitted monthly", "base_path"):
        found = skill.measure(skill.read_arguments(["--milk", str(MILK), "--held-out", *QUICK, "--alone", name]))
        assert 0 < found[name]["rmse"] < 24


def test_a_made_up_panel_has_as_many_series_and_months_as_asked_for(panel: Path) -> None:
    """No two alike, all of the asked length, seasons where they were."""
    made = many(read_panel(panel, HORIZON, held_out=False), 12, 84)

    assert made.histories.lengths.tolist() == [84 - HORIZON] * 12
    assert len({tuple(row) for row in made.actual.tolist()}) == 12
    assert np.isfinite(made.histories.values).all()
    assert np.corrcoef(made.histories.values[0, :12], made.histories.values[0, 60:72])[0, 1] > 0.8


def test_the_whole_benchmark_prints_every_contestant(panel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each in a process of its own, with the spread over seeds."""
    skill.main(["--data", str(panel), "--horizon", str(HORIZON), "--seeds", "2", *QUICK, "--json"])
    results = json.loads(capsys.readouterr().out)["results"]

    assert set(results) == {"monthly", "naive", "seasonal_naive", "base_path"}
    assert results["monthly"]["mase"]["low"] < results["monthly"]["mase"]["mean"] < results["monthly"]["mase"]["high"]
