"""Recipes: named settings of windows, scaling, network, training and horizon, identified by their hash."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from forecasting.errors import RecipeError


@dataclass(frozen=True)
class Recipe:
    """Settings that decide the numbers; the same recipe, data and code give the same forecasts.

    look_back is in months; train_share is the first part of a history, the rest is its test part; scaler_sees says
    which months the scaler is fitted on; max_gap is the longest run of missing months that is filled.
    """

    name: str
    look_back: int = 1
    look_back_as: Literal["features", "steps"] = "features"
    units: tuple[int, ...] = (4,)
    epochs: int = 100
    batch_size: int = 1
    learning_rate: float = 1e-3
    shuffle: bool = True
    train_share: float = 0.67
    scaler_sees: Literal["train", "all"] = "train"
    drop_last_window: bool = False
    horizon: int = 12
    max_gap: int = 3
    seed: int = 7

    def __post_init__(self) -> None:
        """Raise RecipeError naming the setting that cannot work."""
        for name, value in (("look_back", self.look_back), ("epochs", self.epochs), ("batch_size", self.batch_size)):
            if value < 1:
                raise RecipeError(f"Recipe {self.name}: {name} is {value}; it must be at least 1.")
        if not 1 <= self.horizon <= 120:
            raise RecipeError(f"Recipe {self.name}: horizon is {self.horizon}; it must be from 1 to 120 months.")
        if not 0 < self.train_share < 1:
            raise RecipeError(f"Recipe {self.name}: train_share is {self.train_share}; it must lie between 0 and 1.")
        if not self.units or min(self.units) < 1:
            raise RecipeError(f"Recipe {self.name}: units is {self.units}; each layer needs at least one unit.")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return {**asdict(self), "units": list(self.units)}

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the settings, name included."""
        text = json.dumps(self.settings, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def least_observations(self) -> int:
        """Months a history needs: two windows to train on in its training part, and the horizon after it."""
        return max(math.ceil((self.look_back + 3) / self.train_share), self.look_back + self.horizon + 1)


CLASSIC = Recipe(name="classic")
CLASSIC_PUBLISHED = Recipe(name="classic-published", scaler_sees="all", drop_last_window=True)

BUILT_IN = {recipe.name: recipe for recipe in (CLASSIC, CLASSIC_PUBLISHED)}


def find_recipe(name: str) -> Recipe:
    """Return the recipe of that name.

    Raises RecipeError listing the names there are.
    """
    if name not in BUILT_IN:
        raise RecipeError(f"There is no recipe {name!r}; there are: {', '.join(sorted(BUILT_IN))}.")
    return BUILT_IN[name]


def recipe_from(settings: dict[str, Any]) -> Recipe:
    """Rebuild a recipe from its stored settings."""
    return Recipe(**{**settings, "units": tuple(settings["units"])})
