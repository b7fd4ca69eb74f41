"""From trained networks to a bundle that can be stored, and back; a bundle's bytes and numbers pass through here."""

import functools
import platform
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import numpy as np

from forecasting import __version__
from forecasting.domain.errors import BundleError
from forecasting.domain.panel import Histories
from forecasting.models import codec as tensors
from forecasting.models.golden import check_networks, golden_answers
from forecasting.models.types import FitResult, Networks, SplitScores
from forecasting.storage.bundles import Bundle, Member, members_digest
from forecasting.storage.runs import Run

LIBRARIES = ("tensorflow", "numpy")
version = functools.cache(metadata.version)  # it reads files


def make_bundle(run: Run, series_ids: Sequence[int], histories: Histories, fitted: FitResult) -> Bundle | None:
    """Bundle the networks that ended in finite numbers; None where none did.

    series_ids, histories: of the series that were trained, in the order of `fitted`.
    """
    kept = [row for row in range(len(series_ids)) if not fitted.diverged_mask[row]]
    if not kept:
        return None
    networks = fitted.networks.select(kept)
    payload, manifest = tensors.pack(networks.weights)
    members = tuple(_member(series_ids[row], place, histories, fitted, row) for place, row in enumerate(kept))
    state = networks.state
    if networks.are_global:
        # Members of networks that all series share are many and say little: what forecasts need stands in the manifest.
        guarded = [member.series_id for member in members if member.scaler["guarded"]]
        state = {**state, "guarded": sorted(guarded)}
    provenance = {"code": __version__, "python": platform.python_version(), "seed": run.recipe.seed}
    provenance |= {name: version(name) for name in LIBRARIES}
    golden = golden_answers(run.recipe, networks)
    parts = {"networks": manifest, "state": state, "provenance": provenance, "members": members_digest(members)}
    whole = {**parts, "golden": golden}
    return Bundle(run.recipe, run.origin, run.as_of, payload, whole, members)


def networks_from(bundle_id: str, bundle: Bundle, series_ids: Sequence[int]) -> tuple[Networks, list[int]]:
    """Return the networks of a stored bundle, and which of them belongs to each of some series (-1: none).

    Raises BundleError when payload, manifest, scalers or positions are not those that were stored under this name, are not of
    the form of the recipe's networks, or do not give their golden answers (networks/golden.py).
    """
    if not bundle.payload:
        raise BundleError("its numbers were removed by milkrun prune: restore them from a backup, or train again.")
    weights = tensors.unpack(bundle.payload, bundle.manifest.get("networks", {}))
    if bundle.bundle_id != bundle_id:
        raise BundleError("its manifest differs from what was stored: train again.")
    state: Any = bundle.manifest.get("state")
    if not isinstance(state, dict) or (state.get("shared") and not _has_shared_parts(state)):
        raise BundleError("its manifest lacks what its networks need: train again.")
    if state.get("shared"):
        guarded = set(state["guarded"])
        scalers = tuple({"guarded": series_id in guarded} for series_id in series_ids)
        networks, positions = Networks(weights, scalers, state), list(range(len(series_ids)))
    else:
        if members_digest(bundle.members) != bundle.manifest.get("members"):
            raise BundleError("a scaler or a position differs from what was stored: train again.")
        if any(tensor.shape[:1] != (len(bundle.members),) for tensor in weights.values()):
            raise BundleError("it has more or fewer networks than members: train again.")
        places = {member.series_id: place for place, member in enumerate(bundle.members)}
        networks = Networks(weights, tuple(member.scaler for member in bundle.members), state)
        positions = [places.get(series_id, -1) for series_id in series_ids]
    check_networks(bundle.recipe, networks, bundle.manifest.get("golden"))
    return networks, positions


def _has_shared_parts(state: dict[str, Any]) -> bool:
    guarded, factors = state.get("guarded"), state.get("factors")
    return isinstance(guarded, list) and all(map(tensors.is_count, guarded)) and isinstance(factors, dict)


def damage_message(bundle_id: str, damage: BundleError) -> str:
    """Say which bundle is damaged, and how."""
    return f"Bundle {bundle_id[:12]}: {damage}"


def _member(series_id: int, place: int, histories: Histories, fitted: FitResult, row: int) -> Member:
    last = histories.last_months[row]
    seen = int(fitted.trained_lengths[row]) - int(histories.lengths[row])
    first = {split: finite_or_none(scores.rmse[row, 0]) for split, scores in fitted.scores.items()}
    return Member(
        series_id,
        place,
        fitted.networks.scalers[row],
        trained_through=last + seen,
        origin=last,
        train_rmse=first.get("train"),
        test_rmse=first.get("test"),
        scores={split: _plain(scores, row) for split, scores in fitted.scores.items()}
        if fitted.networks.are_global
        else None,
    )


def _plain(scores: SplitScores, row: int) -> dict[str, list[float | None]]:
    """Return a series' scores as JSON values: one list per measure, one entry per horizon."""
    return {name: [finite_or_none(number) for number in getattr(scores, name)[row]] for name in MEASURES}


MEASURES = ("n", "rmse", "baseline_rmse", "naive_rmse", "base_path_rmse", "skill")


def finite_or_none(number: float) -> float | None:
    """Return a number as JSON and SQL take it: None where it is not finite."""
    return float(number) if np.isfinite(number) else None
