"""Validation: forecasts of the last months by networks that were not trained on them, and the errors of these forecasts.

Every month before a held-out month is an origin once. So horizon 1 has as many errors as there are held-out months, the
longest horizon has the fewest. A forecast uses only the months up to its origin.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from forecasting.domain.panel import Counts, Histories, Values
from forecasting.domain.settings import usable_cores
from forecasting.domain.vocabulary import Split
from forecasting.models.monthly.dataset import BLOCK, describe_histories, residuals_of, values_of
from forecasting.models.monthly.features import Examples
from forecasting.models.monthly.global_networks import LEVELS, MEDIAN
from forecasting.models.types import SplitScores
from forecasting.numerics.baselines import naive, seasonal_naive
from forecasting.numerics.metrics import rmse, skill

# Examples, and the position of each row's series -> quantiles of residuals (rows, horizon, levels) in units of scale.
Predictor = Callable[[Examples, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Validation:
    """Held-out months and their forecasts; axis of origins: the earliest first.

    residuals: float32 (series, origins, horizon) in units of scale, of the observed values, NaN where there is none.
    quantiles: float32 (series, origins, horizon, levels) in units of scale, predicted by the validation networks. scales:
    (series, origins) in logs. network_mae, base_path_mae: (series,), mean absolute error in logs over origins and horizons,
    of the validation networks and of the base path. scores: on the held-out months, "test" of the validation networks,
    "train" of the final networks, which were trained on them.
    """

    residuals: np.ndarray
    quantiles: np.ndarray
    scales: Values
    network_mae: Values
    base_path_mae: Values
    scores: dict[Split, SplitScores]


def validate_networks(
    validation_networks: Predictor,
    final_networks: Predictor,
    histories: Histories,
    holdout_length: int,
    *,
    horizon: int,
    filled_mask: np.ndarray | None = None,
) -> Validation:
    """Forecast the last holdout_length months, from the origin before each of them, and compute the errors.

    histories: without gaps, each longer than holdout_length. filled_mask: bool (series, months), True for months without an
    observed value: they have no error.
    """
    observed_values = histories.values if filled_mask is None else np.where(filled_mask, np.nan, histories.values)
    series_count = len(histories.lengths)
    residuals = np.empty((series_count, holdout_length, horizon), np.float32)
    quantiles = np.empty((series_count, holdout_length, horizon, len(LEVELS)), np.float32)
    scales = np.empty((series_count, holdout_length))
    mean_log_errors = np.empty((2, series_count))
    error_blocks = [np.empty((5, holdout_length, 0, horizon))]
    for first_row in range(0, series_count, BLOCK):
        rows = np.arange(first_row, min(first_row + BLOCK, series_count))
        validate_origin = partial(
            _validate_origin, (validation_networks, final_networks), histories, observed_values, rows, horizon
        )
        with ThreadPoolExecutor(usable_cores()) as pool:
            results_by_origin = list(pool.map(validate_origin, range(holdout_length, 0, -1)))
        arrays = [np.stack(results, axis=1) for results in zip(*results_by_origin, strict=True)]
        residuals[rows], quantiles[rows], scales[rows], log_errors, errors = arrays
        mean_log_errors[:, rows] = _mean_over_origins(log_errors)
        error_blocks.append(errors)
    # Each (series, horizon, origins), in the order of `_validate_origin`.
    validation_errors, final_errors, *baseline_errors = np.concatenate(error_blocks, axis=2).transpose(0, 2, 3, 1)
    scores = {
        Split.TRAIN: _scores(final_errors, *baseline_errors),
        Split.TEST: _scores(validation_errors, *baseline_errors),
    }
    return Validation(residuals, quantiles, scales, mean_log_errors[0], mean_log_errors[1], scores)


def _validate_origin(
    predictors: tuple[Predictor, Predictor],
    histories: Histories,
    observed_values: Values,
    rows: np.ndarray,
    horizon: int,
    lag: int,
) -> tuple[np.ndarray, ...]:
    """Forecast the series at `rows` from the origin `lag` months before their last month; predictors: validation and final.

    Returns residuals (series, horizon), quantiles (series, horizon, levels) and scale (series,) as in `Validation`; absolute
    errors in logs (2, series, horizon), of validation networks and base path; and errors in the unit of the series
    (5, series, horizon), of validation networks, final networks, seasonal naive, naive and base path.
    """
    values, lengths = histories.values[rows], histories.lengths[rows] - lag
    examples, shift = describe_histories(values, lengths, horizon=horizon)
    quantiles, final_quantiles = (predictor(examples, rows) for predictor in predictors)
    medians = quantiles[:, :, MEDIAN]
    actual = _values_after(observed_values[rows], lengths, histories.lengths[rows], horizon)
    residuals = residuals_of(examples, _logs(actual, shift))
    predictions = (
        values_of(examples, medians, shift),
        values_of(examples, final_quantiles[:, :, MEDIAN], shift),
        seasonal_naive(values, lengths, horizon=horizon),
        naive(values, lengths, horizon=horizon),
        values_of(examples, np.zeros_like(residuals), shift),
    )
    scale = examples.scale[:, None]
    log_errors = np.array([np.abs(residuals - medians) * scale, np.abs(residuals) * scale])
    return residuals, quantiles, examples.scale, log_errors, np.array([path - actual for path in predictions])


def _mean_over_origins(errors: Values) -> Values:
    """Mean of (2, origins, series, horizon) over origins and horizons, NaN left out: (2, series)."""
    has_error = ~np.isnan(errors)
    return np.asarray(np.where(has_error, errors, 0.0).sum(axis=(1, 3)) / np.maximum(has_error.sum(axis=(1, 3)), 1))


def _scores(
    errors: Values, seasonal_naive_errors: Values, naive_errors: Values, base_path_errors: Values
) -> SplitScores:
    """Scores of forecasts; all errors (series, horizon, origins) in the unit of the series."""
    errors_with_baseline = np.where(np.isnan(seasonal_naive_errors), np.nan, errors)
    baseline_rmse = rmse(seasonal_naive_errors)
    return SplitScores(
        n=(~np.isnan(errors)).sum(axis=-1),
        rmse=rmse(errors),
        baseline_rmse=baseline_rmse,
        naive_rmse=rmse(naive_errors),
        base_path_rmse=rmse(base_path_errors),
        skill=skill(rmse(errors_with_baseline), baseline_rmse),
    )


def _values_after(values: Values, lengths: Counts, ends: Counts, horizon: int) -> Values:
    """Values of the months after the first `lengths` of each history: (series, horizon), NaN from the column `ends` on."""
    columns = lengths[:, None] + np.arange(horizon)
    values_after = values[np.arange(len(values))[:, None], np.minimum(columns, values.shape[1] - 1)]
    return np.where(columns < ends[:, None], values_after, np.nan)


def _logs(values: Values, shift: Values) -> Values:
    # Where value + shift is not positive there is no logarithm: a tiny number stands in, and its residual is cut.
    return np.asarray(np.log(np.maximum(values + shift[:, None], 1e-300)))
