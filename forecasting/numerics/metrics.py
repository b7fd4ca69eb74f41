"""Measures of error; error = predicted - actual, positive when the forecast was too high."""

import numpy as np

from forecasting.domain.panel import Values
from forecasting.numerics.sums import total_of_columns


def rmse(errors: Values) -> Values:
    """Root mean squared error over the last axis, NaN left out; NaN where no number is left.

    errors: (series, months) in the unit of the series; returns (series,).
    """
    is_number = ~np.isnan(errors)
    counts = is_number.sum(axis=-1)
    # Divided by the largest error, squares of huge errors stay finite.
    largest = np.where(is_number, np.abs(errors), 0.0).max(axis=-1, initial=0.0)
    units = np.where(largest > 0, largest, 1.0)
    squares = np.where(is_number, errors / units[..., None], 0.0) ** 2
    # NaN that pad a short row to the width of longer ones change no bit of this sum.
    sum_of_squares = total_of_columns(squares)
    return np.where(counts > 0, units * np.sqrt(sum_of_squares / np.maximum(counts, 1)), np.nan)


def skill(model_rmse: Values, baseline_rmse: Values) -> Values:
    """1 - rmse / rmse of the baseline: 1 is perfect, 0 as good as the baseline, negative worse; 0 where both are 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.divide(model_rmse, baseline_rmse)
    return 1.0 - np.where((model_rmse == 0) & (baseline_rmse == 0), 1.0, ratio)
