"""Damped Holt-Winters smoothing of logs over a grid of settings: unlike in the base path, the season changes over time.

It is additive in logs, so multiplicative in the unit of the series (Hyndman & Athanasopoulos, Forecasting: Principles and
Practice, section 8.4). Every setting runs once over a history and gives the state after each month, from which any past
origin can be forecast. States are averaged over the settings with Akaike weights, (mean square) ** (-n / 2).
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from forecasting.domain.panel import Counts, Values
from forecasting.numerics.seasonality import SEASON
from forecasting.numerics.sums import total

LEVEL_WEIGHTS = (0.05, 0.15, 0.3, 0.5, 0.75, 0.95)
TREND_SHARES = (0.0, 0.03, 0.1)  # of the level weight
SEASON_WEIGHTS = (0.0, 0.05, 0.15, 0.35)
DAMPING = 0.95
SETTINGS = np.array(list(product(LEVEL_WEIGHTS, TREND_SHARES, SEASON_WEIGHTS))).T[:, :, None]  # (3, settings, 1)
AKAIKE_EXPONENT = 0.5  # for each month, in the weights of settings
MAXIMUM_AKAIKE_MONTHS = 120  # with more months, the weights of settings stay as unequal
ERROR_DECAY = 0.995  # factor on the weight of a squared error, per month


@dataclass(frozen=True)
class SmoothingStates:
    """The states after some months, averaged over the settings: a forecast starts from one of them. All values are in logs.

    level, slope: (origins, series). season: (origins, 12, series), row j for the j-th month after the origin. error: (origins,
    series), root mean square error one month ahead.
    """

    level: Values
    slope: Values
    season: Values
    error: Values


def smooth(logs: Values, seasonal_mask: np.ndarray, origins: Counts) -> SmoothingStates:
    """Smooth histories and return their states after some months.

    logs: (months, series), each series from row 0 on, zero after its end. seasonal_mask: bool (series,), whether it has a season.
    origins: (origins, series), the last row that each state may use, at least 0.
    """
    month_count, series_count = logs.shape
    first_years = logs[: 2 * SEASON]
    level_weight, trend_share, season_weight = SETTINGS
    season_weight = np.where(seasonal_mask, season_weight, 0.0)
    shape = level_weight.shape[0], series_count  # (settings, series): level, slope, error and each month of the season
    level = np.broadcast_to(_mean(first_years[:SEASON]), shape).copy()
    slope = np.zeros(shape)
    season = [np.broadcast_to(deviation, shape) for deviation in _first_season(first_years, seasonal_mask)]
    sums_of_squares = np.zeros(shape)
    states = np.zeros((3, *origins.shape))
    seasons = np.zeros((len(origins), SEASON, series_count))
    for month in range(month_count):
        calendar_month = month % SEASON
        error = logs[month] - (level + DAMPING * slope + season[calendar_month])
        sums_of_squares = sums_of_squares * ERROR_DECAY + error**2
        level = level + DAMPING * slope + level_weight * error
        slope = DAMPING * slope + level_weight * trend_share * error
        season[calendar_month] = season[calendar_month] + season_weight * (1 - level_weight) * error
        origin_rows = np.flatnonzero((origins == month).any(axis=1))
        if len(origin_rows):
            weights = _setting_weights(sums_of_squares, month + 1)
            states_now = [_weighted_mean(weights, state) for state in (level, slope, sums_of_squares)]
            seasons_ahead = np.array(
                [_weighted_mean(weights, season[(month + 1 + lead) % SEASON]) for lead in range(SEASON)]
            )
            for origin_row in origin_rows:
                at_origin = origins[origin_row] == month
                for origin_states, state in zip(states, states_now, strict=True):
                    origin_states[origin_row, at_origin] = state[at_origin]
                seasons[origin_row][:, at_origin] = seasons_ahead[:, at_origin]
    total_weight = (1 - ERROR_DECAY ** (origins + 1.0)) / (1 - ERROR_DECAY)
    return SmoothingStates(states[0], states[1], seasons, np.sqrt(states[2] / total_weight))


def smoothed_path(states: SmoothingStates, origin_index: int, *, horizon: int) -> Values:
    """Forecast logs from the state after one of the origins: (horizon, series); origin_index: its position in the states."""
    slope_months = np.cumsum(DAMPING ** np.arange(1, horizon + 1))[:, None]
    season = states.season[origin_index][np.arange(horizon) % SEASON]
    path: Values = states.level[origin_index] + slope_months * states.slope[origin_index] + season
    return path


def _mean(logs: Values) -> Values:
    return np.asarray(total(logs) / max(len(logs), 1))


def _first_season(first_years: Values, seasonal_mask: np.ndarray) -> list[Values]:
    """Deviations of the first two years from the mean of each year, averaged by calendar month: 12 times (series,).

    Zero for series without a season.
    """
    season = [np.zeros(first_years.shape[1]) for _ in range(SEASON)]
    years = [first_years[:SEASON], first_years[SEASON:]]
    for year in (year for year in years if len(year) == SEASON):
        year_mean = _mean(year)
        for month in range(SEASON):
            season[month] = season[month] + np.where(seasonal_mask, year[month] - year_mean, 0.0) / 2
    return season


def _setting_weights(sums_of_squares: Values, month_count: int) -> Values:
    """Akaike weights (settings, series), the largest 1, from sums of month_count squared errors (settings, series)."""
    exponent = -AKAIKE_EXPONENT * min(month_count, MAXIMUM_AKAIKE_MONTHS)
    log_weights = exponent * np.log(np.maximum(sums_of_squares, 1e-12))
    return np.asarray(np.exp(log_weights - log_weights.max(axis=0)))


def _weighted_mean(weights: Values, state: Values) -> Values:
    """Mean of a state over the settings, (series,), added setting by setting; weights, state: (settings, series)."""
    return np.asarray(total(weights * state) / total(weights))
