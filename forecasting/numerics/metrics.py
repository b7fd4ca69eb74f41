"""Measures of error; error = predicted - actual, positive when the forecast was too high."""

import numpy as np

from forecasting.domain.panel import Values


def rmse(errors: Values) -> Values:
    """Root mean squared error over the last axis, NaN entries left out; NaN where nothing is left.

    errors: (series, months) in the unit of the series; returns (series,).
    """
    is_number = ~np.isnan(errors)
    count = is_number.sum(axis=-1)
    # Scaling by the largest error keeps the square of a huge one finite.
    largest = np.where(is_number, np.abs(errors), 0.0).max(axis=-1, initial=0.0)
    unit = np.where(largest > 0, largest, 1.0)
    squares = np.where(is_number, errors / unit[..., None], 0.0) ** 2
    # Added one after the other: what NaN entries pad a row to, for the sake of longer ones, then changes no bit.
    total = np.cumsum(squares, axis=-1)[..., -1] if squares.shape[-1] else np.zeros(count.shape)
    return np.where(count > 0, unit * np.sqrt(total / np.maximum(count, 1)), np.nan)


def skill(model_rmse: Values, baseline_rmse: Values) -> Values:
    """1 - rmse / rmse of the baseline: 1 is perfect, 0 as good as the baseline, negative worse; 0 where both are 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.divide(model_rmse, baseline_rmse)
    return 1.0 - np.where((model_rmse == 0) & (baseline_rmse == 0), 1.0, ratio)
