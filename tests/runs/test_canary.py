"""The canary: what was learned after an origin is there when a backfill runs into an empty schema, and changes no byte."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection

from forecasting.domain.months import Month
from forecasting.domain.panel import Panel
from forecasting.domain.recipes import Recipe
from forecasting.runs import snapshot
from forecasting.storage import bundles, panels, runs, vintages
from forecasting.storage.db.database import Database
from tests.runs.test_backfill import OWN, QUICK, SHARED, Arrive, Rows, backfill, run, said

ORIGIN = Month.of(1974, 6)


def known_at_the_origin(arrive: Arrive, milk: list[float]) -> None:
    """Load what was known then, and the months that came next."""
    arrive("1962-01", milk=milk[:149], other=[value * 2 for value in milk[:149]])
    arrive("1974-05", milk=[milk[148] + 3, milk[149]], other=[value * 2 for value in milk[148:150]])
    arrive("1974-07", milk=milk[150:152], other=[value * 2 for value in milk[150:152]])


def poisoned(database: Database, arrive: Arrive, milk: list[float], recipe: Recipe) -> Rows:
    """Load the same and what nobody knew then: absurd months before and after the origin, networks, another recipe."""
    known_at_the_origin(arrive, milk)
    run(database, recipe)
    arrive("1974-01", milk=[1e6] * 9, other=[1e6] * 9)
    run(database, recipe, policy={"retrain": "always"})
    run(database, SHARED if recipe is QUICK else QUICK)
    backfill(database, ORIGIN + 1, recipe)
    return said(database, backfill(database, ORIGIN, recipe))


def clean(database: Database, arrive: Arrive, milk: list[float], recipe: Recipe) -> Rows:
    """Backfill the origin from what was known then, and the months that came next."""
    known_at_the_origin(arrive, milk)
    found = backfill(database, ORIGIN, recipe)
    assert (found.run.request.as_of, found.run.request.vintages) == (2, "as_of")
    return said(database, found)


@pytest.mark.parametrize("recipe", [QUICK, OWN, SHARED], ids=lambda recipe: recipe.name)
def test_an_empty_schema_with_all_that_came_later_says_the_same(
    database: Database,
    elsewhere: Database,
    arrive: Arrive,
    arrive_elsewhere: Arrive,
    milk: list[float],
    recipe: Recipe,
) -> None:
    """Forecasts, scores, decisions, networks and their names, to the last byte."""
    before = clean(database, arrive, milk, recipe)

    after = poisoned(elsewhere, arrive_elsewhere, milk, recipe)

    assert after == before
    assert len(before["forecast"]) == 2 * recipe.horizon


def _every_load(connection: Connection, series_ids: Sequence[int], *, origin: Month, as_of: int) -> Panel:
    return panels.read_panel(connection, series_ids, origin=origin, as_of=as_of + 1_000)


def _newest_loads(*asked: Any) -> dict[Month, int]:
    return panels.read_newest_loads(*asked)


def _of_any_month(run: Any) -> dict[str, Any]:
    return {**runs.built_on_parameters(run), "origin": Month.of(2100, 1).first_day, "as_of": 1_000}


@pytest.mark.parametrize(
    ("module", "name", "instead", "differing"),
    [
        pytest.param(snapshot, "read_panel", _every_load, "forecast", id="loads"),
        pytest.param(vintages, "_loads_before_later_months", _newest_loads, "forecast", id="load of the origin"),
        pytest.param(bundles, "built_on_parameters", _of_any_month, "run_series", id="networks"),
    ],
)
def test_without_a_filter_the_canary_dies(
    database: Database,
    elsewhere: Database,
    arrive: Arrive,
    arrive_elsewhere: Arrive,
    milk: list[float],
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    instead: Any,
    differing: str,
) -> None:
    """With one filter taken away, what came later shows in the rows: the canary can fail."""
    before = clean(database, arrive, milk, QUICK)
    monkeypatch.setattr(module, name, instead)

    after = poisoned(elsewhere, arrive_elsewhere, milk, QUICK)

    assert after[differing] != before[differing]
