"""What held-out months say of networks: their errors per horizon, how wide intervals must be, and whom to guard.

Every month of the held-out part is an origin once: short horizons are answered many times, the longest ones once. What
a forecast knows ends at its origin.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from forecasting.domain.panel import Histories, Values
from forecasting.domain.settings import usable_cores
from forecasting.models.monthly.dataset import BLOCK, describe_histories, residuals_of
from forecasting.models.monthly.features import Examples
from forecasting.models.monthly.global_networks import LEVELS, MEDIAN
from forecasting.models.types import SplitScores
from forecasting.numerics.baselines import naive, seasonal_naive
from forecasting.numerics.metrics import rmse, skill

Predict = Callable[[Examples, np.ndarray], np.ndarray]  # examples and their series -> (rows, horizon, quantiles)


@dataclass(frozen=True)
class Validation:
    """Held-out months and what was said of them, for each series at each origin, the earliest first.

    truth: float32 (series, origins, horizon) in units of scale from the base path, NaN where not known; said: float32
    (series, origins, horizon, quantiles), the judges', the same; scales: (series, origins) in logs. errors: (2, series) mean
    absolute errors of judges and base path in logs. scores: of the judges as `test`, of networks that were trained on these
    months as `train`.
    """

    truth: np.ndarray
    said: np.ndarray
    scales: Values
    errors: Values
    scores: dict[str, SplitScores]


def validate_networks(
    judges: Predict,
    trained: Predict,
    histories: Histories,
    months: int,
    *,
    horizon: int,
    filled_mask: np.ndarray | None = None,
) -> Validation:
    """Forecast from each of the last `months` origins and compare.

    histories: without gaps, each longer than `months`. filled: bool (series, months), months that were not observed: they are
    no truth.
    """
    known = histories.values if filled_mask is None else np.where(filled_mask, np.nan, histories.values)
    series = len(histories.lengths)
    truth = np.empty((series, months, horizon), np.float32)
    said = np.empty((series, months, horizon, len(LEVELS)), np.float32)
    scales = np.empty((series, months))
    misses = np.empty((2, series))
    parts: list[Values] = []
    for start in range(0, series, BLOCK):
        rows = np.arange(start, min(start + BLOCK, series))
        with ThreadPoolExecutor(usable_cores()) as pool:
            from_origin = partial(_from_origin, (judges, trained), histories, known, rows, horizon)
            found = list(pool.map(from_origin, range(months, 0, -1)))
        actual, quantiles, scale, missed, wrong = (np.stack(arrays, axis=1) for arrays in zip(*found, strict=True))
        truth[rows], said[rows], scales[rows] = actual, quantiles, scale
        misses[:, rows] = _mean(missed)
        parts.append(wrong)
    errors = np.concatenate([np.empty((5, months, 0, horizon)), *parts], axis=2)
    test, train, *baselines = errors.transpose(0, 2, 3, 1)  # each (series, horizon, origins)
    scores = {"train": _scores(train, *baselines), "test": _scores(test, *baselines)}
    return Validation(truth, said, scales, misses, scores)


def _from_origin(
    predicts: tuple[Predict, Predict], histories: Histories, known: Values, rows: np.ndarray, horizon: int, origin: int
) -> tuple[np.ndarray, ...]:
    """Return truth, quantiles, scale, misses and errors as seen from an origin; all but scale (…, series, horizon).

    misses: of judges and base path, in logs; errors: of judges, trained networks, seasonal naive, naive and base path, in
    the unit of the series.
    """
    values, lengths = histories.values[rows], histories.lengths[rows] - origin
    examples, shift = describe_histories(values, lengths, horizon=horizon)
    quantiles, again = (predict(examples, rows) for predict in predicts)
    after = _after(known[rows], lengths, histories.lengths[rows], horizon)
    truth = residuals_of(examples, _logs(after, shift))
    scale = examples.scale[:, None]
    paths = (
        _in_units(examples, quantiles[:, :, MEDIAN], shift),
        _in_units(examples, again[:, :, MEDIAN], shift),
        seasonal_naive(values, lengths, horizon=horizon),
        naive(values, lengths, horizon=horizon),
        _in_units(examples, np.zeros_like(truth), shift),
    )
    missed = np.array([np.abs(truth - quantiles[:, :, MEDIAN]) * scale, np.abs(truth) * scale])
    return truth, quantiles, examples.scale, missed, np.array([path - after for path in paths])


def _mean(misses: Values) -> Values:
    """Mean over origins and horizons of (2, origins, series, horizon), without NaN: (2, series)."""
    known = ~np.isnan(misses)
    return np.asarray(np.where(known, misses, 0.0).sum(axis=(1, 3)) / np.maximum(known.sum(axis=(1, 3)), 1))


def _scores(errors: Values, seasonal: Values, last: Values, base: Values) -> SplitScores:
    """Score errors, each (series, horizon, origins)."""
    beside_baseline = np.where(np.isnan(seasonal), np.nan, errors)
    baseline_rmse = rmse(seasonal)
    return SplitScores(
        n=(~np.isnan(errors)).sum(axis=-1),
        rmse=rmse(errors),
        baseline_rmse=baseline_rmse,
        naive_rmse=rmse(last),
        base_path_rmse=rmse(base),
        skill=skill(rmse(beside_baseline), baseline_rmse),
    )


def _after(values: Values, lengths: np.ndarray, ends: np.ndarray, horizon: int) -> Values:
    """Return the months (series, horizon) after each history's first `lengths` months, NaN at and beyond its end."""
    columns = lengths[:, None] + np.arange(horizon)
    found = values[np.arange(len(values))[:, None], np.minimum(columns, values.shape[1] - 1)]
    return np.where(columns < ends[:, None], found, np.nan)


def _logs(values: Values, shift: Values) -> Values:
    # A value lower than the shift allows has no logarithm; it is as far down as residuals go.
    return np.asarray(np.log(np.maximum(values + shift[:, None], 1e-300)))


def _in_units(examples: Examples, residuals: Values, shift: Values) -> Values:
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(examples.base + residuals * examples.scale[:, None]) - shift[:, None])
