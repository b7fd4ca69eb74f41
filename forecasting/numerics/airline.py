"""The airline model on logs of many series: last year's pattern and last month's level, each corrected by past surprises.

    w(t) = y(t) - y(t-1) - y(t-12) + y(t-13) = a(t) - p a(t-1) - q a(t-12) + p q a(t-13)

the ARIMA (0,1,1)(0,1,1) of Box & Jenkins (1970), with p and q on a grid instead of an optimiser: every pair runs once over
a history, and forecasts are averaged with Akaike weights, (mean square) ** (-n / 2). Sums run in a fixed order.
"""

from itertools import product

import numpy as np

from forecasting.domain.panel import Counts, Values
from forecasting.numerics.seasonality import SEASON
from forecasting.numerics.sums import total

MONTHLY = (0.0, 0.2, 0.4, 0.6, 0.8, 0.95)
YEARLY = (0.2, 0.4, 0.6, 0.75, 0.9)
PAIRS = np.array(list(product(MONTHLY, YEARLY))).T[:, :, None]  # (2, pairs, 1)
DEPTH = SEASON + 1  # surprises and months that a forecast reaches back to


def airline_paths(logs: Values, origins: Counts, *, horizon: int) -> Values:
    """Forecast logs from some months of each history: (origins, horizon, series).

    logs: (months, series), each from row 0 on, zero after its end; origins: (origins, series) the last row that a forecast
    may know. Where that is one of the first thirteen months the path is flat.
    """
    months, series = logs.shape
    monthly, yearly = PAIRS
    none = np.zeros((PAIRS.shape[1], series))
    surprises = [none] * DEPTH  # the latest first
    squares = none
    corrections = np.zeros((len(origins), DEPTH, series))
    for month in range(DEPTH, months):
        expected = monthly * yearly * surprises[12] - monthly * surprises[0] - yearly * surprises[11]
        change = logs[month] - logs[month - 1] - logs[month - SEASON] + logs[month - DEPTH]
        surprises = [change - expected, *surprises[:-1]]
        squares = squares + surprises[0] ** 2
        rows = np.flatnonzero((origins == month).any(axis=1))
        if len(rows):
            now = _corrections(squares, surprises, month - DEPTH + 1)
            for row in rows:
                here = origins[row] == month
                corrections[row][:, here] = now[:, here]
    return _recursion(logs, origins, corrections, horizon)


def _corrections(squares: Values, surprises: list[Values], count: int) -> Values:
    """Return what past surprises add to w of the next months, averaged over the pairs: (DEPTH, series); zero beyond."""
    monthly, yearly = PAIRS
    logs = -0.5 * count * np.log(np.maximum(squares, 1e-12))
    shares = np.exp(logs - logs.max(axis=0))
    ahead = []
    for lead in range(1, DEPTH + 1):
        w = monthly * yearly * surprises[DEPTH - lead]
        if lead <= SEASON:
            w = w - yearly * surprises[SEASON - lead]
        if lead == 1:
            w = w - monthly * surprises[0]
        ahead.append(total(shares * w) / total(shares))
    return np.array(ahead)


def _recursion(logs: Values, origins: Counts, corrections: Values, horizon: int) -> Values:
    back = np.maximum(origins[:, None] - np.arange(DEPTH)[:, None], 0)
    columns = np.arange(logs.shape[1])
    path_values = [logs[back[:, lag], columns] for lag in range(DEPTH - 1, -1, -1)]  # the oldest first
    enough = origins >= DEPTH
    path = []
    for ahead in range(horizon):
        correction = corrections[:, ahead] if ahead < DEPTH else 0.0
        step = np.where(enough, path_values[-SEASON] - path_values[-DEPTH] + correction, 0.0)
        path_values.append(path_values[-1] + step)
        path.append(path_values[-1])
    return np.stack(path, axis=1)
