"""Tests of recipes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forecasting.domain.errors import RecipeError
from forecasting.domain.recipes import (
    BUILT_IN,
    CLASSIC,
    CLASSIC_PUBLISHED,
    MONTHLY,
    Recipe,
    find_recipe,
    read_recipe,
    recipe_from,
)


def test_the_classic_recipe_is_the_one_of_the_tutorial() -> None:
    """LSTM(4), look_back 1 as a feature, batch size 1, 100 epochs, two thirds for training."""
    assert (
        CLASSIC.look_back,
        CLASSIC.look_back_as,
        CLASSIC.units,
        CLASSIC.epochs,
        CLASSIC.batch_size,
        CLASSIC.train_share,
    ) == (1, "features", (4,), 100, 1, 0.67)
    assert (CLASSIC.scaler_sees, CLASSIC.drop_last_window) == ("train", False)
    assert (CLASSIC_PUBLISHED.scaler_sees, CLASSIC_PUBLISHED.drop_last_window) == ("all", True)


def test_a_recipe_survives_being_stored() -> None:
    """Settings read back give the same recipe and the same hash; any other setting gives another hash."""
    for recipe in BUILT_IN.values():
        assert recipe == recipe_from(recipe.settings)
        assert recipe.hash == recipe_from(recipe.settings).hash
    assert CLASSIC.hash != replace(CLASSIC, seed=8).hash != CLASSIC_PUBLISHED.hash


@pytest.mark.parametrize(
    "change", [{"look_back": 0}, {"epochs": 0}, {"batch_size": 0}, {"horizon": 0}, {"train_share": 1.0}, {"units": ()}]
)
def test_a_setting_that_cannot_work_is_named(change: dict[str, Any]) -> None:
    """The error names recipe and setting."""
    with pytest.raises(RecipeError, match=f"Recipe classic: {next(iter(change))} is"):
        replace(CLASSIC, **change)


@pytest.mark.parametrize("recipe", [CLASSIC, MONTHLY])
def test_every_number_of_a_recipe_has_a_limit(recipe: Recipe) -> None:
    """A number that would take years or all memory is refused at once, and so is a list without end."""
    for name, value in recipe.settings.items():
        changes: list[Any] = (
            [10**30, -(10**30)] if isinstance(value, int | float) and not isinstance(value, bool) else []
        )
        if isinstance(value, list) and value and not isinstance(value[0], str):
            changes = [tuple([10**9] * len(value)), tuple(value * 1000)]
        for change in changes:
            with pytest.raises(RecipeError, match=f"Recipe {recipe.name}: {name} is"):
                replace(recipe, **{name: change})


@pytest.mark.parametrize(
    "text", ["seed = 0x" + "f" * 5000, "units = [" + "1" * 5000 + "]", "guard = 1" + "0" * 400, "units = " + "[" * 5000]
)
def test_numbers_that_nothing_can_hold_are_a_mistake_in_the_file(tmp_path: Path, text: str) -> None:
    """One sentence that names the file."""
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(RecipeError, match=r"mine\.toml"):
        read_recipe(file)


def test_an_unknown_recipe_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    """A misspelt name leads to the right one."""
    (tmp_path / "mine.toml").write_text("horizon = 3")
    with pytest.raises(RecipeError, match="'clasic'; there are: classic, classic-published, mine, monthly"):
        find_recipe("clasic", tmp_path)


def test_a_recipe_of_ones_own_differs_from_its_base_in_what_the_file_says(tmp_path: Path) -> None:
    """The file names what differs; everything else comes from the base, and the hash is its own."""
    (tmp_path / "longer.toml").write_text(
        'base = "classic-published"\nhorizon = 18\nunits = [8, 4]\nlearning_rate = 1\n'
    )

    recipe = find_recipe("longer", tmp_path)

    assert recipe == replace(CLASSIC_PUBLISHED, name="longer", horizon=18, units=(8, 4), learning_rate=1)
    assert recipe.hash not in {recipe.hash for recipe in BUILT_IN.values()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("horizon = 'twelve'", r"horizon is 'twelve'; write it like 12"),
        ("horizon = true", r"horizon is True; write it like 12"),
        ("base = 'classic'\nunits = 4", r"units is 4; write it like \[4\]"),
        ("horison = 12", r"there is no setting 'horison'; there are: .*horizon"),
        ("name = 'x'", r"there is no setting 'name'"),
        ("base = ['classic']", r"base is \['classic'\]"),
        ("learning_rate = nan", r"learning_rate is nan; it must be from 1e-09 to 10"),
        ("max_gap = -1", r"max_gap is -1"),
        ("method = 'classic'", r"there is no setting 'method'"),
        ("base = 'classic'\nlearning_rate = nan", r"learning_rate is nan; it must be from 1e-09 to 10"),
        ("base = 'best'", r"base is 'best'; choose one of classic"),
        ("horizon 12", r"is not TOML: .*line 1"),
        ("horizon = 0", r"Recipe mine: horizon is 0"),
        ("base = 'classic'\nscaler_sees = 'future'", r"scaler_sees is 'future'; choose train or all"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_the_remedy(tmp_path: Path, text: str, message: str) -> None:
    """The message has the file, the setting and the remedy."""
    file = tmp_path / "mine.toml"
    file.write_text(text)

    with pytest.raises(RecipeError, match=message):
        read_recipe(file)


def test_a_file_cannot_take_the_name_of_a_built_in_recipe(tmp_path: Path) -> None:
    """What `classic` means never depends on a folder."""
    (tmp_path / "classic.toml").write_text("horizon = 3")

    assert find_recipe("classic", tmp_path) == CLASSIC
    with pytest.raises(RecipeError, match="built-in"):
        read_recipe(tmp_path / "classic.toml")
