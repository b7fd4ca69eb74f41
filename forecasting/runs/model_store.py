"""From trained networks to a bundle that can be stored, and back: the one place where stored networks are read.

A bundle is damaged when its payload, manifest, scalers or positions are not those that were stored under its id, when they
are not of the form of its recipe's networks, or when the networks do not give their golden answers (models/golden.py).
"""

import functools
import platform
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np

from forecasting.domain.errors import BundleError
from forecasting.domain.panel import Histories
from forecasting.domain.version import __version__
from forecasting.domain.vocabulary import Split
from forecasting.models import codec
from forecasting.models.golden import check_networks, golden_answers
from forecasting.models.types import FitResult, Networks, SplitScores
from forecasting.storage.bundles import Bundle, Member, members_digest
from forecasting.storage.runs import Request

LIBRARIES = ("tensorflow", "numpy")
MEASURES = ("n", "rmse", "baseline_rmse", "naive_rmse", "base_path_rmse", "skill")
library_version = functools.cache(metadata.version)  # it reads files


@dataclass(frozen=True)
class StoredModel:
    """The networks of one bundle, checked.

    positions: by series, which of the networks is the series' own; empty for global networks. guarded_ids: the series whose
    forecast the fallback gate leaves to the base path, of global networks.
    """

    bundle_id: str
    networks: Networks
    positions: Mapping[int, int]
    guarded_ids: frozenset[int] = frozenset()

    def networks_for(self, series_ids: Sequence[int]) -> tuple[Networks, list[int]]:
        """Return networks and, for each of some series, the position of its network in them (-1: it has none)."""
        if self.networks.are_global:
            scalers = tuple({"guarded": series_id in self.guarded_ids} for series_id in series_ids)
            return Networks(self.networks.weights, scalers, self.networks.state), list(range(len(series_ids)))
        return self.networks, [self.positions.get(series_id, -1) for series_id in series_ids]


@dataclass(frozen=True)
class NetworkGroup:
    """The networks of one bundle, for some rows of a caller's series; positions: of each row's network."""

    bundle_id: str
    rows: list[int]
    networks: Networks
    positions: list[int]


class ModelStore:
    """Reads stored networks, each bundle once; a damaged bundle spoils nothing but itself."""

    def __init__(self, read_bundles: Callable[[Collection[str]], Mapping[str, Bundle]]) -> None:
        self._read_bundles = read_bundles
        self._models: dict[str, StoredModel | BundleError] = {}

    def read(self, bundle_ids: Collection[str]) -> None:
        """Read and check the bundles that are not there yet, in one statement."""
        missing = set(bundle_ids) - self._models.keys()
        if missing:
            for bundle_id, bundle in self._read_bundles(missing).items():
                try:
                    self._models[bundle_id] = load_model(bundle_id, bundle)
                except BundleError as damage:
                    self._models[bundle_id] = BundleError(f"Bundle {bundle_id[:12]}: {damage}")

    def model(self, bundle_id: str) -> StoredModel:
        """Return the networks of one bundle; raises BundleError, which names the bundle, where it is damaged."""
        self.read([bundle_id])
        model = self._models[bundle_id]
        if isinstance(model, BundleError):
            raise model
        return model

    def damage(self, bundle_id: str) -> str | None:
        """Say what is wrong with a bundle, None where nothing is."""
        try:
            self.model(bundle_id)
        except BundleError as damage:
            return str(damage)
        return None

    def group(
        self, bundle_ids: Mapping[int, str], series_ids: Sequence[int]
    ) -> tuple[list[NetworkGroup], dict[int, str]]:
        """Return the networks of some rows, one group for each bundle, and by row what is wrong with a damaged bundle.

        bundle_ids: by row. series_ids: of all rows.
        """
        rows_by_bundle: dict[str, list[int]] = {}
        for row, bundle_id in bundle_ids.items():
            rows_by_bundle.setdefault(bundle_id, []).append(row)
        self.read(rows_by_bundle.keys())
        groups: list[NetworkGroup] = []
        damages: dict[int, str] = {}
        for bundle_id, rows in rows_by_bundle.items():
            model = self._models[bundle_id]
            if isinstance(model, BundleError):
                damages |= dict.fromkeys(rows, str(model))
                continue
            groups.append(NetworkGroup(bundle_id, rows, *model.networks_for([series_ids[row] for row in rows])))
        return groups, damages


def load_model(bundle_id: str, bundle: Bundle) -> StoredModel:
    """Turn a stored bundle into networks; raises BundleError where it is damaged, or its numbers were removed."""
    if not bundle.payload:
        raise BundleError("its numbers were removed by milkrun prune: restore them from a backup, or train again.")
    weights = codec.unpack(bundle.payload, bundle.manifest.get("networks", {}))
    if bundle.bundle_id != bundle_id:
        raise BundleError("its manifest differs from what was stored: train again.")
    state: Any = bundle.manifest.get("state")
    if not isinstance(state, dict) or (state.get("shared") and not _has_global_parts(state)):
        raise BundleError("its manifest lacks what its networks need: train again.")
    if state.get("shared"):
        model = StoredModel(bundle_id, Networks(weights, (), state), {}, frozenset(state["guarded"]))
    else:
        if members_digest(bundle.members) != bundle.manifest.get("members"):
            raise BundleError("a scaler or a position differs from what was stored: train again.")
        if any(tensor.shape[:1] != (len(bundle.members),) for tensor in weights.values()):
            raise BundleError("it has more or fewer networks than members: train again.")
        networks = Networks(weights, tuple(member.scaler for member in bundle.members), state)
        positions = {member.series_id: position for position, member in enumerate(bundle.members)}
        model = StoredModel(bundle_id, networks, positions)
    check_networks(bundle.recipe, model.networks, bundle.manifest.get("golden"))
    return model


def _has_global_parts(state: dict[str, Any]) -> bool:
    guarded_ids, factors = state.get("guarded"), state.get("factors")
    return isinstance(guarded_ids, list) and all(map(codec.is_count, guarded_ids)) and isinstance(factors, dict)


def make_bundle(
    request: Request, series_ids: Sequence[int], histories: Histories, fit_result: FitResult
) -> Bundle | None:
    """Bundle the networks that ended in finite numbers; None where none did.

    series_ids, histories: of the series that networks were trained for, in the order of `fit_result`.
    """
    rows = [row for row in range(len(series_ids)) if not fit_result.diverged_mask[row]]
    if not rows:
        return None
    networks = fit_result.networks.select(rows)
    payload, payload_manifest = codec.pack(networks.weights)
    members = tuple(_member(series_ids[row], position, histories, fit_result, row) for position, row in enumerate(rows))
    state = networks.state
    if networks.are_global:
        # Global networks are read without their members, which are many. So the manifest lists the guarded series.
        state = {**state, "guarded": sorted(member.series_id for member in members if member.scaler["guarded"])}
    provenance = {"code": __version__, "python": platform.python_version(), "seed": request.recipe.seed}
    provenance |= {name: library_version(name) for name in LIBRARIES}
    manifest = {
        "networks": payload_manifest,
        "state": state,
        "provenance": provenance,
        "members": members_digest(members),
        "golden": golden_answers(request.recipe, networks),
    }
    return Bundle(request.recipe, request.origin, request.as_of, payload, manifest, members)


def _member(series_id: int, position: int, histories: Histories, fit_result: FitResult, row: int) -> Member:
    """Return the member of one series; position: in the bundle. row: in histories and fit_result."""
    last_month = histories.last_months[row]
    first_rmse = {split: finite_or_none(scores.rmse[row, 0]) for split, scores in fit_result.scores.items()}
    return Member(
        series_id,
        position,
        fit_result.networks.scalers[row],
        trained_through=last_month + (int(fit_result.trained_lengths[row]) - int(histories.lengths[row])),
        origin=last_month,
        train_rmse=first_rmse.get(Split.TRAIN),
        test_rmse=first_rmse.get(Split.TEST),
        scores={split: _score_lists(scores, row) for split, scores in fit_result.scores.items()}
        if fit_result.networks.are_global
        else None,
    )


def _score_lists(scores: SplitScores, row: int) -> dict[str, list[float | None]]:
    """Return the scores of a series as JSON values: by measure, a list with a number for each horizon."""
    return {name: [finite_or_none(number) for number in getattr(scores, name)[row]] for name in MEASURES}


def finite_or_none(number: float) -> float | None:
    """Return a number as JSON and SQL take it: None where it is not finite."""
    return float(number) if np.isfinite(number) else None
