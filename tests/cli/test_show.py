"""Tests of milkrun show: how one series stands."""

import json

from tests.cli.conftest import Milkrun


def test_show_tells_how_a_series_stands(milkrun_after_runs: Milkrun) -> None:
    """Months, outcome and reason in sentences, then forecast, why it moved, and RMSE; the same as one JSON object."""
    told = milkrun_after_runs("show", "milk").out
    found = json.loads(milkrun_after_runs("show", "milk", "--json").out)

    assert "milk: 168 months from 1962-01 to 1975-12, in pounds per cow." in told
    assert "Run 16, origin 1975-12: forecast, re" in told
    assert "Forecast from 1975-12, in pounds per cow, published 20" in told
    assert "lower_80" not in told
    assert [row["month"] for row in found["forecast"]][:2] == ["1976-01-01", "1976-02-01"]
    assert {row["split"] for row in found["rmse"]} == {"train", "test", "live"}
    assert f"{found['forecast'][0]['forecast']:.2f}" in told
    assert f"\n1976-01: {found['changes'][0]['previous_value']:,.6g} → {found['changes'][0]['value']:,.6g}" in told
    assert "since the run from 1975-11: months observed since" in told
    assert [row["month"][:7] for row in found["changes"]] == [f"1976-{month:02}" for month in range(1, 12)]


def test_show_says_why_there_is_no_forecast(milkrun_after_runs: Milkrun) -> None:
    """A held series has its reason in a sentence."""
    told = milkrun_after_runs("show", "whey").out

    assert "Run 16, origin 1975-12: held (late)." in told
    assert "Newest month is 1974-05" in told
