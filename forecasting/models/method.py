"""What a run asks of a recipe's networks; a module per method has the answers."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from forecasting.domain.errors import RecipeError
from forecasting.domain.panel import Counts, Histories, Values
from forecasting.domain.recipes import ClassicRecipe, MonthlyRecipe, Recipe
from forecasting.models import classic
from forecasting.models.monthly import method as monthly
from forecasting.models.types import FitResult, Forecasts, Networks, PastPredictions

R = TypeVar("R", bound=Recipe, contravariant=True)


class Method(Protocol[R]):
    """The functions of one method; the module of the method has them at its top level.

    SCALER_FIELDS: the entries of each series' scaler, by name. FALLBACK_METHOD: the name of the forecast without networks.
    """

    SCALER_FIELDS: dict[str, type]
    FALLBACK_METHOD: str

    def fit(
        self,
        recipe: R,
        histories: Histories,
        seeds: np.ndarray,
        *,
        filled_mask: np.ndarray | None = None,
        workers: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> FitResult:
        """Train local networks: one or more for each series, from its own history and seed."""

    def forecast(
        self,
        recipe: R,
        networks: Networks,
        histories: Histories,
        *,
        positions: Sequence[int],
        live_factors: Values | None = None,
    ) -> Forecasts:
        """Forecast the months after each history."""

    def forecast_without_networks(self, recipe: R, histories: Histories) -> Forecasts:
        """Forecast where there are no networks, or where their forecast may not be published."""

    def predict_past(
        self,
        recipe: R,
        networks: Networks,
        histories: Histories,
        *,
        positions: Sequence[int],
        trained_lengths: Sequence[int],
        past_months: int | None = None,
    ) -> list[PastPredictions]:
        """Predict months that are observed, each one month ahead."""

    def comparison_months(
        self, histories: Histories, trained_lengths: Counts, months_since_training: Counts, minimum_months: int
    ) -> Counts:
        """Return on how many months, the last ones, new networks are compared with older ones: (series,)."""

    def holdout_networks(
        self,
        recipe: R,
        networks: Networks,
        histories: Histories,
        seeds: np.ndarray,
        months: Counts,
        *,
        workers: int | None = None,
    ) -> Networks:
        """Return networks like the new ones that have not seen the last months: (series,)."""

    def tensor_shapes(self, recipe: R, networks: Networks) -> dict[str, tuple[int, ...]]:
        """Return the shapes that tensors must have, by name."""

    def training_lengths(self, recipe: R, lengths: Counts) -> Counts:
        """Return how many months of each history, the first ones, the networks and their scalers are fitted on."""

    def golden_recipe(self, recipe: R) -> Recipe:
        """Return the recipe by which golden answers are computed: as cheap as tells the same."""


class GlobalMethod(Method[R], Protocol):
    """A method that can train global networks as well."""

    def fit_global(
        self,
        recipe: R,
        histories: Histories,
        *,
        filled_mask: np.ndarray | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> FitResult:
        """Train networks that all series share."""

    def holdout_recipe(self, recipe: R) -> Recipe:
        """Return the recipe of as many networks as `holdout_networks` gives."""


_CLASSIC: Method[ClassicRecipe] = classic
_MONTHLY: GlobalMethod[MonthlyRecipe] = monthly
_METHODS: dict[str, Method[Any]] = {ClassicRecipe.method: _CLASSIC, MonthlyRecipe.method: _MONTHLY}


def method_of(recipe: Recipe) -> Method[Any]:
    """Return the method of a recipe."""
    return _METHODS[recipe.method]


def global_method_of(recipe: Recipe) -> GlobalMethod[Any]:
    """Return the method of a recipe that can train global networks; raises RecipeError where it cannot."""
    if recipe.method != MonthlyRecipe.method:
        raise RecipeError(f"Recipe {recipe.name} has no global networks: choose a recipe of the method monthly.")
    return _MONTHLY
