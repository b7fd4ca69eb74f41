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


def test_report_follows_no_links_of_a_prepared_folder(milkrun_after_runs: Milkrun, tmp_path: Path) -> None:
    """Files that a link leads to stay as they are, a folder that is a link is refused, and foreign files do no harm."""
    milkrun_after_runs("report", "--out", "page")
    victim = tmp_path / "victim"
    victim.write_text("mine")
    for name in ("index.html", "data/table.js", "plotly.min.js.unfinished"):
        Path("page", name).unlink(missing_ok=True)
        Path("page", name).symlink_to(victim)
    Path("page/data/series-abc.js").touch()

    assert milkrun_after_runs("report", "--out", "page").code == 0
    assert victim.read_text() == "mine"
    assert "<title>" in Path("page/index.html").read_text()

    Path("page/data").rename("elsewhere")
    Path("page/data").symlink_to(Path("elsewhere").resolve())
    refused = milkrun_after_runs("report", "--out", "page")
    assert (refused.code, "page/data is a link" in refused.err) == (4, True)
