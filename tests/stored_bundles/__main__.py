"""Store bundles of the present format, for the tests of every later release.

    python -m tests.stored_bundles NAME

writes NAME-classic.json, NAME-own.json and NAME-shared.json beside this file. Files that are there stay as they are: they
are what an earlier release stored.
"""

import dataclasses
import json
import sys

import numpy as np

from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC, MONTHLY, Recipe
from forecasting.domain.vocabulary import Kind, NetworkScope, Vintages
from forecasting.lstm.random import series_seeds
from forecasting.models.method import method_of
from forecasting.models.monthly import training as monthly_training
from forecasting.runs.model_store import make_bundle
from forecasting.storage.runs import Request
from tests.stored_bundles import FOLDER, as_json, histories

SMALL = dataclasses.replace(
    MONTHLY,
    own_units=2,
    own_members=2,
    own_epochs=4,
    windows=(12, 24),
    emphasis=(0.5, 1.0),
    judges=1,
    units=4,
    updates=20,
)
RECIPES = {
    "classic": CLASSIC,
    "own": dataclasses.replace(SMALL, name="own", shared_from=1_000),
    "shared": dataclasses.replace(SMALL, name="shared", shared_from=1),
}


def written(recipe: Recipe) -> dict[str, object]:
    """Train on the two series, and return the bundle with what its networks say of them."""
    known = histories()
    seeds = series_seeds(recipe.seed, ["milk", "early"])
    method = method_of(recipe)
    if recipe.network_scope(2) == NetworkScope.GLOBAL:
        fitted = monthly_training.fit_global(recipe, known)  # type: ignore[arg-type]
    else:
        fitted = method.fit(recipe, known, seeds)
    origin = known.last_months[0]
    request = Request(Kind.LIVE, origin, 1, Vintages.AS_OF, recipe, Policy(), (1, 2), "all", 1000, "0", "command line")
    bundle = make_bundle(request, (1, 2), known, fitted)
    assert bundle is not None
    said = method.forecast(recipe, fitted.networks, known, positions=[0, 1])
    numbers = {"value": said.values, **said.bounds}
    assert all(np.isfinite(values).all() for values in numbers.values())
    return {
        "recipe": recipe.settings,
        "bundle": as_json(bundle),
        "said": {name: v.tolist() for name, v in numbers.items()},
    }


for kind, recipe in RECIPES.items():
    path = FOLDER / f"{sys.argv[1]}-{kind}.json"
    if path.exists():
        sys.exit(f"{path.name} is what an earlier release stored: choose another name.")
    path.write_text(json.dumps(written(recipe)) + "\n")
