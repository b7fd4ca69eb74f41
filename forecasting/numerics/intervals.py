"""Intervals from quantiles: never crossing, and corrected by what held-out months said (split conformal prediction)."""

import numpy as np

from forecasting.domain.panel import Values

NARROWEST, WIDEST = 0.3, 4.0  # a factor beyond these says that the quantiles are useless, not that they are off
ENOUGH = 400  # scores that a factor is read from, neighbouring horizons taken in until there are so many
TRUST = 0.15  # share of a held-out period's factor that is believed; chosen on training parts
TRUSTED = 24  # held-out origins that weigh as much as all past ones; chosen on training parts, as the multiples are
# Half widths in units of the spread, for 95 and 80 %; a normal distribution's are 1.96 and 1.28, months have heavier tails.
MULTIPLES = (2.15, 1.28)
AIMED = (0.80, 0.95)
# How fast live errors widen or narrow intervals, and how far. On training parts of hospital, M1 and tourism and of 121 single
# series, reused for 24 to 48 months, 0.06 took 2, -3, 1 and 2 % off the MSIS; twice as fast helped single series only.
LIVE_RATE, LIVE_LIMIT = 0.06, 2.0


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
    for horizons in range(horizon):
        scores = np.zeros(0)
        for reach in range(horizon):
            near = beyond[:, max(horizons - reach, 0) : horizons + reach + 1]
            scores = near[~np.isnan(near)]
            if len(scores) >= ENOUGH:
                break
        if len(scores):
            rank = min(int(np.ceil((len(scores) + 1) * coverage)), len(scores))
            factors[horizons] = np.partition(scores, rank - 1)[rank - 1]
    return np.clip(factors, NARROWEST, WIDEST)


def tempered(factors: Values, usual: float) -> Values:
    """Move factors (horizon,) of one held-out period most of the way back to the usual one: usual · (factors / usual)^TRUST.

    All series share what happens in a period, so that thousands of scores of one period are little more than one draw:
    on training parts such factors lay between 0.94 and 1.64, and the period after had use for none of them (docs/decisions).
    """
    return np.asarray(usual * (factors / usual) ** TRUST)


def spread_alone(past: Values, held_out: Values) -> Values:
    """Return how far forecasts of a single series err, (series, horizon): a standard deviation per horizon.

    past: (series, horizon) root mean square of the errors from all past origins, of what needs no training to be known:
    its shape over the horizons is well known, its size too small, as it has seen these months. held_out: (series, origins,
    horizon) errors from held-out origins, NaN where not known: few, but honest, they correct the size. Each series by
    itself. Where past is NaN, it grows from the horizon before with the square root of the horizon.
    """
    horizons = np.arange(1, past.shape[1] + 1)
    last = np.maximum.accumulate(np.where(np.isnan(past), 0, horizons), axis=1)
    rows = np.arange(len(past))[:, None]
    filled_past = np.where(last > 0, past[rows, np.maximum(last, 1) - 1], np.nan)
    shape = np.maximum(filled_past * np.sqrt(horizons / np.maximum(last, 1)), 1e-9)
    ratios = (held_out / shape[:, None]) ** 2
    is_number = ~np.isnan(ratios)
    has_error = is_number.any(axis=2)
    by_origin = np.where(is_number, ratios, 0.0).sum(axis=2) / np.maximum(is_number.sum(axis=2), 1)
    size = (by_origin.sum(axis=1) + TRUSTED) / (has_error.sum(axis=1) + TRUSTED)
    return np.asarray(shape * np.sqrt(size)[:, None])


def live_factors(months: Values, realised: Values) -> Values:
    """Return by how much live errors widen or narrow the intervals of each series: (series, 2), for 80 and 95 %.

    months: (series,) months that have answered published forecasts; realised: (series, 2) share of answered forecasts, of
    all horizons, that the published intervals covered, NaN where none is. Adaptive conformal inference (Gibbs & Candès
    2021) with the factor's logarithm in the place of the level: every month moves it by the rate times what coverage
    lacks, which adds up to rate · months · (aimed - realised).
    """
    lacking_coverage = months[:, None] * (np.array(AIMED) - realised)
    limit = np.log(LIVE_LIMIT)
    return np.asarray(
        np.exp(np.clip(LIVE_RATE * np.where(np.isnan(lacking_coverage), 0.0, lacking_coverage), -limit, limit))
    )


def widen(middle: Values, bound: Values, factors: Values) -> Values:
    """Move a bound (series, horizon) away from the middle, or towards it, by a factor per horizon (horizon,)."""
    return middle + (bound - middle) * factors


def never_below_zero(bound: Values, lowest: Values) -> Values:
    """Cut bounds (series, horizon) at zero for series whose lowest observation (series,) is not below it."""
    return np.where(lowest[:, None] >= 0, np.maximum(bound, 0.0), bound)


def _width(width: Values) -> Values:
    return np.maximum(width, 1e-9)
