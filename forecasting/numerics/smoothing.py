"""Damped Holt-Winters smoothing of logs over a grid of settings: what the base path does not have, an evolving season.

Additive in logs, so multiplicative in the unit of the series (Hyndman & Athanasopoulos, Forecasting: Principles and
Practice, section 8.4). Every setting runs once over a history and leaves its state after each month: the forecasts
from any past origin cost one look-up more. Settings are averaged with Akaike weights, (mean square) ** (-n / 2).
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from forecasting.domain.panel import Counts, Values
from forecasting.numerics.seasonality import SEASON
from forecasting.numerics.sums import total

LEVELS = (0.05, 0.15, 0.3, 0.5, 0.75, 0.95)
TRENDS = (0.0, 0.03, 0.1)  # share of the level's weight
SEASONS = (0.0, 0.05, 0.15, 0.35)
DAMPING = 0.95
SETTINGS = np.array(list(product(LEVELS, TRENDS, SEASONS))).T[:, :, None]  # (3, settings, 1)
SHARPNESS = 0.5  # of Akaike's weights
MOST_SURE = 120  # months after which settings are told apart no more sharply
MEMORY = 0.995  # a month's squared error counts that much less a month later


@dataclass(frozen=True)
class Smoothed:
    """States after the months asked for, averaged over the settings: what a forecast starts from.

    level, slope, error: (origins, series); season: (origins, 12, series), row j for the j-th month after the origin.
    error is the root mean square one month ahead, in logs.
    """

    level: Values
    slope: Values
    season: Values
    error: Values


def smooth(logs: Values, seasonal: np.ndarray, origins: Counts) -> Smoothed:
    """Smooth histories and return their states after some months.

    logs: (months, series), each from row 0 on, zero after its end; seasonal: bool (series,); origins: (origins, series)
    the last row that each state may know, at least 0.
    """
    months, series = logs.shape
    first = logs[: 2 * SEASON]
    level_weight, trend_share, season_weight = SETTINGS
    season_weight = np.where(seasonal, season_weight, 0.0)
    shape = (level_weight.shape[0], series)
    level = np.broadcast_to(_mean(first[:SEASON]), shape).copy()
    slope = np.zeros(shape)
    season = [np.broadcast_to(part, shape) for part in _first_season(first, seasonal)]
    squares = np.zeros(shape)
    states = np.zeros((4, *origins.shape))
    seasons = np.zeros((len(origins), SEASON, series))
    for month in range(months):
        place = month % SEASON
        error = logs[month] - (level + DAMPING * slope + season[place])
        squares = squares * MEMORY + error**2
        level = level + DAMPING * slope + level_weight * error
        slope = DAMPING * slope + level_weight * trend_share * error
        season[place] = season[place] + season_weight * (1 - level_weight) * error
        rows = np.flatnonzero((origins == month).any(axis=1))
        if len(rows):
            share = _shares(squares, month + 1)
            states_now = [_weighted(share, state) for state in (level, slope, squares)]
            seasons_ahead = np.array([_weighted(share, season[(month + 1 + lead) % SEASON]) for lead in range(SEASON)])
            for row in rows:
                at_origin = origins[row] == month
                for origin_states, state in zip(states, states_now, strict=False):
                    origin_states[row, at_origin] = state[at_origin]
                seasons[row][:, at_origin] = seasons_ahead[:, at_origin]
    total_weight = (1 - MEMORY ** (origins + 1.0)) / (1 - MEMORY)
    return Smoothed(states[0], states[1], seasons, np.sqrt(states[2] / total_weight))


def smoothed_path(smoothed: Smoothed, origin: int, *, horizon: int) -> Values:
    """Forecast logs from the state after one of the origins: (horizon, series)."""
    growth = np.cumsum(DAMPING ** np.arange(1, horizon + 1))[:, None]
    season = smoothed.season[origin][np.arange(horizon) % SEASON]
    path: Values = smoothed.level[origin] + growth * smoothed.slope[origin] + season
    return path


def _mean(logs: Values) -> Values:
    return np.asarray(total(logs) / max(len(logs), 1))


def _first_season(first: Values, seasonal: np.ndarray) -> list[Values]:
    """Deviations of the first two years from their own means, averaged month by month; zero without a season."""
    season = [np.zeros(first.shape[1]) for _ in range(SEASON)]
    years = [first[:SEASON], first[SEASON:]]
    for year in (year for year in years if len(year) == SEASON):
        centre = _mean(year)
        for place in range(SEASON):
            season[place] = season[place] + np.where(seasonal, year[place] - centre, 0.0) / 2
    return season


def _shares(squares: Values, count: int) -> Values:
    logs = -SHARPNESS * min(count, MOST_SURE) * np.log(np.maximum(squares, 1e-12))
    return np.asarray(np.exp(logs - logs.max(axis=0)))


def _weighted(shares: Values, state: Values) -> Values:
    top, bottom = np.zeros(shares.shape[1]), np.zeros(shares.shape[1])
    for share, row in zip(shares, state, strict=True):
        top, bottom = top + share * row, bottom + share
    return np.asarray(top / bottom)
