"""Everything that can forecast a task: recipes on arrays or by a real run, statsforecast's models, and baselines."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.panels import Task, to_file
from forecasting.domain.panel import BOUNDS, Histories, Values
from forecasting.domain.recipes import MonthlyRecipe, Recipe
from forecasting.domain.vocabulary import STATISTICAL_MODELS, NetworkScope
from forecasting.lstm.random import series_seeds
from forecasting.models.monthly import forecast as monthly
from forecasting.models.monthly import training as monthly_training
from forecasting.models.types import FitResult
from forecasting.numerics.baselines import naive, seasonal_naive
from forecasting.numerics.statistical import forecast_by

BASELINES = ("naive", "seasonal_naive", "base_path")


@dataclass(frozen=True)
class ContestantForecasts:
    """Forecasts (series, horizon) in the unit of each series, NaN where there is none.

    bounds: by name, where there are intervals. reasons: (series,) why something else than the networks made the forecast, or why
    there is none; empty otherwise. seconds: of parts of the work, by name.
    """

    values: Values
    bounds: dict[str, Values]
    reasons: tuple[str, ...]
    seconds: dict[str, float] = field(default_factory=dict)

    def select(self, rows: np.ndarray) -> "ContestantForecasts":
        """Return the forecasts of some rows."""
        bounds = {name: bound[rows] for name, bound in self.bounds.items()}
        return ContestantForecasts(self.values[rows], bounds, tuple(self.reasons[row] for row in rows), self.seconds)


def by_baseline(name: str, task: Task) -> ContestantForecasts:
    """Forecast by naive, seasonal_naive or base_path; only the last has intervals."""
    histories, horizon = task.histories, task.horizon
    no_reasons = ("",) * len(task.names)
    if name == "base_path":
        forecasts = monthly.forecast_without_networks(MonthlyRecipe("base_path", horizon=horizon), histories)
        return ContestantForecasts(forecasts.values, forecasts.bounds, no_reasons)
    values = (naive if name == "naive" else seasonal_naive)(histories.values, histories.lengths, horizon=horizon)
    return ContestantForecasts(values, {}, no_reasons)


def by_model(name: str, task: Task) -> ContestantForecasts:
    """Forecast by one of statsforecast's models, fitted to every history, on all cores."""
    model = next(model for model in STATISTICAL_MODELS if model == name)
    forecasts = forecast_by(model, task.histories.values, task.histories.lengths, horizon=task.horizon)
    bounds = {bound: getattr(forecasts, bound) for bound in BOUNDS}
    return ContestantForecasts(forecasts.values, bounds, forecasts.failures)


def by_recipe(recipe: MonthlyRecipe, task: Task, *, training_rows: Sequence[int] | None = None) -> ContestantForecasts:
    """Train on the histories at some rows (None: all) and forecast all of them."""
    rows = list(range(len(task.names)) if training_rows is None else training_rows)
    start = time.perf_counter()
    fit_result = fit(recipe, task.histories.select(rows), [task.names[row] for row in rows])
    training_end = time.perf_counter()
    place_of = {row: place for place, row in enumerate(rows)}
    positions = [place_of.get(row, -1) for row in range(len(task.names))]
    forecasts = monthly.forecast(recipe, fit_result.networks, task.histories, positions=positions)
    seconds = {"training": training_end - start, "forecasting": time.perf_counter() - training_end}
    return ContestantForecasts(forecasts.values, forecasts.bounds, forecasts.fallback_reasons, seconds)


def fit(recipe: MonthlyRecipe, histories: Histories, names: Sequence[str]) -> FitResult:
    """Train as a run of these series would."""
    if recipe.network_scope(len(names)) == NetworkScope.GLOBAL:
        return monthly_training.fit_global(recipe, histories)
    return monthly_training.fit(recipe, histories, series_seeds(recipe.seed, names))


def milk_once(recipe: MonthlyRecipe, task: Task) -> ContestantForecasts:
    """Fit on the first history alone, and forecast all the others with that network."""
    fit_result = fit(recipe, task.histories.select([0]), ["milk"])
    forecasts = monthly.forecast(recipe, fit_result.networks, task.histories, positions=[0] * len(task.names))
    return ContestantForecasts(forecasts.values, forecasts.bounds, forecasts.fallback_reasons)


def milk_refitted(recipe: MonthlyRecipe, task: Task) -> ContestantForecasts:
    """Fit on every history anew: all of them train side by side, each as it would alone."""
    seeds = series_seeds(recipe.seed, ["milk"] * len(task.names))
    fit_result = monthly_training.fit(recipe, task.histories, seeds)
    forecasts = monthly.forecast(recipe, fit_result.networks, task.histories, positions=range(len(task.names)))
    return ContestantForecasts(forecasts.values, forecasts.bounds, forecasts.fallback_reasons)


def by_run(recipe: Recipe, task: Task, run_name: str) -> dict[str, ContestantForecasts]:
    """Load the histories into a new embedded database, let the flow run, and read forecasts and baselines by SQL."""
    from flows.monthly import monthly_forecast
    from forecasting.domain.settings import Settings
    from forecasting.runs import job
    from forecasting.storage.db.schema import open_migrated_database

    settings = Settings.from_environment()
    settings.recipes_folder.mkdir(parents=True, exist_ok=True)
    name = write_recipe(recipe, settings.recipes_folder)
    with open_migrated_database(settings) as database:
        start = time.perf_counter()
        load(database, task)
        load_end = time.perf_counter()
        monthly_forecast(dry_run=True, recipe=name, late_months="9999")  # starts Prefect
        run_start = time.perf_counter()
        summary = monthly_forecast(recipe=name, retrain="always", late_months="9999")
        end = time.perf_counter()
        assert isinstance(summary, job.RunSummary)  # noqa: S101 - a dry run alone gives a plan
        forecasts = read_back(database, task, {"loading": load_end - start, "run": end - run_start})
        return {run_name: forecasts.pop("run"), **forecasts}


def load(database: Any, task: Task) -> None:
    """Load the histories as a user would: from a Parquet file."""
    from forecasting.domain.months import Month
    from forecasting.intake.columns import ColumnRoles
    from forecasting.intake.files import open_file
    from forecasting.intake.loads import load_observations

    with tempfile.TemporaryDirectory() as folder:
        to_file(task, Path(folder) / "panel.parquet")
        source = open_file(Path(folder) / "panel.parquet", ColumnRoles())
        load_observations(database, source, source=source.name, today=Month.of(2199, 12))


def write_recipe(recipe: Recipe, folder: Path) -> str:
    """Write a recipe as a user's own, `skill.toml`, and return its name."""
    lines = [f"base = {recipe.method!r}"]
    lines += [f"{name} = {value!r}".replace("True", "true").replace("False", "false") for name, value in recipe.settings.items()
              if name not in ("method", "name")]  # fmt: skip
    (folder / "skill.toml").write_text("\n".join(lines), encoding="utf-8")
    return "skill"


def read_back(database: Any, task: Task, seconds: dict[str, float]) -> dict[str, ContestantForecasts]:
    """Read what the run published, and the baselines beside it, from the view `latest_forecast`."""
    from sqlalchemy import text

    columns = ("value", *BOUNDS, "naive", "seasonal_naive", "base_path")
    columns_by_name = {column: np.full(task.actual.shape, np.nan) for column in columns}
    reasons = ["no row"] * len(task.names)
    row_of = {name: row for row, name in enumerate(task.names)}
    with database.reading() as connection:
        query = text(f"SELECT series, horizon, outcome, reason, {', '.join(columns)} FROM milkrun.latest_forecast")
        for series, horizon, outcome, reason, *numbers in connection.execute(query):
            for column, number in zip(columns, numbers, strict=True):
                columns_by_name[column][row_of[series], horizon - 1] = np.nan if number is None else number
            reasons[row_of[series]] = "" if outcome == "forecast" else f"{outcome}: {reason}"
    bounds = {name: columns_by_name[name] for name in BOUNDS if not np.isnan(columns_by_name[name]).all()}
    forecasts = {"run": ContestantForecasts(columns_by_name["value"], bounds, tuple(reasons), seconds)}
    no_reasons = ("",) * len(task.names)
    return forecasts | {
        name: ContestantForecasts(columns_by_name[name], {}, no_reasons)
        for name in BASELINES
        if not np.isnan(columns_by_name[name]).all()
    }


def cold_start_rows(series: int, share: float, seed: int) -> np.ndarray:
    """Draw the rows of series to be left out of training: bool (series,)."""
    order = np.random.default_rng(seed).permutation(series)
    return np.isin(np.arange(series), order[: max(1, round(share * series))])


CONTESTANTS: dict[str, Callable[..., ContestantForecasts]] = {
    **dict.fromkeys(BASELINES, by_baseline),
    **dict.fromkeys(STATISTICAL_MODELS, by_model),
}
