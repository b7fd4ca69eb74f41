"""Tests of milkrun history: forecasts beside what happened."""

import json

import pytest

from tests.cli.conftest import Milkrun


def test_history_stands_beside_what_happened(milkrun_after_runs: Milkrun) -> None:
    """One row per month and origin at the horizon asked for; or the RMSE that each run found."""
    ahead = json.loads(milkrun_after_runs("history", "milk", "--json").out)
    third = json.loads(milkrun_after_runs("history", "milk", "--horizon", "3", "--json").out)
    trend = json.loads(milkrun_after_runs("history", "milk", "--rmse", "--json").out)

    assert [row["month"][:7] for row in ahead] == [
        "1974-10",
        "1974-11",
        "1974-12",
        *(f"1975-{m:02}" for m in range(1, 13)),
    ]
    assert (third[0]["origin"], third[0]["month"]) == ("1974-09-01", "1974-12-01")
    assert all(row["error"] == pytest.approx(row["forecast"] - row["actual"]) for row in ahead)
    assert [row["split"] for row in trend][:3] == ["train", "test", "live"]
    assert "1975-12" in milkrun_after_runs("history", "milk").out
    assert milkrun_after_runs("history", "milk", "--csv").out.startswith("month,forecast,actual,error")
    assert "(no rows)" in milkrun_after_runs("history", "milk", "--kind", "backfill").out
