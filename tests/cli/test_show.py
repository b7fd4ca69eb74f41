"""Tests of milkrun show: how one series stands."""

import json

from tests.cli.conftest import Milkrun


def test_show_prints_a_series_as_text_and_as_json(milkrun_after_runs: Milkrun) -> None:
    """Months, outcome and reason in sentences, then forecast, why it moved, and RMSE; the same as one JSON object."""
    output = milkrun_after_runs("show", "milk").out
    values = json.loads(milkrun_after_runs("show", "milk", "--json").out)

    assert "milk: 168 months from 1962-01 to 1975-12, in pounds per cow." in output
    assert "Run 16, origin 1975-12: forecast, re" in output
    assert "Forecast from 1975-12, in pounds per cow, published 20" in output
    assert "lower_80" not in output
    assert [row["month"] for row in values["forecast"]][:2] == ["1976-01-01", "1976-02-01"]
    assert {row["split"] for row in values["rmse"]} == {"train", "test", "live"}
    assert f"{values['forecast'][0]['forecast']:.2f}" in output
    assert f"\n1976-01: {values['changes'][0]['previous_value']:,.6g} → {values['changes'][0]['value']:,.6g}" in output
    assert "since the run from 1975-11: months observed since" in output
    assert [row["month"][:7] for row in values["changes"]] == [f"1976-{month:02}" for month in range(1, 12)]


def test_show_gives_the_reason_of_a_missing_forecast(milkrun_after_runs: Milkrun) -> None:
    """A held series has its reason in a sentence."""
    output = milkrun_after_runs("show", "whey").out

    assert "Run 16, origin 1975-12: held (late)." in output
    assert "Newest month is 1974-05" in output
