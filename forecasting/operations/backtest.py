"""Backtest: recipes are judged on stored data, by rolling origins, as a run would have forecast; nothing is written.

Values are those known today (vintages = latest). Months after an origin are used only to score the forecasts from it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.domain.errors import RunRefused
from forecasting.domain.months import Month
from forecasting.domain.panel import BOUNDS, Panel, Values
from forecasting.domain.policy import Policy, verdict_without_network
from forecasting.domain.recipes import MonthlyRecipe, Recipe
from forecasting.domain.vocabulary import NetworkScope
from forecasting.lstm.random import series_seeds
from forecasting.models.method import global_method_of, method_of
from forecasting.models.types import FitResult, Forecasts
from forecasting.numerics.accuracy import mean
from forecasting.numerics.baselines import naive, seasonal_naive
from forecasting.numerics.seasonality import SEASON
from forecasting.numerics.statistical import forecast_by
from forecasting.runs.snapshot import Observations, observations_from
from forecasting.storage import panels
from forecasting.storage.db.database import Database

BASELINES = ("seasonal_naive", "naive", "base_path")
Progress = Callable[[str], None]


@dataclass(frozen=True)
class ContestantForecasts:
    """The forecasts of one contestant: (origins, series, horizon) in the unit of each series, NaN where there is none.

    bounds: of the intervals, by their names in BOUNDS; empty for a contestant without intervals.
    """

    values: Values
    bounds: dict[str, Values]


@dataclass(frozen=True)
class Backtest:
    """The forecasts of every contestant, and the actual values: (origins, series, horizon), NaN where not observed.

    scale: (series,) what MASE and MSIS divide by, from the months up to the first origin. forecasts: by contestant.
    """

    names: tuple[str, ...]
    origins: tuple[Month, ...]
    actual: Values
    scale: Values
    forecasts: dict[str, ContestantForecasts]


@dataclass(frozen=True)
class OriginForecasts:
    """Forecasts from one origin; origin_number: from 0 on; rows: of the panel, in the order of the forecasts."""

    origin_number: int
    rows: list[int]
    forecasts: Forecasts


@dataclass(frozen=True)
class FittedRecipe:
    """Networks that were trained at an origin; rows: by name, the row of each series in them."""

    fit_result: FitResult
    rows: Mapping[str, int]

    def can_forecast(self, name: str) -> bool:
        """Say whether the networks can forecast a series: it has one that did not diverge, or they are global."""
        if name in self.rows:
            return not self.fit_result.diverged_mask[self.rows[name]]
        return self.fit_result.networks.are_global


def run_backtest(
    database: Database,
    recipes: Sequence[Recipe],
    *,
    origins: int,
    refit: int,
    late_months: int,
    series: tuple[str, ...] | None = None,
    models: Sequence[str] = (),
    progress: Progress | None = None,
) -> Backtest:
    """Forecast from the last origins that a month follows, by recipes, baselines and models of statsforecast.

    origins: how many. refit: networks are trained at every so many-th origin, and reused between. All recipes must have one
    horizon. progress: called with what is being worked on. Raises RunRefused when there are too few months.
    """
    horizon = recipes[0].horizon
    if any(recipe.horizon != horizon for recipe in recipes):
        horizons = ", ".join(f"{recipe.name}: {recipe.horizon}" for recipe in recipes)
        raise RunRefused(f"Recipes are compared on one horizon, and these have several: {horizons}.")
    panel = _read_panel(database, series)
    newest = panel.first + (panel.values.shape[1] - 1)
    first = newest - origins
    if first - panel.first < 12:
        raise RunRefused(
            f"{origins} origins before {newest} leave {max(first - panel.first + 1, 0)} months to learn from; "
            "a backtest needs more than a year: choose fewer origins."
        )
    months = [first + step for step in range(origins)]
    actual = np.stack([_actual_after(panel, origin, horizon) for origin in months])
    contestants = {recipe.name: _by_recipe(recipe, panel, months, refit, late_months, progress) for recipe in recipes}
    contestants |= {name: _by_baseline(name, panel, months, horizon) for name in BASELINES}
    contestants |= {model: _by_model(model, panel, months, horizon, progress) for model in models}
    forecasts = {name: _collect(actual.shape, by_origin) for name, by_origin in contestants.items()}
    return Backtest(panel.names, tuple(months), actual, _mase_scale(panel.up_to(first)), forecasts)


def _read_panel(database: Database, names: tuple[str, ...] | None) -> Panel:
    with database.reading() as connection:
        active = panels.read_active_series(connection, names)
    month = active.newest_month
    as_of = database.write(lambda connection: panels.read_newest_loads(connection, active.series_ids, [month])[month])
    with database.reading() as connection:
        return panels.read_panel(connection, active.series_ids, origin=month, as_of=as_of)


def _actual_after(panel: Panel, origin: Month, horizon: int) -> Values:
    """Return the values of the months after an origin: (series, horizon), NaN where not observed."""
    start = origin - panel.first + 1
    values = panel.values[:, start : start + horizon]
    return np.pad(values, ((0, 0), (0, horizon - values.shape[1])), constant_values=np.nan)


def _mase_scale(panel: Panel) -> Values:
    """Return the mean absolute change over a year of each series: (series,), NaN where there is none."""
    mean_change = mean(np.abs(panel.values[:, SEASON:] - panel.values[:, :-SEASON]))
    return np.where(mean_change > 0, mean_change, np.nan)


def _collect(shape: tuple[int, ...], forecasts_by_origin: Iterator[OriginForecasts]) -> ContestantForecasts:
    """Put the forecasts of a contestant from every origin into arrays; shape: (origins, series, horizon)."""
    values = np.full(shape, np.nan)
    bounds: dict[str, Values] = {}
    for each in forecasts_by_origin:
        values[each.origin_number, each.rows] = each.forecasts.values
        for bound_name, bound in each.forecasts.bounds.items():
            bounds.setdefault(bound_name, np.full(shape, np.nan))[each.origin_number, each.rows] = bound
    return ContestantForecasts(values, bounds)


def _punctual_rows(observations: Observations, origin: Month) -> list[int]:
    """Return the rows of the series that have a value at the origin itself."""
    return [row for row, evidence in enumerate(observations.evidence) if evidence.last_month == origin]


def _by_baseline(name: str, panel: Panel, origins: Sequence[Month], horizon: int) -> Iterator[OriginForecasts]:
    recipe = MonthlyRecipe(name, horizon=horizon)
    for number, origin in enumerate(origins):
        observations = observations_from(panel.up_to(origin), recipe)
        rows = _punctual_rows(observations, origin)
        histories = observations.histories.select(rows)
        if name == "base_path":
            forecasts = method_of(recipe).forecast_without_networks(recipe, histories)
        else:
            baseline = naive if name == "naive" else seasonal_naive
            forecasts = Forecasts(baseline(histories.values, histories.lengths, horizon=horizon), (), {})
        yield OriginForecasts(number, rows, forecasts)


def _by_model(
    model: str, panel: Panel, origins: Sequence[Month], horizon: int, progress: Progress | None
) -> Iterator[OriginForecasts]:
    for number, origin in enumerate(origins):
        if progress:
            progress(f"{model}, origin {origin}")
        observations = observations_from(panel.up_to(origin), MonthlyRecipe(model, horizon=horizon))
        rows = _punctual_rows(observations, origin)
        histories = observations.histories.select(rows)
        result = forecast_by(model, histories.values, histories.lengths, horizon=horizon)
        bounds = {name: getattr(result, name) for name in BOUNDS}
        yield OriginForecasts(number, rows, Forecasts(result.values, result.failures, bounds))


def _by_recipe(
    recipe: Recipe, panel: Panel, origins: Sequence[Month], refit: int, late_months: int, progress: Progress | None
) -> Iterator[OriginForecasts]:
    policy, method = Policy(late_months=late_months), method_of(recipe)
    fitted_recipe: FittedRecipe | None = None
    for number, origin in enumerate(origins):
        if progress:
            progress(f"{recipe.name}, origin {origin}")
        observations = observations_from(panel.up_to(origin), recipe)
        network_rows = [
            row
            for row, evidence in enumerate(observations.evidence)
            if verdict_without_network(evidence, policy, recipe, origin) is None
        ]
        if number % refit == 0:
            fitted_recipe = _fit(recipe, observations, network_rows) if network_rows else None
        punctual_rows = _punctual_rows(observations, origin)
        by_network = [
            row
            for row in punctual_rows
            if fitted_recipe and row in set(network_rows) and fitted_recipe.can_forecast(panel.names[row])
        ]
        if fitted_recipe is not None and by_network:
            positions = [fitted_recipe.rows.get(panel.names[row], -1) for row in by_network]
            networks, histories = fitted_recipe.fit_result.networks, observations.histories.select(by_network)
            yield OriginForecasts(number, by_network, method.forecast(recipe, networks, histories, positions=positions))
        by_fallback = [
            row
            for row in punctual_rows
            if row not in set(by_network) and observations.evidence[row].observations >= recipe.minimum_fallback_months
        ]
        if by_fallback:
            histories = observations.histories.select(by_fallback)
            yield OriginForecasts(number, by_fallback, method.forecast_without_networks(recipe, histories))


def _fit(recipe: Recipe, observations: Observations, rows: list[int]) -> FittedRecipe:
    """Train the networks of a recipe on some rows; global ones learn from series in the order of their names."""
    names = observations.panel.names
    is_global = recipe.network_scope(len(rows)) == NetworkScope.GLOBAL
    rows = sorted(rows, key=names.__getitem__) if is_global else rows
    histories = observations.histories.select(rows)
    filled_mask = observations.lags[rows][:, : histories.values.shape[1]] > 0
    if is_global:
        result = global_method_of(recipe).fit_global(recipe, histories, filled_mask=filled_mask)
    else:
        seeds = series_seeds(recipe.seed, [names[row] for row in rows])
        result = method_of(recipe).fit(recipe, histories, seeds, filled_mask=filled_mask)
    return FittedRecipe(result, {names[row]: place for place, row in enumerate(rows)})
