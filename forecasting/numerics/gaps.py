"""Missing months inside a history: the longest gap, and the values that fill gaps."""

import numpy as np

from forecasting.domain.panel import Counts, Values, columns_inside
from forecasting.numerics.seasonality import SEASON


def longest_gap(values: Values, lengths: Counts) -> Counts:
    """Return the length of the longest run of missing months of each history.

    values: (series, months), NaN where missing. lengths: (series,), columns of each history; later columns do not count.
    """
    missing = np.isnan(values) & columns_inside(values.shape[1], lengths)
    longest = np.zeros(len(values), dtype=np.int64)
    running = np.zeros(len(values), dtype=np.int64)
    for column in missing.T:
        running = np.where(column, running + 1, 0)
        longest = np.maximum(longest, running)
    return longest


def fill_gaps(values: Values, lengths: Counts) -> tuple[Values, Values]:
    """Fill missing months with the value of a year before, or else with the value of the month before; no later month is used.

    values: (series, months), NaN where missing, the first month of each history observed.
    Returns the filled values and the lags, both (series, months). A lag says how many months before a filled month its value
    was taken, 12 or 1; it is 0 for the other months.
    """
    filled = values.copy()
    lags = np.zeros(values.shape)
    inside = columns_inside(values.shape[1], lengths)
    for month in np.flatnonzero((np.isnan(values) & inside).any(axis=0)):
        rows = np.flatnonzero(np.isnan(values[:, month]) & inside[:, month])
        year_before = filled[rows, month - SEASON] if month >= SEASON else np.full(len(rows), np.nan)
        has_year_before = ~np.isnan(year_before)
        filled[rows, month] = np.where(has_year_before, year_before, filled[rows, month - 1])
        lags[rows, month] = np.where(has_year_before, SEASON, 1)
    return filled, lags
