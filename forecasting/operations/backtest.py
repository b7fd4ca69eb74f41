"""Judging recipes on stored data: rolling origins, as a run would have forecast from each; nothing is written.

Values are those known today (vintages = latest), months after an origin are not looked at before the forecast is scored.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.domain.errors import RunRefused
from forecasting.domain.months import Month
from forecasting.domain.panel import BOUNDS, Histories, Panel, Values
from forecasting.domain.policy import Policy, verdict_without_network
from forecasting.domain.recipes import MonthlyRecipe, Recipe
from forecasting.lstm.random import series_seeds
from forecasting.models.method import method_of
from forecasting.models.monthly import forecast as monthly
from forecasting.models.monthly import training as monthly_training
from forecasting.models.types import FitResult, Forecasts
from forecasting.numerics.baselines import naive, seasonal_naive
from forecasting.numerics.statistical import forecast_by
from forecasting.runs.snapshot import observations_from
from forecasting.storage import panels
from forecasting.storage.db.database import Database

BASELINES = ("seasonal_naive", "naive", "base_path")


@dataclass(frozen=True)
class ContestantForecasts:
    """What one contestant said: arrays (origins, series, horizon) in the unit of each series, NaN where it said nothing."""

    values: Values
    bounds: dict[str, Values]


@dataclass(frozen=True)
class Backtest:
    """Forecasts of every contestant and what happened; all arrays (origins, series, horizon), NaN where not known.

    scale: (series,) what MASE and MSIS divide by, from the months up to the first origin.
    """

    names: tuple[str, ...]
    origins: tuple[Month, ...]
    actual: Values
    scale: Values
    told: dict[str, ContestantForecasts]


def run_backtest(
    database: Database,
    recipes: Sequence[Recipe],
    *,
    origins: int,
    refit: int,
    late_months: int,
    series: tuple[str, ...] | None = None,
    models: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
) -> Backtest:
    """Forecast from the last origins that a month follows, by recipes, baselines and models of statsforecast.

    refit: networks are trained at every so many-th origin, and reused between. All recipes must have one horizon. progress: told
    what is being worked on. Raises RunRefused when there are too few months.
    """
    horizon = recipes[0].horizon
    if any(recipe.horizon != horizon for recipe in recipes):
        found = ", ".join(f"{recipe.name}: {recipe.horizon}" for recipe in recipes)
        raise RunRefused(f"Recipes are compared on one horizon, and these have several: {found}.")
    panel = _read(database, series)
    newest = panel.first + (panel.values.shape[1] - 1)
    first = newest + -origins
    if first - panel.first < 12:
        raise RunRefused(
            f"{origins} origins before {newest} leave {max(first - panel.first + 1, 0)} months to learn from; "
            "a backtest needs more than a year: choose fewer origins."
        )
    months = [first + step for step in range(origins)]
    actual = np.stack([_after(panel, origin, horizon) for origin in months])
    told: dict[str, ContestantForecasts] = {}
    for recipe in recipes:
        told[recipe.name] = _told(actual.shape, _by_recipe(recipe, panel, months, refit, late_months, progress))
    told |= {name: _told(actual.shape, _baseline(panel, months, name, horizon)) for name in BASELINES}
    for model in models:
        told[model] = _told(actual.shape, _by_model(model, panel, months, horizon, progress))
    return Backtest(panel.names, tuple(months), actual, _scale(panel.up_to(first)), told)


def _read(database: Database, names: tuple[str, ...] | None) -> Panel:
    with database.reading() as connection:
        known = panels.read_active_series(connection, names)
    month = known.newest_month
    as_of = database.write(lambda connection: panels.newest_loads(connection, known.series_ids, [month])[month])
    with database.reading() as connection:
        return panels.read_panel(connection, known.series_ids, origin=known.newest_month, as_of=as_of)


def _after(panel: Panel, origin: Month, horizon: int) -> Values:
    """Return the months (series, horizon) after an origin, NaN where not observed."""
    start = origin - panel.first + 1
    after = panel.values[:, start : start + horizon]
    return np.pad(after, ((0, 0), (0, horizon - after.shape[1])), constant_values=np.nan)


def _scale(panel: Panel) -> Values:
    change = np.abs(panel.values[:, 12:] - panel.values[:, :-12])
    known = ~np.isnan(change)
    total, count = np.where(known, change, 0.0).sum(axis=1), known.sum(axis=1)
    return np.where((count > 0) & (total > 0), total / np.maximum(count, 1), np.nan)


Said = Iterator[tuple[int, list[int], Forecasts]]  # origin, rows of the panel, their forecasts


def _told(shape: tuple[int, ...], said: Said) -> ContestantForecasts:
    values = np.full(shape, np.nan)
    bounds: dict[str, Values] = {}
    for place, rows, made in said:
        values[place, rows] = made.values
        for name, bound in made.bounds.items():
            bounds.setdefault(name, np.full(shape, np.nan))[place, rows] = bound
    return ContestantForecasts(values, bounds)


def _histories(panel: Panel, origin: Month, recipe: Recipe) -> tuple[list[int], Histories]:
    """Return the rows that have a month at the origin itself, and their histories without gaps."""
    observed = observations_from(panel.up_to(origin), recipe)
    rows = [row for row, one in enumerate(observed.evidence) if one.last_month == origin]
    return rows, observed.histories.select(rows)


def _baseline(panel: Panel, origins: Sequence[Month], name: str, horizon: int) -> Said:
    recipe = MonthlyRecipe(name, horizon=horizon)
    for place, origin in enumerate(origins):
        rows, known = _histories(panel, origin, recipe)
        if name == "base_path":
            yield place, rows, monthly.forecast_without_networks(recipe, known)
        else:
            repeated = (naive if name == "naive" else seasonal_naive)(known.values, known.lengths, horizon=horizon)
            yield place, rows, Forecasts(repeated, (), {})


def _by_model(
    model: str, panel: Panel, origins: Sequence[Month], horizon: int, progress: Callable[[str], None] | None
) -> Said:
    for place, origin in enumerate(origins):
        if progress:
            progress(f"{model}, origin {origin}")
        rows, known = _histories(panel, origin, MonthlyRecipe(model, horizon=horizon))
        made = forecast_by(model, known.values, known.lengths, horizon=horizon)
        yield place, rows, Forecasts(made.values, made.failures, {name: getattr(made, name) for name in BOUNDS})


def _by_recipe(
    recipe: Recipe,
    panel: Panel,
    origins: Sequence[Month],
    refit: int,
    late_months: int,
    progress: Callable[[str], None] | None,
) -> Said:
    policy, method = Policy(late_months=late_months), method_of(recipe)
    fitted: FitResult | None = None
    place_of: dict[str, int] = {}
    for place, origin in enumerate(origins):
        if progress:
            progress(f"{recipe.name}, origin {origin}")
        observed = observations_from(panel.up_to(origin), recipe)
        asked = [
            row
            for row, one in enumerate(observed.evidence)
            if verdict_without_network(one, policy, recipe, origin) is None
        ]
        if place % refit == 0:
            names = [panel.names[row] for row in asked]
            filled = observed.lags[asked] > 0
            fitted = _fit(recipe, names, observed.histories.select(asked), filled) if asked else None
            place_of = {name: row for row, name in enumerate(names)}
        punctual = [row for row, one in enumerate(observed.evidence) if one.last_month == origin]
        known = [
            row
            for row in punctual
            if fitted is not None and row in set(asked) and _speaks(fitted, place_of, panel, row)
        ]
        if fitted is not None and known:
            positions = [place_of.get(panel.names[row], -1) for row in known]
            yield (
                place,
                known,
                method.forecast(recipe, fitted.networks, observed.histories.select(known), positions=positions),
            )
        others = [
            row
            for row in punctual
            if row not in set(known) and observed.evidence[row].observations >= recipe.fallback_needs
        ]
        if others:
            yield place, others, method.forecast_without_networks(recipe, observed.histories.select(others))


def _speaks(fitted: FitResult, place_of: dict[str, int], panel: Panel, row: int) -> bool:
    """Say whether trained networks can be asked about a series."""
    place = place_of.get(panel.names[row])
    return fitted.networks.are_global if place is None else not fitted.diverged_mask[place]


def _fit(recipe: Recipe, names: list[str], histories: Histories, filled: np.ndarray) -> FitResult:
    filled = filled[:, : histories.values.shape[1]]
    if isinstance(recipe, MonthlyRecipe) and recipe.shares(len(names)):
        order = sorted(range(len(names)), key=names.__getitem__)
        fitted = monthly_training.fit_global(recipe, histories.select(order), filled_mask=filled[order])
        names[:] = [names[row] for row in order]
        return fitted
    return method_of(recipe).fit(recipe, histories, series_seeds(recipe.seed, names), filled_mask=filled)
