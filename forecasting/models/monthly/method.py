"""The method `monthly`: the functions of `Method`, from the modules that define them."""

from dataclasses import replace

from forecasting.domain.panel import Counts
from forecasting.domain.recipes import MonthlyRecipe
from forecasting.domain.vocabulary import ForecastMethod
from forecasting.models.monthly.forecast import (
    SCALER_FIELDS,
    forecast,
    forecast_without_networks,
    predict_past,
    tensor_shapes,
)
from forecasting.models.monthly.training import comparison_months, fit, fit_global, holdout_networks

__all__ = [
    "FALLBACK_METHOD",
    "SCALER_FIELDS",
    "comparison_months",
    "fit",
    "fit_global",
    "forecast",
    "forecast_without_networks",
    "golden_recipe",
    "holdout_networks",
    "holdout_recipe",
    "predict_past",
    "tensor_shapes",
    "training_lengths",
]

FALLBACK_METHOD = ForecastMethod.BASE_PATH


def training_lengths(recipe: MonthlyRecipe, lengths: Counts) -> Counts:
    """Months of each history on which the networks are fitted, all of them: int (series,)."""
    return lengths


def golden_recipe(recipe: MonthlyRecipe) -> MonthlyRecipe:
    """Return the recipe without a blend: golden answers are forecasts of the networks alone."""
    return replace(recipe, blend=()) if recipe.blend else recipe


def holdout_recipe(recipe: MonthlyRecipe) -> MonthlyRecipe:
    """Return the recipe of an ensemble that has as many networks as there are validation networks."""
    return replace(recipe, windows=recipe.windows[: recipe.judges], emphasis=recipe.emphasis[: recipe.judges])
