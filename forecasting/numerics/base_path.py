"""The base path: exponential smoothing and half a trend, in deseasonalised logs; the network learns what it misses.

With half the slope of a straight line it is the Theta method of Assimakopoulos & Nikolopoulos (2000) as Hyndman &
Billah (2003) write it, but for the grid instead of an optimiser. Arrays as in `seasonality`.
"""

import numpy as np

from forecasting.domain.panel import Counts, Values
from forecasting.numerics.seasonality import rows_of_series
from forecasting.numerics.sums import total

WEIGHTS = np.arange(1, 10) / 10  # the smoothing weights that are tried
STEEPEST = 0.05  # log points a month


def smoothed_level(adjusted: Values, counts: Counts) -> tuple[Values, Values]:
    """Return the level (series,) after the last month by simple exponential smoothing, and its weight (series,).

    Each series takes the weight of the grid with the least squared error one month ahead; levels start from the first month.
    """
    inside_mask = rows_of_series(len(adjusted), counts)
    begins = np.arange(len(adjusted))[:, None] == len(adjusted) - counts
    level = np.zeros((len(WEIGHTS), adjusted.shape[1]))
    squares = np.zeros_like(level)
    for month, inside, begin in zip(adjusted, inside_mask, begins, strict=True):
        error = np.where(inside & ~begin, month - level, 0.0)
        squares = squares + error**2
        level = np.where(begin, month, level + WEIGHTS[:, None] * error)
    best = squares.argmin(axis=0)
    return level[best, np.arange(adjusted.shape[1])], WEIGHTS[best]


def slope_of(adjusted: Values, counts: Counts) -> Values:
    """Slope (series,) of the least-squares line through each series, per month, within ±5 %."""
    inside_mask = rows_of_series(len(adjusted), counts)
    middle = len(adjusted) - (counts + 1) / 2
    lead = np.where(inside_mask, np.arange(len(adjusted))[:, None] - middle, 0.0)
    mean = total(np.where(inside_mask, adjusted, 0.0)) / np.maximum(counts, 1)
    size = total(lead**2)
    slope = total(lead * np.where(inside_mask, adjusted - mean, 0.0)) / np.where(size > 0, size, 1.0)
    return np.clip(slope, -STEEPEST, STEEPEST)


def base_path(adjusted: Values, counts: Counts, *, horizon: int) -> Values:
    """Forecast deseasonalised logs (months, series) with the level and half the slope: (horizon, series)."""
    level, weight = smoothed_level(adjusted, counts)
    # The level lags a trend by (1 - weight) / weight months' worth at most; Hyndman & Billah's drift term makes up for it.
    lag = (1 - (1 - weight) ** counts) / weight
    steps = np.arange(horizon)[:, None] + lag
    return level + steps * slope_of(adjusted, counts) / 2
