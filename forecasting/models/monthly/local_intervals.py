"""Intervals of local networks: the standard deviation of a series' errors per horizon, from that series alone.

One series has too few held-out months to estimate the outer quantiles of its errors, and its network learned from too few
months to predict them. On 121 series of training parts, one month ahead, a factor per quantile gave an MSIS of 7.3, the
standard deviation one of 5.1.
"""

import numpy as np

from forecasting.domain.panel import Values
from forecasting.models.monthly.dataset import TrainingSet
from forecasting.models.monthly.validation import Validation
from forecasting.numerics.intervals import MULTIPLES, interval_scales


def interval_scale(
    training_set: TrainingSet,
    path: np.ndarray,
    validation: Validation,
    medians: np.ndarray,
    validated_rows: np.ndarray,
    series_count: int,
) -> Values:
    """Return the standard deviation of each series' forecast errors: (series, horizon) in logs.

    path: as for `training_scale`. medians: (validated series, origins, horizon) in units of scale, the forecasts of the
    held-out months. validated_rows: int (validated series,), their positions among the series.
    """
    holdout_errors = np.full((series_count, *validation.residuals.shape[1:]), np.nan)
    holdout_errors[validated_rows] = (validation.residuals - medians) * validation.scales[:, :, None]
    scale = interval_scales(training_scale(training_set, path, series_count), holdout_errors)
    # A series without an origin in the training set has no errors. It is forecast by the base path, so any number serves.
    return np.where(np.isfinite(scale), scale, 1.0)


def training_scale(training_set: TrainingSet, path: np.ndarray, series_count: int) -> Values:
    """Root mean square of a path's errors over the origins of a training set: (series, horizon) in logs, NaN where there is none.

    path: (rows, horizon) for the rows of the training set, less the base path, in units of scale.
    """
    errors = (training_set.residuals - path) * training_set.examples.scale[:, None]
    has_error = ~np.isnan(errors)
    squares, counts = np.zeros((2, series_count, errors.shape[1]))
    np.add.at(squares, training_set.series_index, np.where(has_error, errors, 0.0) ** 2)
    np.add.at(counts, training_set.series_index, has_error)
    return np.sqrt(np.where(counts > 0, squares / np.maximum(counts, 1), np.nan))


def quantiles_around(median: Values, interval_scales: Values, scale: Values) -> np.ndarray:
    """Quantiles at fixed multiples of the interval scale around the median: (rows, horizon, levels) in units of scale.

    median: (rows, horizon) in units of scale. interval_scales: (rows, horizon) in logs. scale: (rows,) in logs.
    """
    outer, inner = MULTIPLES
    multiples = np.array([-outer, -inner, 0.0, inner, outer])
    return np.asarray(median[:, :, None] + (interval_scales / scale[:, None])[:, :, None] * multiples)
