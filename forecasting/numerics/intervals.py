"""Intervals from quantiles: never crossing, and corrected by what held-out months said (split conformal prediction)."""

import numpy as np

from forecasting.panel import Values

NARROWEST, WIDEST = 0.3, 4.0  # a factor beyond these says that the quantiles are useless, not that they are off
LIVE_RATE, LIVE_MOST = 0.05, 2.0
ENOUGH = 400  # scores that a factor is read from, neighbouring horizons taken in until there are so many


def monotone(quantiles: Values, median: int) -> Values:
    """Put quantiles (..., quantiles), given in rising order, into rising order around the one at `median`, which stays.

    Those below become the lesser of themselves and of what is nearer to the median, those above the greater.
    """
    below = np.minimum.accumulate(quantiles[..., median::-1], axis=-1)[..., ::-1]
    above = np.maximum.accumulate(quantiles[..., median:], axis=-1)
    return np.concatenate([below, above[..., 1:]], axis=-1)


def conformal_factors(actual: Values, middle: Values, lower: Values, upper: Values, *, coverage: float) -> Values:
    """Return by what factor (horizon,) intervals must be widened about their middle to cover that share of held-out months.

    All arrays (series, horizon), NaN in actual where a month is not known. The score of a month is the factor that
    would just have covered it; the factor of a horizon is the ⌈(n + 1)·coverage⌉-th smallest score of it and its
    nearest horizons, as in split conformal prediction (Vovk et al. 2005; for quantiles Romano et al. 2019). One where
    no month was held out.
    """
    beyond = np.where(
        actual < middle, (middle - actual) / _width(middle - lower), (actual - middle) / _width(upper - middle)
    )
    horizon = actual.shape[1]
    factors = np.ones(horizon)
    for ahead in range(horizon):
        scores = np.zeros(0)
        for reach in range(horizon):
            near = beyond[:, max(ahead - reach, 0) : ahead + reach + 1]
            scores = near[~np.isnan(near)]
            if len(scores) >= ENOUGH:
                break
        if len(scores):
            rank = min(int(np.ceil((len(scores) + 1) * coverage)), len(scores))
            factors[ahead] = np.partition(scores, rank - 1)[rank - 1]
    return np.clip(factors, NARROWEST, WIDEST)


def live_factors(answered: Values, realised: Values) -> Values:
    """Return by what factor 80 and 95 % intervals are widened for what live forecasts have shown: (series, 2).

    answered: (series,) months whose forecasts have been answered; realised: (series, 2) shares of them inside, NaN where
    none was. The logarithm of the factor rises with every miss more than was aimed at and falls with every miss less, as in
    adaptive conformal inference (Gibbs & Candes 2021), within limits.
    """
    missed = np.where(np.isnan(realised), 0.0, np.array([0.80, 0.95]) - realised)
    return np.asarray(np.clip(np.exp(LIVE_RATE * answered[:, None] * missed), 1 / LIVE_MOST, LIVE_MOST))


def widen(middle: Values, bound: Values, factors: Values) -> Values:
    """Move a bound (series, horizon) away from the middle, or towards it, by a factor per horizon (horizon,)."""
    return middle + (bound - middle) * factors


def never_below_zero(bound: Values, lowest: Values) -> Values:
    """Cut bounds (series, horizon) at zero for series whose lowest observation (series,) is not below it."""
    return np.where(lowest[:, None] >= 0, np.maximum(bound, 0.0), bound)


def _width(width: Values) -> Values:
    return np.maximum(width, 1e-9)
