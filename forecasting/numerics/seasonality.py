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
    longest = values.shape[1]
    columns = np.arange(longest)[:, None] - (longest - lengths)
    values_by_row = values.T[np.maximum(columns, 0), np.arange(len(values))]
    return np.where(columns >= 0, values_by_row, 0.0)


def history_mask(months: int, counts: Counts) -> np.ndarray:
    """Mask (months, series): True from the first month of each series on."""
    return np.asarray(np.arange(months)[:, None] >= months - counts)


def shift_for_logs(values: Values, counts: Counts) -> Values:
    """Return c (series,) with values + c > 0: zero for positive series, else the mean absolute value less the lowest value.

    values: (months, series) in the unit of each series.
    """
    inside_mask = history_mask(len(values), counts)
    lowest = np.where(inside_mask, values, np.inf).min(axis=0, initial=np.inf)
    level = total(np.where(inside_mask, np.abs(values), 0.0) / np.maximum(counts, 1))
    margin = np.where(level > 0, level, 1.0)
    return np.where(lowest > 0, 0.0, margin - np.where(np.isfinite(lowest), lowest, 0.0))


def is_seasonal(logs: Values, counts: Counts) -> np.ndarray:
    """Test at 90 % whether the autocorrelation at lag 12 is more than chance: bool (series,).

    |r(12)| > 1.645 · sqrt((1 + 2 Σ r(i)², i < 12) / n), Bartlett's standard error, as in the Theta method of
    Assimakopoulos & Nikolopoulos (2000) and the benchmarks of the M competitions. False for histories of less
    than three years.
    """
    inside_mask = history_mask(len(logs), counts)
    size = np.maximum(counts, 1)
    centred = np.where(inside_mask, logs - total(np.where(inside_mask, logs, 0.0)) / size, 0.0)
    variance = total(centred**2)
    variance = np.where(variance > 0, variance, 1.0)
    bartlett_variance, correlation = np.ones(logs.shape[1]), np.zeros(logs.shape[1])
    for lag in range(1, min(SEASON, len(logs) - 1) + 1):
        correlation = total(centred[lag:] * centred[:-lag]) / variance
        if lag < SEASON:
            bartlett_variance = bartlett_variance + 2 * correlation**2
    return (
        (counts >= MINIMUM_MONTHS)
        & (len(logs) > SEASON)
        & (np.abs(correlation) > NORMAL_QUANTILE * np.sqrt(bartlett_variance / size))
    )


def seasonal_indices(logs: Values, counts: Counts) -> Values:
    """Return indices (12, series) in logs by classical decomposition, shrunk; row j is for the j-th month after the origin.

    An index is the mean deviation of a month of the year from the centred 2 by 12 moving average, less the mean of the twelve
    (Hyndman & Athanasopoulos, Forecasting: Principles and Practice, section 3.4). Indices are multiplied by the share of
    their variance that chance does not explain (after James & Stein 1961; Miller & Williams 2003). They are zero for series
    of two years or less.
    """
    months = len(logs)
    if months < 2 * SEASON + 1:
        return np.zeros((SEASON, logs.shape[1]))
    half = SEASON // 2
    average = (logs[: months - SEASON] + logs[SEASON:]) / 2
    for lead in range(1, SEASON):
        average = average + logs[lead : months - SEASON + lead]
    inside = history_mask(months, counts)[: months - SEASON]
    deviations = np.where(inside, logs[half : months - half] - average / SEASON, 0.0)
    indices = np.zeros((SEASON, logs.shape[1]))
    for month in range(SEASON):
        # Row r of the deviations is month half + r of the logs; the row `months` would be the first after the origin.
        first = (month + months - half) % SEASON
        counts_of_month = inside[first::SEASON].sum(axis=0)
        indices[month] = total(deviations[first::SEASON]) / np.maximum(counts_of_month, 1)
    indices = np.where(counts >= 2 * SEASON + 1, indices - total(indices) / SEASON, 0.0)
    residuals = np.where(inside, deviations - seasonal_path(indices, half - months, -half), 0.0)
    return indices * _strength(indices, residuals, inside.sum(axis=0))


def _strength(indices: Values, residuals: Values, counts: Counts) -> Values:
    """Share (series,) of the variance of the indices that chance does not explain; 0 up to MINIMUM_STRENGTH."""
    noise = total(residuals**2) / np.maximum(counts - SEASON + 1, 1)
    variance = total(indices**2) / (SEASON - 1)
    variance_by_chance = NOISE_MARGIN * noise * SEASON / np.maximum(counts, 1)
    share = 1 - variance_by_chance / np.where(variance > 0, variance, 1.0)
    return np.where((share > MINIMUM_STRENGTH) & (variance > 0), share, 0.0)


def seasonal_path(indices: Values, first: int, stop: int) -> Values:
    """Repeat indices (12, series) for the months first to stop - 1: (stop - first, series). Month -1 is the origin."""
    return indices[np.arange(first, stop) % SEASON]


def remove_season(logs: Values, indices: Values) -> Values:
    """Subtract the indices (12, series) from logs (months, series) whose last row is the origin."""
    return logs - seasonal_path(indices, -len(logs), 0)


def restore_season(adjusted: Values, indices: Values) -> Values:
    """Add the indices that `remove_season` has subtracted."""
    return adjusted + seasonal_path(indices, -len(adjusted), 0)
