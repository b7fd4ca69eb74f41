"""Golden answers: forecasts of a constant history by a bundle's networks, stored in the bundle and computed again at each load.

The checksum of a bundle shows that its numbers are those that were stored. The golden answers show that this release, with
its libraries and on this machine, computes the same forecasts from them as the release that stored them. Before that,
tensors and scalers must have the names and shapes of the recipe's networks.
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

MONTHS = 72  # more than any recipe needs for a forecast
TOLERANCE = 1e-3  # as a share of the largest number of an answer: libraries may round float32 otherwise


def golden_answers(recipe: Recipe, networks: Networks) -> dict[str, Any]:
    """Forecast the golden history by the first, the middle and the last of the networks.

    Returns JSON values: positions of these networks, and values (positions, horizon). An answer that is not finite is
    left out; a scaler near the limits of float64 gives one.
    """
    network_count = 1 if networks.are_global else len(networks.scalers)
    positions = sorted({0, network_count // 2, network_count - 1})
    answers = _forecast_golden_history(recipe, networks, positions)
    finite_rows = [row for row, answer in enumerate(answers) if np.isfinite(answer).all()]
    return {"positions": [positions[row] for row in finite_rows], "values": answers[finite_rows].tolist()}


def check_networks(recipe: Recipe, networks: Networks, golden: Any) -> None:
    """Raise BundleError where tensors or scalers do not fit the recipe, or the golden answers differ.

    golden: the stored result of `golden_answers`; None for bundles of releases that stored none.
    """
    _check_tensors_and_scalers(recipe, networks)
    if golden is None:
        return
    positions, values = _read_golden(golden)
    if not all(0 <= position < (1 if networks.are_global else len(networks.scalers)) for position in positions):
        raise BundleError("its golden answers are of networks that it does not have: train again.")
    if not positions:
        return
    answers = _forecast_golden_history(recipe, networks, positions)
    if values.shape != answers.shape:
        raise BundleError(
            f"its golden answers have the shape {values.shape}, its networks' {answers.shape}: train again."
        )
    with np.errstate(all="ignore"):
        largest = np.maximum(np.abs(values).max(axis=1), np.finfo(np.float64).tiny)
        differences = np.abs(answers - values).max(axis=1) / largest
    if not (differences <= TOLERANCE).all():
        raise BundleError(
            f"its networks do not answer as they did when they were stored, {np.max(differences):.2g} of the answer away: "
            "train again, or go back to the release and the libraries that its manifest names."
        )


def _forecast_golden_history(recipe: Recipe, networks: Networks, positions: Sequence[int]) -> Values:
    """Forecast the golden history by the networks at `positions`: (positions, horizon)."""
    method = method_of(recipe)
    if networks.are_global:
        networks = replace(networks, scalers=({"guarded": False},))
    with np.errstate(all="ignore"):
        return method.forecast(
            method.golden_recipe(recipe), networks, golden_histories(len(positions)), positions=positions
        ).values


def golden_histories(copies: int) -> Histories:
    """Return so many copies of the golden history: six years with a trend and a season."""
    month_index = np.arange(MONTHS)
    season = np.array([0.9, 0.85, 1.0, 1.05, 1.15, 1.2, 1.1, 1.05, 0.95, 0.9, 0.9, 0.95])
    values = (600 + 2 * month_index) * np.tile(season, MONTHS // 12)
    last_month = Month.of(2000, 1) + (MONTHS - 1)
    return Histories(np.tile(values, (copies, 1)), np.full(copies, MONTHS), (last_month,) * copies)


def _check_tensors_and_scalers(recipe: Recipe, networks: Networks) -> None:
    """Raise BundleError where a tensor's name or shape, or a scaler's fields, are not those of the recipe's networks."""
    expected = method_of(recipe).tensor_shapes(recipe, networks)
    actual = {
        name: tensor.shape if networks.are_global else tensor.shape[1:] for name, tensor in networks.weights.items()
    }
    wrong_names = sorted(name for name in expected.keys() | actual.keys() if expected.get(name) != actual.get(name))
    if wrong_names:
        name = wrong_names[0]
        raise BundleError(
            f"tensor {name!r} has the shape {actual.get(name)}, recipe {recipe.name} has {expected.get(name)}: train again."
        )
    field_types = method_of(recipe).SCALER_FIELDS
    if not networks.are_global and not all(_has_fields(scaler, field_types) for scaler in networks.scalers):
        raise BundleError(f"a scaler is not of the form of recipe {recipe.name}: train again.")


def _has_fields(scaler: Any, field_types: Mapping[str, type]) -> bool:
    """Say whether a scaler has exactly these fields, with values of these types; all numbers must be finite."""
    if not isinstance(scaler, dict) or scaler.keys() != field_types.keys():
        return False
    for name, field_type in field_types.items():
        value = scaler[name]
        if field_type in (float, list):
            numbers = value if field_type is list and isinstance(value, list) else [value]
            if not all(type(number) in (float, int) and math.isfinite(number) for number in numbers):
                return False
        elif not isinstance(value, field_type):
            return False
    return True


def _read_golden(golden: Any) -> tuple[list[int], Values]:
    """Read positions, and values (positions, horizon), from stored golden answers; raises BundleError."""
    try:
        return [int(position) for position in golden["positions"]], np.array(golden["values"], np.float64)
    except (KeyError, TypeError, ValueError):
        raise BundleError("its golden answers cannot be read: train again.") from None
