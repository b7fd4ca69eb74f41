"""Intervals from quantiles that never cross, corrected by errors of held-out months (split conformal prediction)."""

import numpy as np

from forecasting.domain.panel import Values

MINIMUM_FACTOR, MAXIMUM_FACTOR = 0.3, 4.0  # of conformal_factors; outside them the quantiles are useless
MINIMUM_SCORES = 400  # of one factor; where a horizon has fewer, its neighbours are added
# Chosen on training parts, like MULTIPLES.
FACTOR_WEIGHT = 0.15  # exponent of damped_factors
PAST_ORIGINS_WEIGHT = 24  # so many held-out origins have the weight of all past origins
# Half widths in units of the interval scale, for 95 and 80 %; more than the 1.96 and 1.28 of a normal distribution.
MULTIPLES = (2.15, 1.28)
NOMINAL_COVERAGES = (0.80, 0.95)
# How fast live errors widen or narrow intervals, and how far. On training parts of hospital, M1 and tourism and of 121 single
# series, with networks reused for 24 to 48 months, 0.06 took 2, -3, 1 and 2 % off the MSIS; 0.12 helped single series only.
LIVE_RATE, LIVE_LIMIT = 0.06, 2.0


def monotone_quantiles(quantiles: Values, median: int) -> Values:
    """Return quantiles (..., levels), levels rising, that never fall from one level to the next.

    median: position of the median, which stays as it is. Away from it, a quantile that lies on the wrong side of its neighbour
    gets the neighbour's value.
    """
    below = np.minimum.accumulate(quantiles[..., median::-1], axis=-1)[..., ::-1]
    above = np.maximum.accumulate(quantiles[..., median:], axis=-1)
    return np.concatenate([below, above[..., 1:]], axis=-1)


def conformal_factors(actual: Values, middle: Values, lower: Values, upper: Values, *, coverage: float) -> Values:
    """Factors (horizon,) by which intervals are widened about their middle to cover that share of held-out months.

    All arrays are (series, horizon), NaN in actual where there is no observation. The score of a month is the smallest factor
    with which its interval covers it. The factor of a horizon is the ⌈(n + 1)·coverage⌉-th smallest of n scores, those of this
    and the nearest horizons, as in split conformal prediction (Vovk et al. 2005; for quantiles Romano et al. 2019). It is 1
    where no month was held out.
    """
    all_scores = np.where(
        actual < middle, (middle - actual) / _width(middle - lower), (actual - middle) / _width(upper - middle)
    )
    horizon_count = actual.shape[1]
    factors = np.ones(horizon_count)
    for horizon_index in range(horizon_count):
        scores = np.zeros(0)
        for reach in range(horizon_count):
            scores_near = all_scores[:, max(horizon_index - reach, 0) : horizon_index + reach + 1]
            scores = scores_near[~np.isnan(scores_near)]
            if len(scores) >= MINIMUM_SCORES:
                break
        if len(scores):
            rank = min(int(np.ceil((len(scores) + 1) * coverage)), len(scores))
            factors[horizon_index] = np.partition(scores, rank - 1)[rank - 1]
    return np.clip(factors, MINIMUM_FACTOR, MAXIMUM_FACTOR)


def damped_factors(factors: Values, usual: float) -> Values:
    """Move the factors (horizon,) of one held-out period towards the usual one: usual · (factors / usual)^FACTOR_WEIGHT.

    What happens in a period happens to all series, so thousands of scores of one period say little more than one score. On
    training parts such factors were between 0.94 and 1.64, and none of them improved the next period (docs/decisions).
    """
    return np.asarray(usual * (factors / usual) ** FACTOR_WEIGHT)


def interval_scales(past_rmse: Values, held_out_errors: Values) -> Values:
    """Interval scales of local networks, each series by itself: (series, horizon), the standard deviation of its errors.

    past_rmse: (series, horizon), of forecasts without networks from all past origins. They are many and give the shape over the
    horizons; their size is too small, because their settings come from the same months. Where it is NaN, it grows from the last
    known horizon with the square root of the horizon. held_out_errors: (series, origins, horizon), of networks from held-out
    origins, NaN where there is no observation; they are few and correct the size.
    """
    horizons = np.arange(1, past_rmse.shape[1] + 1)
    known_horizons = np.maximum.accumulate(np.where(np.isnan(past_rmse), 0, horizons), axis=1)
    rows = np.arange(len(past_rmse))[:, None]
    filled_rmse = np.where(known_horizons > 0, past_rmse[rows, np.maximum(known_horizons, 1) - 1], np.nan)
    shapes = np.maximum(filled_rmse * np.sqrt(horizons / np.maximum(known_horizons, 1)), 1e-9)
    ratios = (held_out_errors / shapes[:, None]) ** 2
    is_number = ~np.isnan(ratios)
    has_error = is_number.any(axis=2)
    mean_by_origin = np.where(is_number, ratios, 0.0).sum(axis=2) / np.maximum(is_number.sum(axis=2), 1)
    sizes = (mean_by_origin.sum(axis=1) + PAST_ORIGINS_WEIGHT) / (has_error.sum(axis=1) + PAST_ORIGINS_WEIGHT)
    return np.asarray(shapes * np.sqrt(sizes)[:, None])


def live_factors(month_counts: Values, live_coverage: Values) -> Values:
    """Factors by which live errors widen or narrow the intervals of each series: (series, 2), for 80 and 95 %.

    month_counts: (series,), how many months answered published forecasts. live_coverage: (series, 2), share of the answered
    forecasts, of all horizons, inside their published intervals; NaN where there is none. Adaptive conformal inference (Gibbs
    & Candès 2021), with the logarithm of the factor in the place of the level: every month adds LIVE_RATE · (nominal - live
    coverage).
    """
    deficits = month_counts[:, None] * (np.array(NOMINAL_COVERAGES) - live_coverage)
    limit = np.log(LIVE_LIMIT)
    return np.asarray(np.exp(np.clip(LIVE_RATE * np.where(np.isnan(deficits), 0.0, deficits), -limit, limit)))


def widen(middle: Values, bound: Values, factors: Values) -> Values:
    """Move a bound (series, horizon) away from the middle, or towards it, by a factor per horizon (horizon,)."""
    return middle + (bound - middle) * factors


def nonnegative_bounds(bound: Values, lowest: Values) -> Values:
    """Cut bounds (series, horizon) at zero for series whose lowest observation (series,) is not below it."""
    return np.where(lowest[:, None] >= 0, np.maximum(bound, 0.0), bound)


def _width(widths: Values) -> Values:
    return np.maximum(widths, 1e-9)
