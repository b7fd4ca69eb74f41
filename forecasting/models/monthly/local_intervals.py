"""How wide the intervals of a series with networks of its own are, found from that series alone.

A few held-out months cannot say where the outermost twentieth of errors begins, nor can a network that learned from one
series: on 121 series of training parts, one month ahead, factors per quantile gave an MSIS of 7.3, spreads 5.1.
"""

import numpy as np

from forecasting.domain.panel import Values
from forecasting.models.monthly.dataset import TrainingSet
from forecasting.models.monthly.validation import Validation
from forecasting.numerics.intervals import MULTIPLES, spread_alone


def interval_scale(
    learning: TrainingSet, path: np.ndarray, found: Validation, said: np.ndarray, judged: np.ndarray, series: int
) -> Values:
    """Return how far forecasts of each series err, (series, horizon) in logs: a standard deviation per horizon.

    path: as for `training_scale`. said: (judged, origins, horizon) what was said of the held-out months, in units of scale.
    """
    held_out = np.full((series, *found.truth.shape[1:]), np.nan)
    held_out[judged] = (found.truth - said) * found.scales[:, :, None]
    spread = spread_alone(training_scale(learning, path, series), held_out)
    # A history without any origin to learn from has no errors; nobody asks its network.
    return np.where(np.isfinite(spread), spread, 1.0)


def training_scale(learning: TrainingSet, path: np.ndarray, series: int) -> Values:
    """Return the root mean square, in logs, of what a path missed from all origins that are learned from.

    path: (rows, horizon) of the learning's examples, from the base path, in units of scale. Returns (series, horizon),
    NaN where no month is known.
    """
    errors = (learning.residuals - path) * learning.examples.scale[:, None]
    known = ~np.isnan(errors)
    squares, counts = np.zeros((2, series, errors.shape[1]))
    np.add.at(squares, learning.series, np.where(known, errors, 0.0) ** 2)
    np.add.at(counts, learning.series, known)
    return np.sqrt(np.where(counts > 0, squares / np.maximum(counts, 1), np.nan))


def quantiles_around(middle: Values, spread: Values, scale: Values) -> np.ndarray:
    """Return quantiles (rows, horizon, quantiles) in units of scale: middle (rows, horizon) and multiples of the spread.

    spread: (rows, horizon) in logs; scale: (rows,).
    """
    outer, inner = MULTIPLES
    steps = np.array([-outer, -inner, 0.0, inner, outer])
    return np.asarray(middle[:, :, None] + (spread / scale[:, None])[:, :, None] * steps)
