"""Backtest: recipes are judged on stored data, by rolling origins, as a run would have forecast; nothing is written.

Values are those known today (vintages = latest). Months after an origin are used only to score the forecasts from it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

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
    """Networks that were trained at an origin; positions: by name, the position of each series in them."""

    fit_result: FitResult
    positions: Mapping[str, int]

    def can_forecast(self, name: str) -> bool:
        """Say whether the networks can forecast a series: it has one that did not diverge, or they are global."""
        if name in self.positions:
            return not self.fit_result.diverged_mask[self.positions[name]]
        return self.fit_result.networks.are_global


def run_backtest(
    database: Database,
    recipes: Sequence[Recipe],
    *,
    origin_count: int,
    refit_every: int,
    late_months: int,
    series: tuple[str, ...] | None = None,
    models: Sequence[str] = (),
    progress: Progress | None = None,
) -> Backtest:
    """Forecast from the last origins that a month follows, by recipes, baselines and models of statsforecast.

    refit_every: networks are trained at every so many-th origin, and reused between. late_months: as in `Policy`. series: names,
    None for all active ones. models: names. All recipes must have one horizon. progress: called with what is being worked on.
    Raises RunRefused when there are too few months.
    """
    horizon = recipes[0].horizon
    if any(recipe.horizon != horizon for recipe in recipes):
        horizons = ", ".join(f"{recipe.name}: {recipe.horizon}" for recipe in recipes)
        raise RunRefused(f"Recipes are compared on one horizon, and these have several: {horizons}.")
    panel = _read_panel(database, series)
    newest_month = panel.first + (panel.values.shape[1] - 1)
    first_origin = newest_month - origin_count
    if first_origin - panel.first < 12:
        raise RunRefused(
            f"{origin_count} origins before {newest_month} leave {max(first_origin - panel.first + 1, 0)} months to learn from; "
            "a backtest needs more than a year: choose fewer origins."
        )
    origins = [first_origin + step for step in range(origin_count)]
    actual = np.stack([_actual_after(panel, origin, horizon) for origin in origins])
    by_recipe = partial(_by_recipe, refit_every=refit_every, late_months=late_months, progress=progress)
    contestants = {recipe.name: by_recipe(recipe, panel, origins) for recipe in recipes}
    contestants |= {name: _by_baseline(name, panel, origins, horizon) for name in BASELINES}
    contestants |= {model: _by_model(model, panel, origins, horizon, progress) for model in models}
    forecasts = {name: _collect(actual.shape, by_origin) for name, by_origin in contestants.items()}
    return Backtest(panel.names, tuple(origins), actual, _mase_scale(panel.up_to(first_origin)), forecasts)


def _read_panel(database: Database, names: tuple[str, ...] | None) -> Panel:
    with database.reading() as connection:
        active = panels.read_active_series(connection, names)
    month = active.newest_month
    as_of = database.read(lambda connection: panels.read_newest_loads(connection, active.series_ids, [month])[month])
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
    for from_origin in forecasts_by_origin:
        values[from_origin.origin_number, from_origin.rows] = from_origin.forecasts.values
        for bound_name, bound in from_origin.forecasts.bounds.items():
            bounds.setdefault(bound_name, np.full(shape, np.nan))[from_origin.origin_number, from_origin.rows] = bound
    return ContestantForecasts(values, bounds)


def _punctual_rows(observations: Observations, origin: Month) -> list[int]:
    """Return the rows of the series that have a value at the origin itself."""
    return [row for row, evidence in enumerate(observations.evidence) if evidence.last_month == origin]


def _by_baseline(baseline_name: str, panel: Panel, origins: Sequence[Month], horizon: int) -> Iterator[OriginForecasts]:
    """Forecast by one of BASELINES from each origin."""
    recipe = MonthlyRecipe(baseline_name, horizon=horizon)
    for origin_number, origin in enumerate(origins):
        observations = observations_from(panel.up_to(origin), recipe)
        rows = _punctual_rows(observations, origin)
        histories = observations.histories.select(rows)
        if baseline_name == "base_path":
            forecasts = method_of(recipe).forecast_without_networks(recipe, histories)
        else:
            baseline = naive if baseline_name == "naive" else seasonal_naive
            forecasts = Forecasts(baseline(histories.values, histories.lengths, horizon=horizon), (), {})
        yield OriginForecasts(origin_number, rows, forecasts)


def _by_model(
    model_name: str, panel: Panel, origins: Sequence[Month], horizon: int, progress: Progress | None
) -> Iterator[OriginForecasts]:
    """Forecast by a model of statsforecast from each origin."""
    for origin_number, origin in enumerate(origins):
        if progress:
            progress(f"{model_name}, origin {origin}")
        observations = observations_from(panel.up_to(origin), MonthlyRecipe(model_name, horizon=horizon))
        rows = _punctual_rows(observations, origin)
        histories = observations.histories.select(rows)
        model_forecast = forecast_by(model_name, histories.values, histories.lengths, horizon=horizon)
        bounds = {name: getattr(model_forecast, name) for name in BOUNDS}
        yield OriginForecasts(origin_number, rows, Forecasts(model_forecast.values, model_forecast.failures, bounds))


def _by_recipe(
    recipe: Recipe,
    panel: Panel,
    origins: Sequence[Month],
    refit_every: int,
    late_months: int,
    progress: Progress | None,
) -> Iterator[OriginForecasts]:
    """Forecast by a recipe from each origin: first by networks, then, for the other series, without; see `run_backtest`."""
    policy, method = Policy(late_months=late_months), method_of(recipe)
    fitted_recipe: FittedRecipe | None = None
    for origin_number, origin in enumerate(origins):
        if progress:
            progress(f"{recipe.name}, origin {origin}")
        observations = observations_from(panel.up_to(origin), recipe)
        long_enough_rows = [
            row
            for row, evidence in enumerate(observations.evidence)
            if verdict_without_network(evidence, policy, recipe, origin) is None
        ]
        if origin_number % refit_every == 0:
            fitted_recipe = _fit(recipe, observations, long_enough_rows) if long_enough_rows else None
        punctual_rows = _punctual_rows(observations, origin)
        network_rows = [
            row
            for row in punctual_rows
            if fitted_recipe and row in set(long_enough_rows) and fitted_recipe.can_forecast(panel.names[row])
        ]
        if fitted_recipe is not None and network_rows:
            positions = [fitted_recipe.positions.get(panel.names[row], -1) for row in network_rows]
            networks, histories = fitted_recipe.fit_result.networks, observations.histories.select(network_rows)
            forecasts = method.forecast(recipe, networks, histories, positions=positions)
            yield OriginForecasts(origin_number, network_rows, forecasts)
        other_rows = [row for row in punctual_rows if row not in set(network_rows)]
        minimum = recipe.minimum_fallback_months
        fallback_rows = [row for row in other_rows if observations.evidence[row].observations >= minimum]
        if fallback_rows:
            histories = observations.histories.select(fallback_rows)
            yield OriginForecasts(origin_number, fallback_rows, method.forecast_without_networks(recipe, histories))


def _fit(recipe: Recipe, observations: Observations, rows: list[int]) -> FittedRecipe:
    """Train the networks of a recipe on some rows; global ones learn from series in the order of their names."""
    names = observations.panel.names
    is_global = recipe.network_scope(len(rows)) == NetworkScope.GLOBAL
    rows = sorted(rows, key=names.__getitem__) if is_global else rows
    histories = observations.histories.select(rows)
    filled_mask = observations.lags[rows][:, : histories.values.shape[1]] > 0
    if is_global:
        fit_result = global_method_of(recipe).fit_global(recipe, histories, filled_mask=filled_mask)
    else:
        seeds = series_seeds(recipe.seed, [names[row] for row in rows])
        fit_result = method_of(recipe).fit(recipe, histories, seeds, filled_mask=filled_mask)
    return FittedRecipe(fit_result, {names[row]: position for position, row in enumerate(rows)})
