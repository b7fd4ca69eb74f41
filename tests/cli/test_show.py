"""Tests of the commands that show what runs have done: report, show, history, plot, status."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from forecasting.cli import main
from forecasting.domain.settings import Settings


@dataclass(frozen=True)
class Outcome:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


Milkrun = Callable[..., Outcome]


@pytest.fixture
def milkrun(
    story: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Milkrun:
    """Give a function that runs `milkrun …` in an empty folder, on the database with a year of runs."""
    monkeypatch.setenv("DATABASE_URL", str(story.database_url))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["milkrun", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        return Outcome(int(end.value.code or 0), printed.out, printed.err)

    return run


def test_status_tells_the_month_at_a_glance(milkrun: Milkrun) -> None:
    """State, counts, skill and every reason with an example above the table; numbers as JSON."""
    told = milkrun("status").out
    newest = json.loads(milkrun("status", "--json").out)[0]

    assert told.startswith("1975-12: run 16, recipe classic, published 20")
    assert "7 series: 5 forecast, 1 fallback, 1 held" in told
    assert "1 held, late; one of them: milkrun show whey" in told
    assert f"median {newest['median_skill']:.2f}, better in {newest['better']} of 6" in told
    assert (newest["scored_on"], newest["scored"], newest["coverage_80"]) == ("live", 6, None)


def test_show_tells_how_a_series_stands(milkrun: Milkrun) -> None:
    """Months, outcome and reason in sentences, then forecast, why it moved, and RMSE; the same as one JSON object."""
    told = milkrun("show", "milk").out
    found = json.loads(milkrun("show", "milk", "--json").out)

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


def test_show_says_why_there_is_no_forecast(milkrun: Milkrun) -> None:
    """A held series has its reason in a sentence."""
    told = milkrun("show", "whey").out

    assert "Run 16, origin 1975-12: held (late)." in told
    assert "Newest month is 1974-05" in told


def test_history_stands_beside_what_happened(milkrun: Milkrun) -> None:
    """One row per month and origin at the horizon asked for; or the RMSE that each run found."""
    ahead = json.loads(milkrun("history", "milk", "--json").out)
    third = json.loads(milkrun("history", "milk", "--horizon", "3", "--json").out)
    trend = json.loads(milkrun("history", "milk", "--rmse", "--json").out)

    assert [row["month"][:7] for row in ahead] == [
        "1974-10",
        "1974-11",
        "1974-12",
        *(f"1975-{m:02}" for m in range(1, 13)),
    ]
    assert (third[0]["origin"], third[0]["month"]) == ("1974-09-01", "1974-12-01")
    assert all(row["error"] == pytest.approx(row["forecast"] - row["actual"]) for row in ahead)
    assert [row["split"] for row in trend][:3] == ["train", "test", "live"]
    assert "1975-12" in milkrun("history", "milk").out
    assert milkrun("history", "milk", "--csv").out.startswith("month,forecast,actual,error")
    assert "(no rows)" in milkrun("history", "milk", "--kind", "backfill").out


def test_plot_draws_into_a_file_and_into_the_terminal(milkrun: Milkrun) -> None:
    """The file as named; in characters where asked for; the lines as JSON, month by month."""
    plain = milkrun("plot", "milk")
    drawn = milkrun("plot", "milk", "--out", "milk.svg", "--terminal")
    lines = json.loads(milkrun("plot", "milk", "--json").out)

    assert plain.out == "milk.png\n"
    assert Path("milk.png").read_bytes().startswith(b"\x89PNG")
    assert Path("milk.svg").read_text().startswith("<?xml")
    assert "milk, pounds per cow:  ─── observed  ··· seasonal naive  ─── forecast" in drawn.out
    assert "1975" in drawn.out
    assert "\x1b" not in drawn.out
    assert (lines["observed"]["1962-01"], min(lines["forecast"]), lines["unit"]) == (
        589,
        "1976-01",
        "pounds per cow",
    )
    assert len(lines["train_predictions"]) + len(lines["test_predictions"]) == 167


def test_report_writes_the_page_where_asked(milkrun: Milkrun) -> None:
    """The folder is named by the run unless another is given; the address is printed, or given as JSON."""
    assert milkrun("report").out == "report-16/index.html\n"
    given = json.loads(milkrun("report", "--run", "3", "--out", "page", "--json").out)

    assert given == {"page": str(Path("page/index.html").resolve())}
    assert "<title>Milkrun: run 3</title>" in Path("page/index.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "buttermilk"), "There is no series named 'buttermilk'"),
        (("history", "buttermilk"), "There is no series named 'buttermilk'"),
        (("history", "buttermilk", "--rmse"), "There is no series named 'buttermilk'"),
        (("plot", "milk", "--out", "milk.gif"), "name it .png or .svg"),
        (("report", "--run", "99"), "There is no run 99"),
        (("history", "milk", "--horizon", "0"), "0 is not in the range"),
    ],
)
def test_a_mistake_is_refused(milkrun: Milkrun, arguments: tuple[str, ...], message: str) -> None:
    """Exit code 4, and what is wrong."""
    outcome = milkrun(*arguments)

    assert (outcome.code, outcome.out) == (4, "")
    assert message in outcome.err


def test_explain_says_why_forecasts_moved(milkrun: Milkrun) -> None:
    """Sentences with the parts, the largest first, and a table; the same numbers as JSON add up to the change."""
    told = milkrun("explain", "butter", "--month", "1975-06").out
    found = json.loads(milkrun("explain", "butter", "--month", "1975-06", "--json").out)
    newest = json.loads(milkrun("explain", "milk", "--json").out)

    assert len(found) == 8  # runs from 1974-10 to 1975-05, each beside the one before
    assert "months observed since" in told
    assert f"1975-06: {found[-1]['previous_value']:,.6g} → {found[-1]['value']:,.6g}" in told
    for row in found + newest:
        parts = sum(row[part] for part in ("new_months", "revisions", "network", "recipe_change"))
        assert parts == pytest.approx(row["change"], rel=1e-9)
    assert {row["run_id"] for row in newest} == {16}


def test_explain_where_nothing_moved(milkrun: Milkrun) -> None:
    """A month that no two runs forecast is said to be so; an unknown series and a wrong month are refused."""
    assert "nothing to explain" in milkrun("explain", "milk", "--month", "1999-01").out
    assert "There is no series named 'nobody'" in milkrun("explain", "nobody").err
    assert "'June' is not a month" in milkrun("explain", "milk", "--month", "June").err
