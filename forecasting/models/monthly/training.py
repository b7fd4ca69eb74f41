"""Training of the method `monthly`: local or global networks, and for both of them validation networks.

Networks are trained twice. Validation networks are trained without the last months of each history, the held-out months. Their
forecasts of these months give the test scores, the widths of the intervals and the fallback gate. Final networks are
trained on all months; they make the published forecasts.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from forecasting.domain.panel import Counts, Histories, Values
from forecasting.domain.recipes import MonthlyRecipe
from forecasting.domain.vocabulary import Split
from forecasting.lstm.weights import Weights
from forecasting.models.monthly.dataset import TrainingSet, build_training_set
from forecasting.models.monthly.forecast import (
    MINIMUM_FORECAST_MONTHS,
    MINIMUM_TRAINING_MONTHS,
    VALIDATION_PREFIX,
    predict_residuals,
    validation_months,
)
from forecasting.models.monthly.global_intervals import fit_factors
from forecasting.models.monthly.global_networks import MEDIAN, train_members
from forecasting.models.monthly.local_intervals import interval_scale
from forecasting.models.monthly.local_networks import mix_paths, train_local
from forecasting.models.monthly.validation import Predictor, Validation, validate_networks
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
    """Train local networks, both the validation and the final ones in one program; arguments as for `Method`."""
    series, rows = len(seeds), _validated_rows(recipe, histories)
    earlier_lengths = histories.lengths.copy()
    earlier_lengths[rows] -= validation_months(recipe)
    training_sets = [_local_training_set(recipe, histories.values, n) for n in (earlier_lengths, histories.lengths)]
    validation_weights, weights = train_local(recipe, training_sets, seeds, workers=workers)
    if progress:
        progress(series)
    validation = _validate(recipe, validation_weights, weights, False, histories, rows, filled_mask)
    training_set = training_sets[1]
    mix = mix_paths(weights["mix"][training_set.series_index].astype(np.float64), training_set.examples)
    medians = validation.quantiles[..., MEDIAN]
    scales = interval_scale(training_set, mix, validation, medians, rows, series)
    base_path = np.zeros_like(mix), np.zeros_like(medians)
    base_scales = interval_scale(training_set, base_path[0], validation, base_path[1], rows, series)
    scalers = tuple(
        {
            "kind": "base_path",
            "guarded": bool(is_gated),
            "spread": scales[row].tolist(),
            "base_spread": base_scales[row].tolist(),
        }
        for row, is_gated in enumerate(_gate_mask(recipe, validation, rows, series))
    )
    finite = np.all([np.isfinite(tensor).reshape(series, -1).all(axis=1) for tensor in weights.values()], axis=0)
    networks = Networks(_joined(weights, validation_weights), scalers, {"shared": False, "horizon": recipe.horizon})
    return FitResult(networks, _scores(validation, rows, series), histories.lengths, ~finite)


def fit_global(
    recipe: MonthlyRecipe,
    histories: Histories,
    *,
    filled_mask: np.ndarray | None = None,
    progress: Callable[[int], None] | None = None,
) -> FitResult:
    """Train global networks, first recipe.judges validation networks, then the final ones, one per window of the recipe."""
    series, rows = len(histories.lengths), _validated_rows(recipe, histories)
    state: dict[str, Any] = {"shared": True, "horizon": recipe.horizon, "factors": {}}
    validation_weights: Weights = {}
    if len(rows):
        validated = histories.select(rows.tolist())
        earlier_lengths = validated.lengths - validation_months(recipe)
        validation_weights = _train_members(recipe, validated.values, earlier_lengths, recipe.judges, progress)
    weights = _train_members(recipe, histories.values, histories.lengths, len(recipe.windows), progress)
    validation = _validate(recipe, validation_weights, weights, True, histories, rows, filled_mask)
    if len(rows):
        by_origin = (-1, *validation.quantiles.shape[2:])  # (series · origins, horizon, levels)
        state["factors"] = fit_factors(
            validation.residuals.reshape(by_origin[:2]), validation.quantiles.reshape(by_origin)
        )
    gate_mask = _gate_mask(recipe, validation, rows, series)
    scalers = tuple({"kind": "base_path", "guarded": bool(is_gated)} for is_gated in gate_mask)
    weights = _joined(weights, validation_weights)
    diverged = not all(np.isfinite(tensor).all() for tensor in weights.values())
    networks, scores = Networks(weights, scalers, state), _scores(validation, rows, series)
    return FitResult(networks, scores, histories.lengths, np.full(series, diverged))


def comparison_months(
    histories: Histories, trained_lengths: Counts, months_since_training: Counts, minimum_months: int
) -> Counts:
    """Last months on which new networks are compared with older ones: int (series,), 0 where on none.

    They are the newer half of the months since training, but at least minimum_months. Networks like the new ones are trained
    without these months, so they learn the older half, and both forecast the newer half.
    """
    newer_half = np.maximum(months_since_training // 2, minimum_months)
    months = np.where(months_since_training >= minimum_months, newer_half, 0)
    return np.where(histories.lengths - months >= MINIMUM_FORECAST_MONTHS, months, 0)


def holdout_networks(
    recipe: MonthlyRecipe,
    networks: Networks,
    histories: Histories,
    seeds: np.ndarray,
    holdout_months: Counts,
    *,
    workers: int | None = None,
) -> Networks:
    """Train networks of the same kind without the last months; of global networks, recipe.judges of them.

    They stand for final and validation networks alike: past months are predicted by the former or by the latter.
    """
    lengths = histories.lengths - holdout_months
    if networks.are_global:
        weights = _train_members(recipe, histories.values, lengths, recipe.judges)
    else:
        training_set = _local_training_set(recipe, histories.values, lengths)
        [weights] = train_local(recipe, [training_set], seeds, workers=workers)
    return Networks(_joined(weights, weights), networks.scalers, networks.state)


def _validated_rows(recipe: MonthlyRecipe, histories: Histories) -> np.ndarray:
    """Positions of the series that are long enough for validation."""
    return np.flatnonzero(histories.lengths - validation_months(recipe) >= MINIMUM_FORECAST_MONTHS)


def _local_training_set(recipe: MonthlyRecipe, values: Values, lengths: Counts) -> TrainingSet:
    """Training set of local networks: every origin of the first `lengths` months of each history."""
    return build_training_set(
        values,
        lengths,
        horizon=recipe.horizon,
        maximum_lag=int(lengths.max(initial=1)),
        minimum_months=MINIMUM_TRAINING_MONTHS,
    )


def _train_members(
    recipe: MonthlyRecipe,
    values: Values,
    lengths: Counts,
    members: int,
    progress: Callable[[int], None] | None = None,
) -> Weights:
    """Train the first members of the global ensemble on the first `lengths` months of each history."""
    training_set = build_training_set(
        values,
        lengths,
        horizon=recipe.horizon,
        maximum_lag=max(int(recipe.horizons_back * recipe.horizon), 12),
        minimum_months=MINIMUM_TRAINING_MONTHS,
        maximum_examples=recipe.most_examples,
        seed=recipe.seed,
    )
    return train_members(recipe, training_set, range(members), recipe.seed, progress)


def _joined(weights: Weights, validation_weights: Weights) -> Weights:
    """Return the tensors of final and validation networks, the names of the latter with a prefix."""
    return weights | {f"{VALIDATION_PREFIX}{name}": tensor for name, tensor in validation_weights.items()}


def _validate(
    recipe: MonthlyRecipe,
    validation_weights: Weights,
    weights: Weights,
    are_global: bool,
    histories: Histories,
    rows: np.ndarray,
    filled_mask: np.ndarray | None,
) -> Validation:
    """Validate the networks of the series at `rows` on their held-out months."""

    def predictor(tensors: Weights) -> Predictor:
        # As many members of the final networks as there are validation networks, so that their scores can be compared.
        selected = tensors if are_global else {name: tensor[rows] for name, tensor in tensors.items()}
        return lambda examples, positions: predict_residuals(
            recipe, selected, are_global, examples, positions, members=recipe.judges
        )

    validated = histories.select(rows.tolist())
    return validate_networks(
        predictor(validation_weights),
        predictor(weights),
        validated,
        validation_months(recipe),
        horizon=recipe.horizon,
        filled_mask=None if filled_mask is None else filled_mask[rows][:, : validated.values.shape[1]],
    )


def _gate_mask(recipe: MonthlyRecipe, validation: Validation, rows: np.ndarray, series: int) -> np.ndarray:
    """Fallback gate: bool (series,), True where the network's error is more than recipe.guard times the base path's."""
    gate_mask = np.zeros(series, bool)
    gate_mask[rows] = validation.network_mae > recipe.guard * validation.base_path_mae
    return gate_mask


def _scores(validation: Validation, rows: np.ndarray, series: int) -> dict[Split, SplitScores]:
    """Return the scores of all series; n = 0 for those without validation."""
    return {split: scores.scatter(rows, series) for split, scores in validation.scores.items()}
