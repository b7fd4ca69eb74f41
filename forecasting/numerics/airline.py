"""The airline model on logs of many series: the change of last year's month, corrected by past errors one month ahead.

    w(t) = y(t) - y(t-1) - y(t-12) + y(t-13) = a(t) - p a(t-1) - q a(t-12) + p q a(t-13)

This is the ARIMA (0,1,1)(0,1,1) of Box & Jenkins (1970). y: logs; a: innovations, the errors one month ahead; p, q: its two
parameters. No optimiser searches p and q: every pair of a grid runs once over a history, and the forecasts of all pairs are
averaged with Akaike weights, (mean square of a) ** (-n / 2). Sums run in a fixed order.
"""

from itertools import product

import numpy as np

from forecasting.domain.panel import Counts, Values
from forecasting.numerics.seasonality import SEASON
from forecasting.numerics.sums import total

MONTHLY_PARAMETERS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.95)
YEARLY_PARAMETERS = (0.2, 0.4, 0.6, 0.75, 0.9)
PARAMETER_PAIRS = np.array(list(product(MONTHLY_PARAMETERS, YEARLY_PARAMETERS))).T[:, :, None]  # (2, pairs, 1): p, q
MAXIMUM_LAG = SEASON + 1  # of the innovations and months that a forecast uses


def airline_paths(logs: Values, origins: Counts, *, horizon: int) -> Values:
    """Forecast logs from some months of each history: (origins, horizon, series).

    logs: (months, series), each series from row 0 on, zero after its end. origins: (origins, series), the last row that a
    forecast may use. A path from one of the first thirteen months is flat.
    """
    month_count, series_count = logs.shape
    p, q = PARAMETER_PAIRS
    zeros = np.zeros((PARAMETER_PAIRS.shape[1], series_count))
    innovations = [zeros] * MAXIMUM_LAG  # the latest first
    sums_of_squares = zeros
    corrections = np.zeros((len(origins), MAXIMUM_LAG, series_count))
    for month in range(MAXIMUM_LAG, month_count):
        expected = p * q * innovations[12] - p * innovations[0] - q * innovations[11]
        change = logs[month] - logs[month - 1] - logs[month - SEASON] + logs[month - MAXIMUM_LAG]
        innovations = [change - expected, *innovations[:-1]]
        sums_of_squares = sums_of_squares + innovations[0] ** 2
        origin_rows = np.flatnonzero((origins == month).any(axis=1))
        if len(origin_rows):
            corrections_now = _corrections(sums_of_squares, innovations, month - MAXIMUM_LAG + 1)
            for origin_row in origin_rows:
                at_origin = origins[origin_row] == month
                corrections[origin_row][:, at_origin] = corrections_now[:, at_origin]
    return _recursion(logs, origins, corrections, horizon)


def _corrections(sums_of_squares: Values, innovations: list[Values], month_count: int) -> Values:
    """Return what past innovations add to w of each of the next 13 months: (13, series).

    It is the mean over the pairs with Akaike weights. From month 14 on they add nothing.

    sums_of_squares: (pairs, series), over month_count innovations. innovations: the latest first, each (pairs, series).
    """
    p, q = PARAMETER_PAIRS
    log_weights = -0.5 * month_count * np.log(np.maximum(sums_of_squares, 1e-12))
    weights = np.exp(log_weights - log_weights.max(axis=0))
    mean_corrections = []
    for lead in range(1, MAXIMUM_LAG + 1):
        # Innovations after the origin are unknown and count as 0: only terms with a past innovation remain.
        w = p * q * innovations[MAXIMUM_LAG - lead]
        if lead <= SEASON:
            w = w - q * innovations[SEASON - lead]
        if lead == 1:
            w = w - p * innovations[0]
        mean_corrections.append(total(weights * w) / total(weights))
    return np.array(mean_corrections)


def _recursion(logs: Values, origins: Counts, corrections: Values, horizon: int) -> Values:
    """Paths (origins, horizon, series): y(t) = y(t-1) + y(t-12) - y(t-13) + the correction of month t.

    corrections: (origins, 13, series). The other arguments are those of `airline_paths`.
    """
    lag_rows = np.maximum(origins[:, None] - np.arange(MAXIMUM_LAG)[:, None], 0)
    columns = np.arange(logs.shape[1])
    # By month, from the thirteenth before the first forecast on; the forecasts follow.
    path_logs = [logs[lag_rows[:, lag], columns] for lag in range(MAXIMUM_LAG - 1, -1, -1)]
    has_pattern = origins >= MAXIMUM_LAG
    for lead in range(horizon):
        changes = path_logs[-SEASON] - path_logs[-MAXIMUM_LAG] + (corrections[:, lead] if lead < MAXIMUM_LAG else 0.0)
        path_logs.append(path_logs[-1] + np.where(has_pattern, changes, 0.0))
    return np.stack(path_logs[MAXIMUM_LAG:], axis=1)
