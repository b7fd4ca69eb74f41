"""Recipes: named settings of windows, scaling, network, training and horizon, identified by their hash."""

import hashlib
import json
import math
import tomllib
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
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
        if not 0 < self.learning_rate < math.inf:
            raise RecipeError(f"Recipe {self.name}: learning_rate is {self.learning_rate}; it must be above 0.")
        if self.max_gap < 0:
            raise RecipeError(f"Recipe {self.name}: max_gap is {self.max_gap}; it must be at least 0.")
        if not 0 < self.train_share < 1:
            raise RecipeError(f"Recipe {self.name}: train_share is {self.train_share}; it must lie between 0 and 1.")
        for name, choices in (("look_back_as", ("features", "steps")), ("scaler_sees", ("train", "all"))):
            if getattr(self, name) not in choices:
                chosen = getattr(self, name)
                raise RecipeError(f"Recipe {self.name}: {name} is {chosen!r}; choose {' or '.join(choices)}.")
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


def known_recipes(folder: Path) -> dict[str, Path | None]:
    """Return the names of the built-in recipes and of those in a folder, with the file of the latter."""
    own = {path.stem: path for path in sorted(folder.glob("*.toml"))} if folder.is_dir() else {}
    return {**dict.fromkeys(BUILT_IN), **{name: path for name, path in own.items() if name not in BUILT_IN}}


def find_recipe(name: str, folder: Path) -> Recipe:
    """Return the recipe of that name: a built-in one, or NAME.toml in the folder.

    Raises RecipeError listing the names there are.
    """
    known = known_recipes(folder)
    if name not in known:
        raise RecipeError(
            f"There is no recipe {name!r}; there are: {', '.join(sorted(known))}. Your own belong into {folder}."
        )
    path = known[name]
    return BUILT_IN[name] if path is None else read_recipe(path)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe from a TOML file: `base`, the name of a built-in recipe, and the settings that differ from it.

    The recipe is named after the file. Raises RecipeError naming the file, the setting and the remedy.
    """
    if path.stem in BUILT_IN:
        raise RecipeError(f"{path}: {path.stem} is the name of a built-in recipe: name the file otherwise.")
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as failure:
        raise RecipeError(f"{path} cannot be read: {failure.strerror}.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as mistake:
        raise RecipeError(f"{path} is not TOML: {mistake}.") from None
    base = given.pop("base", CLASSIC.name)
    if not isinstance(base, str) or base not in BUILT_IN:
        raise RecipeError(f"{path}: base is {base!r}; choose one of {', '.join(sorted(BUILT_IN))}.")
    settings = {**BUILT_IN[base].settings, "name": path.stem}
    for name, value in given.items():
        if name not in settings or name == "name":
            raise RecipeError(f"{path}: there is no setting {name!r}; there are: {', '.join(sorted(settings))}.")
        if not _is_like(value, settings[name]):
            raise RecipeError(f"{path}: {name} is {value!r}; write it like {json.dumps(settings[name])}.")
        settings[name] = float(value) if isinstance(settings[name], float) else value
    return recipe_from(settings)


def _is_like(value: Any, example: Any) -> bool:
    """Say whether a value of a file has the type that a setting needs; a whole number may stand for a fraction."""
    if isinstance(example, list):
        return isinstance(value, list) and all(_is_like(item, example[0]) for item in value)
    if isinstance(example, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is type(example)


def recipe_from(settings: dict[str, Any]) -> Recipe:
    """Rebuild a recipe from its stored settings."""
    return Recipe(**{**settings, "units": tuple(settings["units"])})


@dataclass(frozen=True)
class MonthlyRecipe:
    """Settings of the recipe `monthly`: what its networks see, how they are trained, and how far it forecasts.

    Each member of the ensemble sees the window, in months, and stresses what MASE stresses as far as `emphasis` says (0:
    all series alike in logs, 1: by their change over a year), by its position. shared_from: panels of that many series
    train shared networks, smaller ones a network per series. Origins to learn from reach back horizons_back times the
    horizon, and at least a year. max_gap is the longest run of missing months that is filled.
    """

    name: str = "monthly"
    horizon: int = 12
    seed: int = 7
    max_gap: int = 3
    windows: tuple[int, ...] = (36, 60, 24, 48)
    emphasis: tuple[float, ...] = (0.5, 0.0, 1.0, 0.5)
    judges: int = 2
    # Held-out MASE of 8 and 30 M3 series: own networks 0.863 and 0.812, shared ones 0.902 and 0.794; of 8 of tourism 1.50, 1.61.
    shared_from: int = 30
    units: int = 64
    updates: int = 1500
    batch_size: int = 256
    learning_rate: float = 2e-3
    noise: float = 0.01
    horizons_back: float = 4.0
    most_examples: int = 250_000
    own_units: int = 8
    own_epochs: int = 150
    own_members: int = 5
    guard: float = 2.0

    def __post_init__(self) -> None:
        """Raise RecipeError naming the setting that cannot work."""
        if not 1 <= self.horizon <= 120:
            raise RecipeError(f"Recipe {self.name}: horizon is {self.horizon}; it must be from 1 to 120 months.")
        if not self.windows or any(window not in (12, 24, 36, 48, 60) for window in self.windows):
            raise RecipeError(f"Recipe {self.name}: windows is {self.windows}; each must be 12, 24, 36, 48 or 60.")
        if len(self.emphasis) != len(self.windows):
            raise RecipeError(f"Recipe {self.name}: emphasis is {self.emphasis}; it needs one number per window.")
        if not 1 <= self.judges <= len(self.windows):
            raise RecipeError(f"Recipe {self.name}: judges is {self.judges}; it must be from 1 to {len(self.windows)}.")
        for name in ("units", "updates", "batch_size", "most_examples", "own_units", "own_epochs", "own_members"):
            if getattr(self, name) < 1:
                raise RecipeError(f"Recipe {self.name}: {name} is {getattr(self, name)}; it must be at least 1.")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return {**asdict(self), "windows": list(self.windows), "emphasis": list(self.emphasis)}

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the settings, name included."""
        text = json.dumps(self.settings, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def least_observations(self) -> int:
        """Months a history needs to be forecast at all; shorter than two years and the horizon it gets the base path."""
        return 1


MONTHLY = MonthlyRecipe()
