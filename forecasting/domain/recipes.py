"""Recipes: named settings of windows, scaling, network, training and horizon. The hash of all settings identifies a recipe."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

from forecasting.domain.errors import RecipeError
from forecasting.domain.settings_files import read_toml
from forecasting.domain.vocabulary import STATISTICAL_MODELS, NetworkScope

# The least and the most that a setting may be, or each number of its list: beyond, training would take years or all memory.
_LIMITS: dict[str, tuple[float, float]] = {
    "horizon": (1, 120),  # months
    "seed": (-(2**63), 2**63 - 1),
    "max_gap": (0, 120),
    "look_back": (1, 600),
    "units": (1, 1024),
    "epochs": (1, 100_000),
    "batch_size": (1, 100_000),
    "learning_rate": (1e-9, 10),
    "train_share": (0.01, 0.99),
    "emphasis": (-10, 10),
    "shared_from": (0, 1_000_000_000),  # more series than any run has: always local networks
    "updates": (1, 1_000_000),
    "noise": (0, 10),
    "horizons_back": (0.01, 1000),
    "most_examples": (1, 100_000_000),
    "own_units": (1, 1024),
    "own_epochs": (1, 100_000),
    "own_members": (1, 100),
    "guard": (1e-9, 1e9),
}
_MOST_NUMBERS = 20  # of a list, such as layers or members of an ensemble


@dataclass(frozen=True)
class Recipe:
    """Settings that decide the numbers; the same recipe, data and code give the same forecasts.

    horizon: in months. max_gap: the longest gap that is filled, in months. method: the name of the class of recipes, which adds
    the settings of its networks.
    """

    method: ClassVar[str]
    minimum_fallback_months: ClassVar[int]  # months of history that a forecast without a network needs
    maximum_zero_share: ClassVar[float] = 1.0  # share of months with value zero; with more, there is no network
    corrects_base_path: ClassVar[bool] = False  # whether its networks correct a base path, and give intervals

    name: str
    horizon: int = 12
    seed: int = 7
    max_gap: int = 3

    def __post_init__(self) -> None:
        """Raise RecipeError naming the setting that cannot work."""
        for setting, (least, most) in _LIMITS.items():
            value = getattr(self, setting, least)
            numbers = value if isinstance(value, tuple) else (value,)
            rule = (
                f"it must be from {least:,} to {most:,}"
                if numbers is not value
                else f"each must be from {least:,} to {most:,}"
            )
            self._refuse_unless(all(least <= number <= most for number in numbers), setting, rule)
            self._refuse_unless(len(numbers) <= _MOST_NUMBERS, setting, f"it may have {_MOST_NUMBERS} numbers")

    def _refuse_unless(self, holds: bool, setting: str, rule: str) -> None:
        if not holds:
            raise RecipeError(f"Recipe {self.name}: {setting} is {getattr(self, setting)!r}; {rule}.")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        return {"method": self.method, **plain}

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the settings, name included."""
        text = json.dumps(self.settings, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def minimum_observations(self) -> int:
        """Months of history that a network needs."""
        raise NotImplementedError

    def network_scope(self, series_count: int) -> NetworkScope:  # noqa: ARG002 - a subclass may use it
        """Return whether a run of so many series trains local or global networks."""
        return NetworkScope.LOCAL


@dataclass(frozen=True)
class ClassicRecipe(Recipe):
    """The network of the tutorial: one small LSTM per series on MinMax-scaled months; it forecasts the next month, step by step.

    look_back: in months. train_share: share of a history, from its start, that is the training part; the rest is the test part.
    scaler_sees: the months that the scaler is fitted on.
    """

    method: ClassVar[str] = "classic"
    minimum_fallback_months: ClassVar[int] = 12

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

    def __post_init__(self) -> None:
        """Raise RecipeError naming the setting that cannot work."""
        super().__post_init__()
        for name, choices in (("look_back_as", ("features", "steps")), ("scaler_sees", ("train", "all"))):
            self._refuse_unless(getattr(self, name) in choices, name, f"choose {' or '.join(choices)}")
        self._refuse_unless(bool(self.units), "units", "it needs one number per layer")

    @property
    def minimum_observations(self) -> int:
        """Two windows in the training part, and a horizon after the first window."""
        return max(math.ceil((self.look_back + 3) / self.train_share), self.look_back + self.horizon + 1)


@dataclass(frozen=True)
class MonthlyRecipe(Recipe):
    """The inputs of the networks of `monthly`, and their training.

    windows, emphasis: for each member of a global ensemble, its window in months and the exponent of its loss weights (0: all
    series count alike in logs; 1: each by its change over a year, as in MASE). judges: number of validation networks.
    shared_from: runs of so many series train global networks, smaller runs local networks. horizons_back: training origins
    reach back so many horizons, and at least a year. guard: a network that is so many times worse than the base path on
    held-out months does not pass the fallback gate. blend: models of statsforecast whose forecasts are averaged with those of
    the networks. own_units, own_epochs, own_members: of local networks.
    """

    method: ClassVar[str] = "monthly"
    minimum_fallback_months: ClassVar[int] = 1
    maximum_zero_share: ClassVar[float] = 0.3
    corrects_base_path: ClassVar[bool] = True

    windows: tuple[int, ...] = (36, 60, 24, 48)
    emphasis: tuple[float, ...] = (0.5, 0.0, 1.0, 0.5)
    judges: int = 2
    # Held-out MASE of 8 and 30 M3 series: local 0.863 and 0.812, global 0.902 and 0.794; of 8 tourism series 1.50 and 1.61.
    shared_from: int = 30
    units: int = 32
    updates: int = 1000
    batch_size: int = 256
    learning_rate: float = 2e-3
    noise: float = 0.01
    horizons_back: float = 4.0
    most_examples: int = 250_000
    own_units: int = 8
    own_epochs: int = 150
    own_members: int = 5
    guard: float = 2.0
    blend: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise RecipeError naming the setting that cannot work."""
        super().__post_init__()
        are_years = 1 <= len(self.windows) <= _MOST_NUMBERS and all(
            window in (12, 24, 36, 48, 60) for window in self.windows
        )
        self._refuse_unless(are_years, "windows", f"each must be 12, 24, 36, 48 or 60, {_MOST_NUMBERS} at most")
        self._refuse_unless(len(self.emphasis) == len(self.windows), "emphasis", "it needs one number per window")
        self._refuse_unless(
            1 <= self.judges <= len(self.windows), "judges", f"it must be from 1 to {len(self.windows)}"
        )
        self._refuse_unless(
            set(self.blend) <= set(STATISTICAL_MODELS), "blend", f"choose from {', '.join(STATISTICAL_MODELS)}"
        )

    @property
    def minimum_observations(self) -> int:
        """Two years: with less, a season cannot be distinguished from chance, and the base path forecasts."""
        return 24

    def network_scope(self, series_count: int) -> NetworkScope:
        """Return whether a run of so many series trains local or global networks."""
        return NetworkScope.GLOBAL if series_count >= self.shared_from else NetworkScope.LOCAL


METHODS: dict[str, type[Recipe]] = {kind.method: kind for kind in (ClassicRecipe, MonthlyRecipe)}

MONTHLY = MonthlyRecipe(name="monthly")
CLASSIC = ClassicRecipe(name="classic")
CLASSIC_PUBLISHED = ClassicRecipe(name="classic-published", scaler_sees="all", drop_last_window=True)

BUILT_IN: dict[str, Recipe] = {recipe.name: recipe for recipe in (MONTHLY, CLASSIC, CLASSIC_PUBLISHED)}


def recipe_paths(folder: Path) -> dict[str, Path | None]:
    """Return the names of the built-in recipes and of those in a folder, with the file of the latter."""
    own_paths = {path.stem: path for path in sorted(folder.glob("*.toml"))} if folder.is_dir() else {}
    return {**dict.fromkeys(BUILT_IN), **{name: path for name, path in own_paths.items() if name not in BUILT_IN}}


def find_recipe(name: str, folder: Path) -> Recipe:
    """Return the recipe of that name: a built-in one, or NAME.toml in the folder.

    Raises RecipeError listing the names there are.
    """
    paths = recipe_paths(folder)
    if name not in paths:
        raise RecipeError(
            f"There is no recipe {name!r}; there are: {', '.join(sorted(paths))}. Your own belong into {folder}."
        )
    path = paths[name]
    return BUILT_IN[name] if path is None else read_recipe(path)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe from a TOML file: `base`, the name of a built-in recipe, and the settings that differ from it.

    The recipe is named after the file. Raises RecipeError naming the file, the setting and the remedy.
    """
    if path.stem in BUILT_IN:
        raise RecipeError(f"{path}: {path.stem} is the name of a built-in recipe: name the file otherwise.")
    file_settings = read_toml(path, RecipeError)
    base = file_settings.pop("base", MONTHLY.name)
    if not isinstance(base, str) or base not in BUILT_IN:
        raise RecipeError(f"{path}: base is {base!r}; choose one of {', '.join(sorted(BUILT_IN))}.")
    settings = {**BUILT_IN[base].settings, "name": path.stem}
    for name, value in file_settings.items():
        if name not in settings or name in ("name", "method"):
            raise RecipeError(
                f"{path}: there is no setting {name!r}; there are: {', '.join(sorted(settings.keys() - {'name', 'method'}))}."
            )
        if not _is_like(value, settings[name]):
            raise RecipeError(f"{path}: {name} is {value!r}; write it like {json.dumps(settings[name])}.")
        settings[name] = float(value) if isinstance(settings[name], float) else value
    return recipe_from(settings)


def _is_like(value: Any, example: Any) -> bool:
    """Return whether a value of a file has the type of an example; an int may stand for a float."""
    if isinstance(example, list):
        like = example[0] if example else ""
        return isinstance(value, list) and all(_is_like(item, like) for item in value)
    if isinstance(example, float):
        return isinstance(value, float) or (type(value) is int and abs(value) < 2**63)
    return type(value) is type(example)


def recipe_from(settings: dict[str, Any]) -> Recipe:
    """Rebuild a recipe from its stored settings."""
    plain: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()
    }
    return METHODS[plain.pop("method", "classic")](**plain)
