"""Baselines: forecasts without a network, scored beside every forecast by networks."""

import numpy as np

from forecasting.domain.panel import Counts, Values
from forecasting.numerics.seasonality import SEASON


def naive(values: Values, lengths: Counts, *, horizon: int) -> Values:
    """Repeat the last value: (series, horizon)."""
    last = values[np.arange(len(values)), lengths - 1]
    return np.repeat(last[:, None], horizon, axis=1)


def seasonal_naive(values: Values, lengths: Counts, *, horizon: int) -> Values:
    """Repeat the last year: (series, horizon); NaN where a history is shorter than a year.

    Hyndman & Athanasopoulos, Forecasting: Principles and Practice, section 5.2.
    """
    month_offsets = np.arange(horizon) % SEASON
    columns = lengths[:, None] - SEASON + month_offsets
    repeated = values[np.arange(len(values))[:, None], np.maximum(columns, 0)]
    return np.where(columns >= 0, repeated, np.nan)


def value_before(values: Values, columns: Counts, *, months: int) -> Values:
    """Return the value `months` months before each column: (series, windows), NaN where there is none.

    values: (series, months). columns: (series, windows). With 12 months it is the seasonal naive one month ahead, with 1 month
    the naive.
    """
    earlier_columns = columns - months
    values_before = values[np.arange(len(values))[:, None], np.maximum(earlier_columns, 0)]
    return np.where(earlier_columns >= 0, values_before, np.nan)
