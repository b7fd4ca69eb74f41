"""Tests of bundles that earlier releases stored: they are read, and their forecasts are the same as then."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecasting.domain.errors import BundleError
from forecasting.domain.recipes import recipe_from
from forecasting.models.golden import check_networks, golden_answers
from forecasting.models.method import method_of
from forecasting.runs.model_store import load_model
from forecasting.storage.bundles import Bundle, members_digest
from tests.stored_bundles import FOLDER, from_json, histories, read

FILES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_bundle_of_an_earlier_release_gives_the_same_forecasts(path: Path) -> None:
    """The hash of its recipe, its name and its forecasts, to the digits that do not depend on the machine's libraries."""
    stored_values = read(path)
    recipe = recipe_from(stored_values["recipe"])
    bundle = from_json(recipe, stored_values["bundle"])

    networks, positions = load_model(stored_values["bundle"]["bundle_id"], bundle).networks_for([1, 2])
    forecasts = method_of(recipe).forecast(recipe, networks, histories(), positions=positions)

    assert recipe.hash == stored_values["bundle"]["recipe_hash"]
    numbers = {"value": forecasts.values, **forecasts.bounds}
    assert numbers.keys() == stored_values["said"].keys()
    for name, values in stored_values["said"].items():
        np.testing.assert_allclose(numbers[name], values, rtol=1e-5)


@pytest.mark.parametrize("kind", ["classic", "own", "shared"])
def test_networks_with_other_golden_answers_are_damaged(kind: str) -> None:
    """Golden answers as if the code had changed; the name of the bundle fits them."""
    bundle = bundle_at(f"format-1-golden-{kind}")
    golden = bundle.manifest["golden"]
    golden["values"] = (np.array(golden["values"]) * 1.01).tolist()

    with pytest.raises(
        BundleError, match=r"do not answer as they did when they were stored, 0.009\d? of the answer away"
    ):
        load_model(bundle.bundle_id, bundle)


@pytest.mark.parametrize(
    "change",
    [{"low": "600"}, {"low": True}, {"low": None}, {"high": [1.0]}, {"middle": 1.0}],
    ids=str,
)
def test_a_scaler_of_another_form_is_damage(change: dict[str, Any]) -> None:
    """Text, no number, or one field more, with a digest that fits: refused before anything is computed."""
    bundle = bundle_at("format-1-golden-classic")
    odd = dataclasses.replace(bundle.members[1], scaler={**bundle.members[1].scaler, **change})
    members = (bundle.members[0], odd)
    bundle.manifest["members"] = members_digest(members)
    crafted = dataclasses.replace(bundle, members=members)

    with pytest.raises(BundleError, match="a scaler is not of the form of recipe classic"):
        load_model(crafted.bundle_id, crafted)


def test_golden_answers_leave_out_what_is_not_finite() -> None:
    """A scaler at the limits of float64: its network has no golden answer, the other network has one."""
    bundle = bundle_at("format-1-golden-classic")
    networks = load_model(bundle.bundle_id, bundle).networks
    wide = dataclasses.replace(
        networks, scalers=({"kind": "min_max", "low": -1.7e308, "high": 1.7e308}, networks.scalers[1])
    )

    assert golden_answers(bundle.recipe, wide)["positions"] == [1]
    check_networks(bundle.recipe, wide, golden_answers(bundle.recipe, wide))


def bundle_at(name: str) -> Bundle:
    """Read a stored bundle."""
    stored_values = read(FOLDER / f"{name}.json")
    return from_json(recipe_from(stored_values["recipe"]), stored_values["bundle"])
