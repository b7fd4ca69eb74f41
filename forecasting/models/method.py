"""The interface of a method: the functions that a run calls to train the networks of a recipe and to forecast with them."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from forecasting.domain.errors import RecipeError
from forecasting.domain.panel import Counts, Histories, Values
from forecasting.domain.recipes import ClassicRecipe, MonthlyRecipe, Recipe
from forecasting.domain.vocabulary import ForecastMethod
from forecasting.models import classic
from forecasting.models.monthly import method as monthly
from forecasting.models.types import FitResult, Forecasts, Networks, PastPredictions

R = TypeVar("R", bound=Recipe, contravariant=True)


class Method(Protocol[R]):
    """The functions of one method; the module of the method has them at its top level.

    Arguments that several functions take: histories, without gaps. seeds: uint64 (series,). positions: int (series,), for
    each history the position of its series in the networks; -1 where they were trained without it. filled_mask: bool (series,
    months), True for a month whose value was missing and was filled: networks train on it, no score counts it. workers:
    threads; their number changes no bit. progress: called with the number of networks trained since the last call.

    SCALER_FIELDS: type of each field of a local network's scaler, by name. FALLBACK_METHOD: name of the method that
    forecasts without networks.
    """

    SCALER_FIELDS: dict[str, type]
    FALLBACK_METHOD: ForecastMethod

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
        """Train local networks: one or more for each series, from its own history and seed.

        Each history has recipe.minimum_observations months or more.
        """

    def forecast(
        self,
        recipe: R,
        networks: Networks,
        histories: Histories,
        *,
        positions: Sequence[int],
        live_factors: Values | None = None,
    ) -> Forecasts:
        """Forecast the months after each history.

        live_factors: (series, 2), factors that widen or narrow the 80 and the 95 % interval; None: all 1.
        """

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
        """Predict observed months one month ahead: one PastPredictions per series.

        trained_lengths: int (series,), length of each history when the networks were trained. past_months: how many of the
        last months are predicted; None: all.
        """

    def comparison_months(
        self, histories: Histories, trained_lengths: Counts, months_since_training: Counts, minimum_months: int
    ) -> Counts:
        """On how many of the last months new networks are compared with older ones: int (series,), 0 where on none.

        trained_lengths: int (series,), months on which the new networks are fitted. months_since_training: int (series,), last
        months on which the older networks were not. minimum_months: fewest months that are worth a comparison.
        """

    def holdout_networks(
        self,
        recipe: R,
        networks: Networks,
        histories: Histories,
        seeds: np.ndarray,
        holdout_months: Counts,
        *,
        workers: int | None = None,
    ) -> Networks:
        """Return networks trained like `networks`, but without the last holdout_months, int (series,), of each history."""

    def tensor_shapes(self, recipe: R, networks: Networks) -> dict[str, tuple[int, ...]]:
        """Shapes that the tensors must have, by name; for local networks without the series axis."""

    def training_lengths(self, recipe: R, lengths: Counts) -> Counts:
        """On how many months of each history, the first ones, networks and scaler are fitted: int (series,)."""

    def golden_recipe(self, recipe: R) -> Recipe:
        """Return the recipe for golden answers: the least work that still uses every weight."""


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
        """Train global networks: the same for all series, from all histories and the recipe's seed."""

    def holdout_recipe(self, recipe: R) -> Recipe:
        """Return the recipe of an ensemble that has as many networks as `holdout_networks` gives."""


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
