"""Tests of recipes."""

from dataclasses import replace
from typing import Any

import pytest

from forecasting.errors import RecipeError
from forecasting.recipes import BUILT_IN, CLASSIC, CLASSIC_PUBLISHED, find_recipe, recipe_from


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


def test_an_unknown_recipe_is_refused_with_the_names_there_are() -> None:
    """A misspelt name leads to the right one."""
    with pytest.raises(RecipeError, match="'clasic'; there are: classic, classic-published"):
        find_recipe("clasic")
