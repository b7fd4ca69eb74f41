"""Tests of milkrun explain: why forecasts moved."""

import json

import pytest

from tests.cli.conftest import Milkrun


def test_explain_prints_the_causes_of_a_change(milkrun_after_runs: Milkrun) -> None:
    """Sentences with the parts, the largest first, and a table; the same numbers as JSON add up to the change."""
    output = milkrun_after_runs("explain", "butter", "--month", "1975-06").out
    rows = json.loads(milkrun_after_runs("explain", "butter", "--month", "1975-06", "--json").out)
    newest = json.loads(milkrun_after_runs("explain", "milk", "--json").out)

    assert len(rows) == 8  # runs from 1974-10 to 1975-05, each beside the one before
    assert "months observed since" in output
    assert f"1975-06: {rows[-1]['previous_value']:,.6g} → {rows[-1]['value']:,.6g}" in output
    for row in rows + newest:
        parts = sum(row[part] for part in ("new_months", "revisions", "network", "recipe_change"))
        assert parts == pytest.approx(row["change"], rel=1e-9)
    assert {row["run_id"] for row in newest} == {16}


def test_explain_where_nothing_moved(milkrun_after_runs: Milkrun) -> None:
    """For a month that no two runs forecast there is a sentence; an unknown series and a wrong month are refused."""
    assert "nothing to explain" in milkrun_after_runs("explain", "milk", "--month", "1999-01").out
    assert "There is no series named 'nobody'" in milkrun_after_runs("explain", "nobody").err
    assert "'June' is not a month" in milkrun_after_runs("explain", "milk", "--month", "June").err
