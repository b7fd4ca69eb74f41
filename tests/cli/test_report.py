"""Tests of milkrun report: the page of a run."""

import json
from pathlib import Path

from tests.cli.conftest import Milkrun


def test_report_writes_the_page_where_asked(milkrun_after_runs: Milkrun) -> None:
    """The folder is named by the run unless another is given; the address is printed, or given as JSON."""
    assert milkrun_after_runs("report").out == "report-16/index.html\n"
    outcome = json.loads(milkrun_after_runs("report", "--run", "3", "--out", "page", "--json").out)

    assert outcome == {"page": str(Path("page/index.html").resolve())}
    assert "<title>Milkrun: run 3</title>" in Path("page/index.html").read_text()
