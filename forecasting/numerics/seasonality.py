"""Seasonality of many monthly series at once, in logs: a test for it, its indices, and their removal from logs.

Arrays are (months, series), and the last row is the month of the origin. Series of different lengths are aligned at their ends:
rows before the first month of a series are zero. counts: (series,), months of each series. Sums run month by month, so that
the results of a series have the same bits whatever other series stand beside it.
"""

import numpy as np

from forecasting.domain.panel import Counts, Values
from forecasting.numerics.sums import total

SEASON = 12
MINIMUM_MONTHS = 3 * SEASON  # with fewer months, a yearly pattern cannot be distinguished from chance
NORMAL_QUANTILE = 1.645  # of 90 %, both sides
# Shrinking by the two constants below takes 1.6 % off the MASE of the base path on M3 and 3.5 % on M1, on held-out months of
# training parts; without it, the test alone decides.
NOISE_MARGIN = 1.5
MINIMUM_STRENGTH = 0.3


def align_ends(values: Values, lengths: Counts) -> Values:
    """Turn histories (series, longest), each from column 0 on, into (longest, series), each up to the last row."""
    row_count = values.shape[1]
    source_columns = np.arange(row_count)[:, None] - (row_count - lengths)
    values_by_row = values.T[np.maximum(source_columns, 0), np.arange(len(values))]
    return np.where(source_columns >= 0, values_by_row, 0.0)


def history_mask(row_count: int, counts: Counts) -> np.ndarray:
    """Mask (months, series): True from the first month of each series on; row_count: how many months the mask has."""
    return np.asarray(np.arange(row_count)[:, None] >= row_count - counts)


def shift_for_logs(values: Values, counts: Counts) -> Values:
    """Return c (series,) with values + c > 0: zero for positive series, else the mean absolute value less the lowest value.

    values: (months, series) in the unit of each series.
    """
    inside_mask = history_mask(len(values), counts)
    lowest = np.where(inside_mask, values, np.inf).min(axis=0, initial=np.inf)
    mean_sizes = total(np.where(inside_mask, np.abs(values), 0.0) / np.maximum(counts, 1))
    margins = np.where(mean_sizes > 0, mean_sizes, 1.0)
    return np.where(lowest > 0, 0.0, margins - np.where(np.isfinite(lowest), lowest, 0.0))


def is_seasonal(logs: Values, counts: Counts) -> np.ndarray:
    """Test at 90 % whether the autocorrelation at lag 12 is more than chance: bool (series,).

    |r(12)| > 1.645 · sqrt((1 + 2 Σ r(i)², i < 12) / n), Bartlett's standard error, as in the Theta method of
    Assimakopoulos & Nikolopoulos (2000) and the benchmarks of the M competitions. False for histories of less
    than three years.
    """
    inside_mask = history_mask(len(logs), counts)
    lengths = np.maximum(counts, 1)
    deviations = np.where(inside_mask, logs - total(np.where(inside_mask, logs, 0.0)) / lengths, 0.0)
    variances = total(deviations**2)
    variances = np.where(variances > 0, variances, 1.0)
    bartlett_variances, correlations = np.ones(logs.shape[1]), np.zeros(logs.shape[1])
    for lag in range(1, min(SEASON, len(logs) - 1) + 1):
        correlations = total(deviations[lag:] * deviations[:-lag]) / variances
        if lag < SEASON:
            bartlett_variances = bartlett_variances + 2 * correlations**2
    return (
        (counts >= MINIMUM_MONTHS)
        & (len(logs) > SEASON)
        & (np.abs(correlations) > NORMAL_QUANTILE * np.sqrt(bartlett_variances / lengths))
    )


def seasonal_indices(logs: Values, counts: Counts) -> Values:
    """Return indices (12, series) in logs by classical decomposition, shrunk; row j is for the j-th month after the origin.

    An index is the mean deviation of a month of the year from the centred 2 by 12 moving average, less the mean of the twelve
    (Hyndman & Athanasopoulos, Forecasting: Principles and Practice, section 3.4). Indices are multiplied by the share of
    their variance that chance does not explain (after James & Stein 1961; Miller & Williams 2003). They are zero for series
    of two years or less.
    """
    row_count = len(logs)
    if row_count < 2 * SEASON + 1:
        return np.zeros((SEASON, logs.shape[1]))
    half_year = SEASON // 2
    moving_sums = (logs[: row_count - SEASON] + logs[SEASON:]) / 2
    for lead in range(1, SEASON):
        moving_sums = moving_sums + logs[lead : row_count - SEASON + lead]
    inside_mask = history_mask(row_count, counts)[: row_count - SEASON]
    deviations = np.where(inside_mask, logs[half_year : row_count - half_year] - moving_sums / SEASON, 0.0)
    indices = np.zeros((SEASON, logs.shape[1]))
    for calendar_month in range(SEASON):
        # Row r of the deviations is month half + r of the logs; the row `months` would be the first after the origin.
        first_row = (calendar_month + row_count - half_year) % SEASON
        counts_of_month = inside_mask[first_row::SEASON].sum(axis=0)
        indices[calendar_month] = total(deviations[first_row::SEASON]) / np.maximum(counts_of_month, 1)
    indices = np.where(counts >= 2 * SEASON + 1, indices - total(indices) / SEASON, 0.0)
    residuals = np.where(inside_mask, deviations - seasonal_path(indices, half_year - row_count, -half_year), 0.0)
    return indices * _strength(indices, residuals, inside_mask.sum(axis=0))


def _strength(indices: Values, residuals: Values, counts: Counts) -> Values:
    """Share (series,) of the variance of the indices that chance does not explain; 0 up to MINIMUM_STRENGTH.

    indices: (12, series). residuals: (months, series), zero outside the history, which has counts (series,) of them.
    """
    noise_variances = total(residuals**2) / np.maximum(counts - SEASON + 1, 1)
    variances = total(indices**2) / (SEASON - 1)
    variance_by_chance = NOISE_MARGIN * noise_variances * SEASON / np.maximum(counts, 1)
    shares = 1 - variance_by_chance / np.where(variances > 0, variances, 1.0)
    return np.where((shares > MINIMUM_STRENGTH) & (variances > 0), shares, 0.0)


def seasonal_path(indices: Values, first: int, stop: int) -> Values:
    """Repeat indices (12, series) for the months first to stop - 1: (stop - first, series). Month -1 is the origin."""
    return indices[np.arange(first, stop) % SEASON]


def remove_season(logs: Values, indices: Values) -> Values:
    """Subtract the indices (12, series) from logs (months, series) whose last row is the origin."""
    return logs - seasonal_path(indices, -len(logs), 0)
