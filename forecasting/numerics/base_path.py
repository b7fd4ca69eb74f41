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
    level = np.zeros((len(SMOOTHING_WEIGHTS), adjusted.shape[1]))
    squares = np.zeros_like(level)
    for month, inside, is_start in zip(adjusted, inside_mask, start_mask, strict=True):
        error = np.where(inside & ~is_start, month - level, 0.0)
        squares = squares + error**2
        level = np.where(is_start, month, level + SMOOTHING_WEIGHTS[:, None] * error)
    best = squares.argmin(axis=0)
    return level[best, np.arange(adjusted.shape[1])], SMOOTHING_WEIGHTS[best]


def slope_of(adjusted: Values, counts: Counts) -> Values:
    """Slope (series,) of the least-squares line through each series: in logs per month, limited to ±MAXIMUM_SLOPE."""
    inside_mask = history_mask(len(adjusted), counts)
    middle = len(adjusted) - (counts + 1) / 2
    lead = np.where(inside_mask, np.arange(len(adjusted))[:, None] - middle, 0.0)
    mean = total(np.where(inside_mask, adjusted, 0.0)) / np.maximum(counts, 1)
    size = total(lead**2)
    slope = total(lead * np.where(inside_mask, adjusted - mean, 0.0)) / np.where(size > 0, size, 1.0)
    return np.clip(slope, -MAXIMUM_SLOPE, MAXIMUM_SLOPE)


def base_path(adjusted: Values, counts: Counts, *, horizon: int) -> Values:
    """Forecast deseasonalised logs (months, series) with the level and half the slope: (horizon, series)."""
    level, weight = smoothed_level(adjusted, counts)
    # A smoothed level is behind a trend, by up to (1 - weight) / weight months; the drift of Hyndman & Billah adds these months.
    lag = (1 - (1 - weight) ** counts) / weight
    steps = np.arange(horizon)[:, None] + lag
    return level + steps * slope_of(adjusted, counts) / 2
