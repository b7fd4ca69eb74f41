"""Baselines: what people would use without a network; always scored beside it."""

import numpy as np

from forecasting.panel import Counts, Values

SEASON = 12


def naive(values: Values, lengths: Counts, *, horizon: int) -> Values:
    """Repeat the last value: (series, horizon)."""
    last = values[np.arange(len(values)), lengths - 1]
    return np.repeat(last[:, None], horizon, axis=1)


def seasonal_naive(values: Values, lengths: Counts, *, horizon: int) -> Values:
    """Repeat the last year: (series, horizon); NaN where a history is shorter than a year.

    Hyndman & Athanasopoulos, Forecasting: Principles and Practice, section 5.2.
    """
    steps = np.arange(horizon) % SEASON
    columns = lengths[:, None] - SEASON + steps
    repeated = values[np.arange(len(values))[:, None], np.maximum(columns, 0)]
    return np.where(columns >= 0, repeated, np.nan)


def seasonal_naive_at(values: Values, months: Counts) -> Values:
    """Return the value a year before each month: (series, windows), NaN where there is none.

    values: (series, months); months: (series, windows) columns, one month ahead of what is known.
    """
    columns = months - SEASON
    before = values[np.arange(len(values))[:, None], np.maximum(columns, 0)]
    return np.where(columns >= 0, before, np.nan)
