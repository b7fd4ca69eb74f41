"""Tests of milkrun recipe: built-in recipes and those of one's own."""

import json

from forecasting.domain.recipes import BUILT_IN
from forecasting.domain.settings import Settings
from tests.cli.conftest import Milkrun


def test_an_invalid_file_is_listed_with_its_error_among_the_others(milkrun: Milkrun, settings: Settings) -> None:
    """The table has a column of errors only where there is one; JSON always has it."""
    folder = settings.home / "recipes"
    folder.mkdir(parents=True)
    (folder / "good.toml").write_text('base = "classic"\nepochs = 2\n')
    without_error = milkrun("recipe", "list").out
    (folder / "bad.toml").write_text("epoch = 2\n")

    table, outcome = milkrun("recipe", "list"), milkrun("recipe", "list", "--json")

    recipes = {row["recipe"]: row for row in json.loads(outcome.out)}
    assert (table.code, outcome.code) == (0, 0)
    assert set(recipes) == {*BUILT_IN, "good", "bad"}
    assert {name for name, row in recipes.items() if row["error"] is None} == {*BUILT_IN, "good"}
    assert "there is no setting 'epoch'" in recipes["bad"]["error"]
    assert (recipes["bad"]["from"], recipes["bad"]["hash"]) == (str(folder / "bad.toml"), None)
    assert recipes["good"]["horizon"] == 12
    assert "error" not in without_error
    assert "error" in table.out
