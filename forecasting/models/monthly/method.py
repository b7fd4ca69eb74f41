"""The method `monthly`: the functions of `Method`, from the modules that define them."""

from dataclasses import replace

from forecasting.domain.panel import Counts
from forecasting.domain.recipes import MonthlyRecipe
from forecasting.domain.vocabulary import ForecastMethod
from forecasting.models.monthly.forecast import SCALER_FIELDS as SCALER_FIELDS
from forecasting.models.monthly.forecast import forecast as forecast
from forecasting.models.monthly.forecast import forecast_without_networks as forecast_without_networks
from forecasting.models.monthly.forecast import predict_past as predict_past
from forecasting.models.monthly.forecast import tensor_shapes as tensor_shapes
from forecasting.models.monthly.training import comparison_months as comparison_months
from forecasting.models.monthly.training import fit as fit
from forecasting.models.monthly.training import fit_global as fit_global
from forecasting.models.monthly.training import holdout_networks as holdout_networks

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
