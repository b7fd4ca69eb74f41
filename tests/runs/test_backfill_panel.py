"""A backfill says what the live runs said, over 50 series of the M3 competition, where its file is at hand."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from forecasting.domain.months import Month
from forecasting.domain.recipes import CLASSIC, Recipe
from forecasting.runs import job
from forecasting.storage.db.database import Database
from tests.runs.test_backfill import SHARED, Arrive, backfill, run, said

FILE = Path(__file__).parents[3] / "shared/data/m3_monthly.parquet"
SERIES = 50
QUICK = dataclasses.replace(CLASSIC, name="quick", epochs=2)


@pytest.fixture(scope="module")
def panel() -> dict[str, list[float | None]]:
    """Give 50 series that end in the month in which most end, the longest ones first, lined up at the ends."""
    if not FILE.exists():
        pytest.skip(f"needs the M3 panel, {FILE.name}, beside the repository")
    found: dict[str, dict[str, list[float]]] = {}
    for name, own in pd.read_parquet(FILE).groupby("unique_id", sort=False):
        found.setdefault(str(own["ds"].iloc[-1]), {})[str(name)] = own["y"].tolist()
    ending = max(found.values(), key=len)
    longest = sorted(ending.items(), key=lambda item: -len(item[1]))[:SERIES]
    assert len(longest) == SERIES
    months = len(longest[0][1])
    return {name: [*[None] * (months - len(own)), *own] for name, own in longest}


@pytest.mark.parametrize(
    ("recipe", "origins"),
    [
        pytest.param(QUICK, 24, id="own", marks=pytest.mark.slow),
        pytest.param(SHARED, 3, id="shared"),
    ],
)
def test_a_backfill_of_50_series_says_what_the_live_runs_said(
    database: Database, arrive: Arrive, panel: dict[str, list[float | None]], recipe: Recipe, origins: int
) -> None:
    """Loads month by month, each revising the month before: forecasts, decisions, outcomes and scores, row by row."""
    months = max(map(len, panel.values()))
    known = months - origins + 1
    arrive("1986-01", **{name: values[:known] for name, values in panel.items()})
    live = [run(database, recipe, shard_size=20)]
    for month in range(known, months):
        first = Month.of(1986, 1) + (month - 1)
        revised = {name: [1.01 * (values[month - 1] or 0.0), values[month]] for name, values in panel.items()}
        arrive(str(first), **revised)
        live.append(run(database, recipe, shard_size=20))

    again = [backfill(database, summary.run.request.origin, recipe, shard_size=20) for summary in live]

    assert [(one.run.request.as_of, one.run.request.vintages) for one in again] == [
        (one.run.request.as_of, "as_of") for one in live
    ]
    for one, other in zip(live, again, strict=True):
        assert said(database, one) == said(database, other)
    assert _decided(live) == {"retrained", "reused"}


def _decided(live: list[job.RunSummary]) -> set[str]:
    return {name for summary in live for name in ("retrained", "reused") if summary.counts[name]}
