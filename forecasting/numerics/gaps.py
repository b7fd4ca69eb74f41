"""Missing months inside a history: the longest gap, and the values that fill gaps."""

import numpy as np

from forecasting.domain.panel import Counts, Histories, Panel, Values, columns_inside, histories_of
from forecasting.numerics.seasonality import SEASON


def longest_gap(values: Values, lengths: Counts) -> Counts:
    """Return the length of the longest run of missing months of each history: int (series,); arguments as for `fill_gaps`."""
    missing_mask = np.isnan(values) & columns_inside(values.shape[1], lengths)
    longest = np.zeros(len(values), dtype=np.int64)
    current = np.zeros(len(values), dtype=np.int64)
    for is_missing in missing_mask.T:
        current = np.where(is_missing, current + 1, 0)
        longest = np.maximum(longest, current)
    return longest


def fill_gaps(values: Values, lengths: Counts) -> tuple[Values, Values]:
    """Fill missing months with the value of a year before, or else with the value of the month before; no later month is used.

    values: (series, months), NaN where missing, the first month of each history observed. lengths: (series,), columns of each
    history; later columns stay as they are. Returns the filled values and the lags, both (series, months). A lag is a float with
    a whole number of months: how long before a filled month its value was taken, 12 or 1; 0 for the other months.
    """
    filled = values.copy()
    lags = np.zeros(values.shape)
    inside = columns_inside(values.shape[1], lengths)
    for month in np.flatnonzero((np.isnan(values) & inside).any(axis=0)):
        missing_rows = np.flatnonzero(np.isnan(values[:, month]) & inside[:, month])
        year_before = filled[missing_rows, month - SEASON] if month >= SEASON else np.full(len(missing_rows), np.nan)
        has_year_before = ~np.isnan(year_before)
        filled[missing_rows, month] = np.where(has_year_before, year_before, filled[missing_rows, month - 1])
        lags[missing_rows, month] = np.where(has_year_before, SEASON, 1)
    return filled, lags


def filled_histories(panel: Panel) -> Histories:
    """Return the histories of a panel, with their gaps filled."""
    histories = histories_of(panel)
    values, _ = fill_gaps(histories.values, histories.lengths)
    return Histories(values, histories.lengths, histories.last_months)
