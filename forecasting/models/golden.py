"""Golden answers: what a bundle's networks say of a history that never changes, stored with them and asked again at each load.

A checksum tells that the numbers are those that were stored; golden answers tell that this release, with these libraries on
this machine, still makes of them what the release that stored them made. Before they are asked, tensors and scalers must
have the names and shapes that the recipe's networks have.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from forecasting.domain.errors import BundleError
from forecasting.domain.months import Month
from forecasting.domain.panel import Histories, Values
from forecasting.domain.recipes import Recipe
from forecasting.models.method import method_of
from forecasting.models.types import Networks

MONTHS = 72  # more than the least that any recipe forecasts from
TOLERANCE = 1e-3  # of an answer's largest number: libraries may round float32 otherwise


def golden_answers(recipe: Recipe, networks: Networks) -> dict[str, Any]:
    """Ask the first, the middle and the last of some networks: JSON values, positions and values (positions, horizon).

    Answers that are not finite, as of a scaler at the ends of float64, are left out.
    """
    count = 1 if networks.are_global else len(networks.scalers)
    positions = sorted({0, count // 2, count - 1})
    answers = _ask(recipe, networks, positions)
    kept = [place for place, answer in enumerate(answers) if np.isfinite(answer).all()]
    return {"positions": [positions[place] for place in kept], "values": answers[kept].tolist()}


def check_networks(recipe: Recipe, networks: Networks, golden: Any) -> None:
    """Raise BundleError where networks are not of their recipe's form, or do not give their golden answers.

    golden: as golden_answers gave it; None for bundles from before there were any.
    """
    _check_form(recipe, networks)
    if golden is None:
        return
    positions, values = _parts(golden)
    if not all(0 <= position < (1 if networks.are_global else len(networks.scalers)) for position in positions):
        raise BundleError("its golden answers are of networks that it does not have: train again.")
    if not positions:
        return
    answers = _ask(recipe, networks, positions)
    if values.shape != answers.shape:
        raise BundleError(
            f"its golden answers have the shape {values.shape}, its networks' {answers.shape}: train again."
        )
    with np.errstate(all="ignore"):
        far = np.abs(answers - values).max(axis=1) / np.maximum(np.abs(values).max(axis=1), np.finfo(np.float64).tiny)
    if not (far <= TOLERANCE).all():
        raise BundleError(
            f"its networks do not answer as they did when they were stored, {np.max(far):.2g} of the answer away: "
            "train again, or go back to the release and the libraries that its manifest names."
        )


def _ask(recipe: Recipe, networks: Networks, positions: Sequence[int]) -> Values:
    """Forecast the golden history with some of the networks: (positions, horizon)."""
    method = method_of(recipe)
    if networks.are_global:
        networks = replace(networks, scalers=({"guarded": False},))
    with np.errstate(all="ignore"):
        made = method.forecast(
            method.golden_recipe(recipe), networks, golden_histories(len(positions)), positions=positions
        )
    return made.values


def golden_histories(count: int) -> Histories:
    """Give the golden history, some times over: six years with a trend and a season, from plain arithmetic."""
    months = np.arange(MONTHS)
    year = np.array([0.9, 0.85, 1.0, 1.05, 1.15, 1.2, 1.1, 1.05, 0.95, 0.9, 0.9, 0.95])
    values = (600 + 2 * months) * np.tile(year, MONTHS // 12)
    return Histories(np.tile(values, (count, 1)), np.full(count, MONTHS), (Month.of(2000, 1) + (MONTHS - 1),) * count)


def _check_form(recipe: Recipe, networks: Networks) -> None:
    shapes = method_of(recipe).tensor_shapes(recipe, networks)
    found = {
        name: tensor.shape if networks.are_global else tensor.shape[1:] for name, tensor in networks.weights.items()
    }
    wrong = sorted(name for name in shapes.keys() | found.keys() if shapes.get(name) != found.get(name))
    if wrong:
        raise BundleError(
            f"tensor {wrong[0]!r} has the shape {found.get(wrong[0])}, recipe {recipe.name} has "
            f"{shapes.get(wrong[0])}: train again."
        )
    form = method_of(recipe).SCALER_FIELDS
    if not networks.are_global and not all(_has_form(scaler, form) for scaler in networks.scalers):
        raise BundleError(f"a scaler is not of the form of recipe {recipe.name}: train again.")


def _has_form(scaler: Any, form: Mapping[str, type]) -> bool:
    """Say whether a scaler has the entries of a form; those that are numbers, and lists of numbers, must be finite."""
    if not isinstance(scaler, dict) or scaler.keys() != form.keys():
        return False
    for name, kind in form.items():
        value = scaler[name]
        if kind in (float, list):
            numbers = value if kind is list and isinstance(value, list) else [value]
            if not all(type(number) in (float, int) and math.isfinite(number) for number in numbers):
                return False
        elif not isinstance(value, kind):
            return False
    return True


def _parts(golden: Any) -> tuple[list[int], Values]:
    try:
        positions, values = [int(position) for position in golden["positions"]], np.array(golden["values"], np.float64)
    except (KeyError, TypeError, ValueError):
        raise BundleError("its golden answers cannot be read: train again.") from None
    return positions, values
