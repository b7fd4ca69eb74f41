"""Training for the recipe `monthly`: networks of each series' own or shared ones, with judges, and stand-ins for challenges."""

from collections.abc import Callable
from typing import Any

import numpy as np

from forecasting.domain.panel import Counts, Histories
from forecasting.domain.recipes import MonthlyRecipe
from forecasting.lstm.weights import Weights
from forecasting.models.monthly.dataset import build_training_sets
from forecasting.models.monthly.features import Examples
from forecasting.models.monthly.forecast import (
    JUDGES,
    LEAST_TO_FORECAST,
    LEAST_TO_LEARN,
    held_months,
    predict_residuals,
)
from forecasting.models.monthly.global_intervals import fit_factors
from forecasting.models.monthly.global_networks import MEDIAN, train_members
from forecasting.models.monthly.local_intervals import interval_scale
from forecasting.models.monthly.local_networks import mix_paths, train_local
from forecasting.models.monthly.validation import Validation, validate_networks
from forecasting.models.types import FitResult, Networks, SplitScores


def fit(
    recipe: MonthlyRecipe,
    histories: Histories,
    seeds: np.ndarray,
    *,
    filled_mask: np.ndarray | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> FitResult:
    """Train networks of each series' own on histories without gaps; what becomes of a series is its own matter.

    seeds: uint64 (series,). filled: bool (series, months), months that were missing: they are learned from as they were
    filled, but judge nothing. Networks are trained twice, at once: without the last months, which then say how wide
    intervals must be and which series are better left to the base path, and on everything.
    """
    held = held_months(recipe)
    judged = np.flatnonzero(histories.lengths - held >= LEAST_TO_FORECAST)
    earlier = histories.lengths - np.where(histories.lengths - held >= LEAST_TO_FORECAST, held, 0)
    learnings = [
        build_training_sets(
            histories.values, lengths, horizon=recipe.horizon, months=int(lengths.max(initial=1)), least=LEAST_TO_LEARN
        )
        for lengths in (earlier, histories.lengths)
    ]
    judges, weights = train_local(recipe, learnings, seeds, workers=workers)
    if progress:
        progress(len(seeds))
    found = _hold_out(recipe, (judges, weights), False, histories, judged, filled_mask)
    path = mix_paths(weights["mix"][learnings[1].series].astype(np.float64), learnings[1].examples)
    spread = interval_scale(learnings[1], path, found, found.said[..., MEDIAN], judged, len(seeds))
    base_spread = interval_scale(
        learnings[1], np.zeros_like(path), found, np.zeros_like(found.truth), judged, len(seeds)
    )
    guarded = _guarded(recipe, found, judged, len(seeds))
    scalers = tuple(
        {
            "kind": "base_path",
            "guarded": bool(own),
            "spread": spread[row].tolist(),
            "base_spread": base_spread[row].tolist(),
        }
        for row, own in enumerate(guarded)
    )
    finite = np.all([np.isfinite(tensor).reshape(len(seeds), -1).all(axis=1) for tensor in weights.values()], axis=0)
    weights |= {f"{JUDGES}{name}": tensor for name, tensor in judges.items()}
    networks = Networks(weights, scalers, {"shared": False, "horizon": recipe.horizon})
    return FitResult(networks, _spread(found, judged, len(seeds)), histories.lengths, ~finite)


def fit_global(
    recipe: MonthlyRecipe,
    histories: Histories,
    *,
    filled_mask: np.ndarray | None = None,
    progress: Callable[[int], None] | None = None,
) -> FitResult:
    """Train the networks that all series share, from the recipe's seed; otherwise as `fit`.

    progress: called with the number of networks done since the last call, of recipe.judges + len(recipe.windows).
    """
    series, held = len(histories.lengths), held_months(recipe)
    judged = np.flatnonzero(histories.lengths - held >= LEAST_TO_FORECAST)
    state: dict[str, Any] = {"shared": True, "horizon": recipe.horizon, "factors": {}}

    earlier = histories.select(judged.tolist())
    earlier = Histories(earlier.values, earlier.lengths - held, earlier.last_months)
    judges = _learn_and_train(recipe, earlier, recipe.judges, progress) if len(judged) else {}
    weights = _learn_and_train(recipe, histories, len(recipe.windows), progress)
    found = _hold_out(recipe, (judges, weights), True, histories, judged, filled_mask)
    if len(judged):
        shape = (-1, *found.said.shape[2:])
        state["factors"] = fit_factors(found.truth.reshape(shape[:2]), found.said.reshape(shape))
    scalers = tuple(
        {"kind": "base_path", "guarded": bool(guarded)} for guarded in _guarded(recipe, found, judged, series)
    )
    weights |= {f"{JUDGES}{name}": tensor for name, tensor in judges.items()}
    finite = all(np.isfinite(tensor).all() for tensor in weights.values())
    return FitResult(
        Networks(weights, scalers, state),
        _spread(found, judged, series),
        histories.lengths,
        np.full(series, not finite),
    )


def _learn_and_train(
    recipe: MonthlyRecipe, known: Histories, members: int, progress: Callable[[int], None] | None = None
) -> Weights:
    """Train the first members of the shared networks on what is known."""
    learning = build_training_sets(
        known.values,
        known.lengths,
        horizon=recipe.horizon,
        months=max(int(recipe.horizons_back * recipe.horizon), 12),
        least=LEAST_TO_LEARN,
        most=recipe.most_examples,
        seed=recipe.seed,
    )
    return train_members(recipe, learning, range(members), recipe.seed, progress)


def comparison_months(
    histories: Histories,
    trained_lengths: Counts,
    months_since_training: Counts,
    minimum_months: int,
) -> Counts:
    """Say on how many months, the last ones, new networks can be compared with older ones, 0 where on none.

    since: (series,) months that the older ones have not seen. A stand-in for the new ones learns the older half of them,
    and both forecast the newer half, at least `least` months: what newer months teach counts.
    """
    months = np.where(
        months_since_training >= minimum_months, np.maximum(months_since_training // 2, minimum_months), 0
    )
    return np.where(histories.lengths - months >= LEAST_TO_FORECAST, months, 0)


def holdout_networks(
    recipe: MonthlyRecipe,
    networks: Networks,
    histories: Histories,
    seeds: np.ndarray,
    months: Counts,
    *,
    workers: int | None = None,
) -> Networks:
    """Train networks as `fit` or `fit_global` did, but without the last months of each series: (series,).

    networks: those trained on everything. Of shared ones, as many are trained as there are judges.
    """
    known = Histories(histories.values, histories.lengths - months, histories.last_months)
    if networks.are_global:
        weights = _learn_and_train(recipe, known, recipe.judges)
    else:
        longest = int(known.lengths.max(initial=1))
        learning = build_training_sets(
            known.values, known.lengths, horizon=recipe.horizon, months=longest, least=LEAST_TO_LEARN
        )
        [weights] = train_local(recipe, [learning], seeds, workers=workers)
    weights |= {f"{JUDGES}{name}": tensor for name, tensor in weights.items()}
    return Networks(weights, networks.scalers, networks.state)


def _hold_out(
    recipe: MonthlyRecipe,
    networks: tuple[Weights, Weights],
    shared: bool,
    histories: Histories,
    rows: np.ndarray,
    filled_mask: np.ndarray | None,
) -> Validation:
    """Judge the series at some rows by networks that have not seen their last months, and by ones that have."""

    def predict_with(weights: Weights) -> Callable[[Examples, np.ndarray], np.ndarray]:
        # As many members of the trained networks as there are judges: the ensemble's size must make no difference.
        own = weights if shared else {name: tensor[rows] for name, tensor in weights.items()}
        return lambda examples, places: predict_residuals(recipe, own, shared, examples, places, members=recipe.judges)

    judges, trained = networks
    judged = histories.select(rows.tolist())
    return validate_networks(
        predict_with(judges),
        predict_with(trained),
        judged,
        held_months(recipe),
        horizon=recipe.horizon,
        filled_mask=None if filled_mask is None else filled_mask[rows][:, : judged.values.shape[1]],
    )


def _guarded(recipe: MonthlyRecipe, found: Validation, judged: np.ndarray, series: int) -> np.ndarray:
    """Say for which series the network was much worse than the base path on held-out months: bool (series,)."""
    guarded = np.zeros(series, bool)
    guarded[judged] = found.errors[0] > recipe.guard * found.errors[1]
    return guarded


def _spread(found: Validation, judged: np.ndarray, series: int) -> dict[str, SplitScores]:
    """Return the scores of all series; those that could not be judged have none."""
    return {split: scores.scatter(judged, series) for split, scores in found.scores.items()}
