"""The base path: a smoothed level and half a trend, in deseasonalised logs. Networks are trained to correct it.

It is the Theta method of Assimakopoulos & Nikolopoulos (2000) in the form of Hyndman & Billah (2003), with a grid of smoothing
weights instead of an optimiser. Arrays as in `seasonality`.
"""

import numpy as np

from forecasting.domain.panel import Counts, Values
from forecasting.numerics.seasonality import history_mask
from forecasting.numerics.sums import total

SMOOTHING_WEIGHTS = np.arange(1, 10) / 10
MAXIMUM_SLOPE = 0.05  # log points a month


def smoothed_level(adjusted: Values, counts: Counts) -> tuple[Values, Values]:
    """Return the level (series,) after the last month by simple exponential smoothing, and the smoothing weight (series,).

    adjusted: (months, series), deseasonalised logs. Each series gets the weight of the grid with the smallest sum of squared
    errors one month ahead. The first level is the first month.
    """
    inside_mask = history_mask(len(adjusted), counts)
    start_mask = np.arange(len(adjusted))[:, None] == len(adjusted) - counts
    levels = np.zeros((len(SMOOTHING_WEIGHTS), adjusted.shape[1]))
    sums_of_squares = np.zeros_like(levels)
    for logs, inside, is_start in zip(adjusted, inside_mask, start_mask, strict=True):
        errors = np.where(inside & ~is_start, logs - levels, 0.0)
        sums_of_squares = sums_of_squares + errors**2
        levels = np.where(is_start, logs, levels + SMOOTHING_WEIGHTS[:, None] * errors)
    best_index = sums_of_squares.argmin(axis=0)
    return levels[best_index, np.arange(adjusted.shape[1])], SMOOTHING_WEIGHTS[best_index]


def slope_of(adjusted: Values, counts: Counts) -> Values:
    """Slope (series,) of the least-squares line through each series: in logs per month, limited to ±MAXIMUM_SLOPE."""
    inside_mask = history_mask(len(adjusted), counts)
    middle_rows = len(adjusted) - (counts + 1) / 2
    centred_months = np.where(inside_mask, np.arange(len(adjusted))[:, None] - middle_rows, 0.0)
    mean_logs = total(np.where(inside_mask, adjusted, 0.0)) / np.maximum(counts, 1)
    variations = total(centred_months**2)
    covariations = total(centred_months * np.where(inside_mask, adjusted - mean_logs, 0.0))
    return np.clip(covariations / np.where(variations > 0, variations, 1.0), -MAXIMUM_SLOPE, MAXIMUM_SLOPE)


def base_path(adjusted: Values, counts: Counts, *, horizon: int) -> Values:
    """Forecast deseasonalised logs (months, series) with the level and half the slope: (horizon, series)."""
    level, smoothing_weight = smoothed_level(adjusted, counts)
    # A smoothed level is behind a trend, by up to (1 - weight) / weight months; the drift of Hyndman & Billah adds these months.
    lags = (1 - (1 - smoothing_weight) ** counts) / smoothing_weight
    months_ahead = np.arange(horizon)[:, None] + lags
    return level + months_ahead * slope_of(adjusted, counts) / 2
