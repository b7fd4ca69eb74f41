"""Bundles as each format of them was stored, with what their networks said: every later release must say the same."""

import base64
import importlib.resources
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecasting.domain.months import Month
from forecasting.domain.panel import Histories
from forecasting.domain.recipes import Recipe
from forecasting.storage.bundles import Bundle, Member

FOLDER = Path(__file__).parent


def histories() -> Histories:
    """Give two series to forecast: the milk series, and its first twelve years."""
    milk = pd.read_csv(str(importlib.resources.files("forecasting.examples").joinpath("milk.csv"))).iloc[:, 1]
    values = np.stack([milk.to_numpy(dtype=np.float64)] * 2)
    lengths = np.array([168, 144])
    values[np.arange(168) >= lengths[:, None]] = np.nan
    return Histories(values, lengths, (Month.of(1975, 12), Month.of(1973, 12)))


def as_json(bundle: Bundle) -> dict[str, Any]:
    """Write a bundle as JSON values."""
    members = [{**asdict(member), **_texts(member)} for member in bundle.members]
    plain = {"recipe_hash": bundle.recipe.hash, "origin": str(bundle.origin), "as_of": bundle.as_of}
    payload = base64.b64encode(bundle.payload).decode()
    return {"bundle_id": bundle.bundle_id, **plain, "payload": payload, "manifest": bundle.manifest, "members": members}


def from_json(recipe: Recipe, stored: dict[str, Any]) -> Bundle:
    """Read a bundle that was written as JSON values."""
    members = tuple(
        Member(**{**member, **{name: Month.parse(member[name]) for name in _months()}}) for member in stored["members"]
    )
    payload = base64.b64decode(stored["payload"])
    origin = Month.parse(stored["origin"])
    return Bundle(recipe, origin, stored["as_of"], payload, stored["manifest"], members)


def read(path: Path) -> dict[str, Any]:
    """Read a file of this folder."""
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _texts(member: Member) -> dict[str, str]:
    return {name: str(getattr(member, name)) for name in _months()}


def _months() -> list[str]:
    return [field.name for field in fields(Member) if field.type is Month]
