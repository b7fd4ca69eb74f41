"""Tests of milkrun plot: the chart of one series."""

import json
from pathlib import Path

from forecasting.cli.plot import chart_file_name
from tests.cli.conftest import Milkrun


def test_plot_draws_into_a_file_and_into_the_terminal(milkrun_after_runs: Milkrun) -> None:
    """The file as named; in characters where asked for; the lines as JSON, month by month."""
    without_terminal = milkrun_after_runs("plot", "milk")
    with_terminal = milkrun_after_runs("plot", "milk", "--out", "milk.svg", "--terminal")
    lines = json.loads(milkrun_after_runs("plot", "milk", "--json").out)

    assert without_terminal.out == "milk.png\n"
    assert Path("milk.png").read_bytes().startswith(b"\x89PNG")
    assert Path("milk.svg").read_text().startswith("<?xml")
    assert "milk, pounds per cow:  ─── observed  ··· seasonal naive  ─── forecast" in with_terminal.out
    assert "1975" in with_terminal.out
    assert "\x1b" not in with_terminal.out
    assert (lines["observed"]["1962-01"], min(lines["forecast"]), lines["unit"]) == (
        589,
        "1976-01",
        "pounds per cow",
    )
    assert len(lines["train_predictions"]) + len(lines["test_predictions"]) == 167


def test_any_name_of_a_series_makes_a_file_of_its_own(tmp_path: Path) -> None:
    """Dots, slashes, 200 characters; and names that would look alike."""
    names = ["..", ".", "/", "a/b", "a b", "a_b", "ä" * 200, "ä" * 199, "-", "milk"]

    files = [tmp_path / chart_file_name(name) for name in names]
    for file in files:
        file.touch()

    assert len(set(files)) == len(names)
    assert all(file.parent == tmp_path and not file.name.startswith(".") for file in files)
    assert [chart_file_name(name) for name in ("a_b", "milk")] == ["a_b.png", "milk.png"]
