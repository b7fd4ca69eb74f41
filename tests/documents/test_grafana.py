"""Tests of the Grafana dashboard: each of its queries runs and finds what its panel shows."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from forecasting.domain.settings import Settings
from forecasting.storage.db.database import open_database
from forecasting.storage.views.sql import run_query

DASHBOARD = json.loads((Path(__file__).parents[2] / "deploy" / "grafana" / "milkrun.json").read_text())


def queries() -> Iterator[tuple[str, str, str]]:
    """Give name, form and text of every query, as Grafana would send it for the series milk and the 1970s."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["format"], _as_sent(target["rawSql"])
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], "table", variable["query"]


def _as_sent(query: str) -> str:
    query = query.replace("${series:sqlstring}", "'milk'")
    return re.sub(r"\$__timeFilter\((\w+)\)", r"\1 BETWEEN '1970-01-01T00:00:00Z' AND '1979-12-31T00:00:00Z'", query)


@pytest.mark.parametrize(("name", "form", "query"), list(queries()), ids=[name for name, *_ in queries()])
def test_every_query_of_the_dashboard_finds_rows(story: Settings, name: str, form: str, query: str) -> None:
    """No macro or variable is left unknown; time series come with a column `time`, in order, and a number."""
    assert "$" not in query
    with open_database(story) as database, run_query(database, query) as (columns, rows):
        found = [dict(zip(columns, row, strict=True)) for row in rows]

    assert found
    if form == "time_series":
        times = [row["time"] for row in found]
        assert all(isinstance(moment, datetime) for moment in times)
        assert times == sorted(times)
        assert any(isinstance(value, float) for value in found[0].values())


def test_every_panel_asks_the_database_that_is_chosen_above() -> None:
    """No data source of some other installation is written down, and panels have titles and do not overlap."""
    sources = {target["datasource"]["uid"] for panel in DASHBOARD["panels"] for target in panel["targets"]}
    cells: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        taken = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert panel["title"]
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        cells |= taken

    assert sources == {"${database}"}
