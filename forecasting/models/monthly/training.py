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
    """Train local networks, both the validation and the final ones in one program.

    seeds: uint64 (series,). filled_mask: bool (series, months), True for a month that no score counts. workers: threads, None for
    one per core. progress: called once, with the number of series.
    """
    series_count, validated_rows = len(seeds), _validated_rows(recipe, histories)
    lengths_before_holdout = histories.lengths.copy()
    lengths_before_holdout[validated_rows] -= validation_months(recipe)
    validation_set = _local_training_set(recipe, histories.values, lengths_before_holdout)
    final_set = _local_training_set(recipe, histories.values, histories.lengths)
    validation_weights, final_weights = train_local(recipe, [validation_set, final_set], seeds, workers=workers)
    if progress:
        progress(series_count)
    validation = _validate(
        recipe, validation_weights, final_weights, histories, validated_rows, filled_mask, are_global=False
    )
    # Errors of the networks' forecasts and of the base path's. Less the base path, in units of scale, the latter are zero.
    mix = mix_paths(final_weights["mix"][final_set.series_index].astype(np.float64), final_set.examples)
    medians = validation.quantiles[..., MEDIAN]
    zero_mix, zero_medians = np.zeros_like(mix), np.zeros_like(medians)
    spreads = interval_scale(final_set, mix, validation, medians, validated_rows, series_count)
    base_spreads = interval_scale(final_set, zero_mix, validation, zero_medians, validated_rows, series_count)
    guarded_mask = _guarded_mask(recipe, validation, validated_rows, series_count)
    scalers = tuple(
        {
            "kind": "base_path",
            "guarded": bool(is_guarded),
            "spread": spread.tolist(),
            "base_spread": base_spread.tolist(),
        }
        for is_guarded, spread, base_spread in zip(guarded_mask, spreads, base_spreads, strict=True)
    )
    weights = _join(final_weights, validation_weights)
    finite_tensors = [np.isfinite(tensor).reshape(series_count, -1).all(axis=1) for tensor in weights.values()]
    networks = Networks(weights, scalers, {"shared": False, "horizon": recipe.horizon})
    scores = _scores(validation, validated_rows, series_count)
    return FitResult(networks, scores, histories.lengths, ~np.all(finite_tensors, axis=0))


def fit_global(
    recipe: MonthlyRecipe,
    histories: Histories,
    *,
    filled_mask: np.ndarray | None = None,
    progress: Callable[[int], None] | None = None,
) -> FitResult:
    """Train global networks, first recipe.judges validation networks, then the final ones, one per window of the recipe.

    filled_mask: as for `fit`. progress: called with 1 after each network.
    """
    series_count, validated_rows = len(histories.lengths), _validated_rows(recipe, histories)
    state: dict[str, Any] = {"shared": True, "horizon": recipe.horizon, "factors": {}}
    validation_weights: Weights = {}
    if len(validated_rows):
        validated = histories.select(validated_rows.tolist())
        lengths_before_holdout = validated.lengths - validation_months(recipe)
        validation_weights = _train_members(recipe, validated.values, lengths_before_holdout, recipe.judges, progress)
    final_weights = _train_members(recipe, histories.values, histories.lengths, len(recipe.windows), progress)
    validation = _validate(
        recipe, validation_weights, final_weights, histories, validated_rows, filled_mask, are_global=True
    )
    if len(validated_rows):
        shape = (-1, *validation.quantiles.shape[2:])  # (series · origins, horizon, levels)
        state["factors"] = fit_factors(validation.residuals.reshape(shape[:2]), validation.quantiles.reshape(shape))
    guarded_mask = _guarded_mask(recipe, validation, validated_rows, series_count)
    scalers = tuple({"kind": "base_path", "guarded": bool(is_guarded)} for is_guarded in guarded_mask)
    weights = _join(final_weights, validation_weights)
    has_diverged = not all(np.isfinite(tensor).all() for tensor in weights.values())
    networks, scores = Networks(weights, scalers, state), _scores(validation, validated_rows, series_count)
    return FitResult(networks, scores, histories.lengths, np.full(series_count, has_diverged))


def comparison_months(
    histories: Histories, trained_lengths: Counts, months_since_training: Counts, minimum_months: int
) -> Counts:
    """Last months on which new networks are compared with older ones: int (series,), 0 where on none.

    They are the newer half of the months since training, but at least minimum_months. Networks like the new ones are trained
    without these months, so they learn the older half, and both forecast the newer half.
    """
    newer_half = np.maximum(months_since_training // 2, minimum_months)
    month_counts = np.where(months_since_training >= minimum_months, newer_half, 0)
    return np.where(histories.lengths - month_counts >= MINIMUM_FORECAST_MONTHS, month_counts, 0)


def holdout_networks(
    recipe: MonthlyRecipe,
    networks: Networks,
    histories: Histories,
    seeds: np.ndarray,
    holdout_months: Counts,
    *,
    workers: int | None = None,
) -> Networks:
    """Train networks of the same kind without the last holdout_months; of global networks, recipe.judges of them.

    They stand for final and validation networks alike: past months are predicted by the former or by the latter.
    """
    lengths_before_holdout = histories.lengths - holdout_months
    if networks.are_global:
        weights = _train_members(recipe, histories.values, lengths_before_holdout, recipe.judges)
    else:
        training_set = _local_training_set(recipe, histories.values, lengths_before_holdout)
        [weights] = train_local(recipe, [training_set], seeds, workers=workers)
    return Networks(_join(weights, weights), networks.scalers, networks.state)


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
    member_count: int,
    progress: Callable[[int], None] | None = None,
) -> Weights:
    """Train the first member_count members of the global ensemble on the first `lengths` months of each history."""
    training_set = build_training_set(
        values,
        lengths,
        horizon=recipe.horizon,
        maximum_lag=max(int(recipe.horizons_back * recipe.horizon), 12),
        minimum_months=MINIMUM_TRAINING_MONTHS,
        maximum_examples=recipe.most_examples,
        seed=recipe.seed,
    )
    return train_members(recipe, training_set, range(member_count), recipe.seed, progress)


def _join(final_weights: Weights, validation_weights: Weights) -> Weights:
    """Return the tensors of final and validation networks, the names of the latter with a prefix."""
    return final_weights | {f"{VALIDATION_PREFIX}{name}": tensor for name, tensor in validation_weights.items()}


def _validate(
    recipe: MonthlyRecipe,
    validation_weights: Weights,
    final_weights: Weights,
    histories: Histories,
    validated_rows: np.ndarray,
    filled_mask: np.ndarray | None,
    *,
    are_global: bool,
) -> Validation:
    """Validate the networks on the held-out months of the series at validated_rows; filled_mask: as for `fit`."""

    def predictor(weights: Weights) -> Predictor:
        # As many members of the final networks as there are validation networks, so that their scores can be compared.
        selected = weights if are_global else {name: tensor[validated_rows] for name, tensor in weights.items()}
        return lambda examples, positions: predict_residuals(
            recipe, selected, are_global, examples, positions, member_count=recipe.judges
        )

    validated = histories.select(validated_rows.tolist())
    return validate_networks(
        predictor(validation_weights),
        predictor(final_weights),
        validated,
        validation_months(recipe),
        horizon=recipe.horizon,
        filled_mask=None if filled_mask is None else filled_mask[validated_rows][:, : validated.values.shape[1]],
    )


def _guarded_mask(recipe: MonthlyRecipe, validation: Validation, rows: np.ndarray, series_count: int) -> np.ndarray:
    """Fallback gate: bool (series,), True where the base path forecasts instead of networks that were much worse than it.

    rows: int (validated series,), their positions among the series; their error is more than recipe.guard times the base path's.
    """
    guarded_mask = np.zeros(series_count, bool)
    guarded_mask[rows] = validation.network_mae > recipe.guard * validation.base_path_mae
    return guarded_mask


def _scores(validation: Validation, rows: np.ndarray, series_count: int) -> dict[Split, SplitScores]:
    """Return the scores of all series, from those of the validated series at `rows`; n = 0 for the others."""
    return {split: scores.scatter(rows, series_count) for split, scores in validation.scores.items()}
