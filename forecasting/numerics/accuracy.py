"""Measures of whole forecasts, as the forecasting competitions define them; NaN where a month has no observation.

forecast, actual, lower and upper are (series, horizon) in the unit of each series; results are one number per series,
(series,). Error = predicted - actual.
"""

import numpy as np

from forecasting.domain.panel import Counts, Values
from forecasting.numerics.seasonality import SEASON


def smape(forecast: Values, actual: Values) -> Values:
    """Symmetric mean absolute percentage error, 0 to 200: the mean of 200·|y - f| / (|y| + |f|), zero at 0/0 (M3, M4)."""
    sizes = np.abs(actual) + np.abs(forecast)
    return mean(200 * np.abs(forecast - actual) / np.where(sizes > 0, sizes, 1.0))


def mase(forecast: Values, actual: Values, scale: Values) -> Values:
    """Mean absolute error over the scale (series,) of `mase_scale` (Hyndman & Koehler 2006); NaN where the scale is zero."""
    return mean(np.abs(forecast - actual)) / np.where(scale > 0, scale, np.nan)


def mase_scale(values: Values, lengths: Counts, *, season: int = SEASON) -> Values:
    """Mean absolute error of the seasonal naive inside the histories (series, longest): (series,); NaN up to a year."""
    changes = np.abs(values[:, season:] - values[:, :-season])
    return mean(np.where(np.arange(season, values.shape[1]) < lengths[:, None], changes, np.nan))


def bias(forecast: Values, actual: Values) -> Values:
    """Mean error, positive where forecasts were too high."""
    return mean(forecast - actual)


def coverage(actual: Values, lower: Values, upper: Values) -> Values:
    """Share of months inside the interval, its ends included."""
    is_inside = ((actual >= lower) & (actual <= upper)).astype(np.float64)
    return mean(np.where(np.isnan(actual), np.nan, is_inside))


def msis(actual: Values, lower: Values, upper: Values, scale: Values, *, level: float = 0.95) -> Values:
    """Mean scaled interval score (Gneiting & Raftery 2007, as in M4): width plus 2 / (1 - level) times each miss, scaled."""
    distances = np.maximum(lower - actual, 0) + np.maximum(actual - upper, 0)
    scores = np.where(np.isnan(actual), np.nan, upper - lower + 2 / (1 - level) * distances)
    return mean(scores) / np.where(scale > 0, scale, np.nan)


def mean(values: Values) -> Values:
    """Mean over the last axis, NaN left out; NaN where no number is left."""
    is_number = ~np.isnan(values)
    counts = is_number.sum(axis=-1)
    return np.where(counts > 0, np.where(is_number, values, 0.0).sum(axis=-1) / np.maximum(counts, 1), np.nan)
