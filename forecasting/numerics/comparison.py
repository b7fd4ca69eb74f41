"""Contestants side by side on the same months: measures per horizon and overall, and a paired test.

Arrays are (origins, series, horizon) in the unit of each series, NaN where a month has no observation or no forecast.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import wilcoxon

from forecasting.domain.panel import Values
from forecasting.numerics.accuracy import bias, coverage, mean, msis, smape
from forecasting.numerics.metrics import rmse

MEASURES = ("rmse", "mae", "mase", "smape", "bias", "coverage_80", "coverage_95", "msis", "skill")


@dataclass(frozen=True)
class MeanDifference:
    """How two contestants differ.

    better: share of pairs in which the first has the smaller error. p: probability of such a difference by chance alone.
    """

    pairs: int
    better: float
    p: float


def measures(
    values: Values, bounds: dict[str, Values], actual: Values, scale: Values, baseline: Values
) -> dict[str, float]:
    """Score forecasts: each measure over all origins and horizons of a series, then the mean over the series.

    scale: (series,) of MASE and MSIS; RMSE, MAE and bias are in the units of the series. baseline: the forecasts of the
    seasonal naive. skill: 1 - mean scaled RMSE / that of the baseline, on months that both forecast.
    """
    actual_by_series = actual.swapaxes(0, 1).reshape(actual.shape[1], -1)
    forecasts = values.swapaxes(0, 1).reshape(actual_by_series.shape)
    baseline_forecasts = baseline.swapaxes(0, 1).reshape(actual_by_series.shape)
    forecasts_with_baseline = np.where(np.isnan(baseline_forecasts), np.nan, forecasts)
    values_by_measure = {
        "rmse": rmse(forecasts - actual_by_series),
        "mae": mean(np.abs(forecasts - actual_by_series)),
        "mase": mean(np.abs(forecasts - actual_by_series)) / scale,
        "smape": smape(forecasts, actual_by_series),
        "bias": bias(forecasts, actual_by_series),
    }
    if bounds:
        low_95, low_80, high_80, high_95 = (
            bounds[name].swapaxes(0, 1).reshape(actual_by_series.shape)
            for name in ("lower_95", "lower_80", "upper_80", "upper_95")
        )
        actual_with_interval = np.where(np.isnan(low_95), np.nan, actual_by_series)
        values_by_measure |= {
            "coverage_80": coverage(actual_with_interval, low_80, high_80),
            "coverage_95": coverage(actual_with_interval, low_95, high_95),
            "msis": msis(actual_with_interval, low_95, high_95, scale),
        }
    baseline_error = _mean(rmse(baseline_forecasts - np.where(np.isnan(forecasts), np.nan, actual_by_series)) / scale)
    error = _mean(rmse(forecasts_with_baseline - actual_by_series) / scale)
    skill = 1 - error / baseline_error if baseline_error > 0 else np.nan
    return {name: _mean(numbers) for name, numbers in values_by_measure.items()} | {"skill": skill}


def compare(first_forecasts: Values, second_forecasts: Values, actual: Values, scale: Values) -> MeanDifference:
    """Compare the scaled absolute errors of two contestants on the same months by Wilcoxon's signed-rank test (1945).

    The forecasts and the actual values are (origins, series, horizon). scale: (series,), what the errors of a series are divided
    by, in its unit.

    With ten series or more, a pair is a series: its mean errors over origins and horizons. With fewer series, a pair is a series
    from one origin; the errors of neighbouring origins overlap, and p is too small.
    """
    errors = [np.abs(forecasts - actual) / scale[None, :, None] for forecasts in (first_forecasts, second_forecasts)]
    has_both = ~(np.isnan(errors[0]) | np.isnan(errors[1]))
    axes = (0, 2) if actual.shape[1] >= 10 else (2,)
    error_counts = has_both.sum(axis=axes)  # of each pair
    means = [
        np.where(has_both, error, 0.0).sum(axis=axes)[error_counts > 0] / error_counts[error_counts > 0]
        for error in errors
    ]
    difference = means[0] - means[1]
    if not len(difference) or not difference.any():
        return MeanDifference(len(difference), 0.0, 1.0)
    return MeanDifference(len(difference), float((difference < 0).mean()), float(wilcoxon(difference).pvalue))


def _mean(numbers: Values) -> float:
    finite = numbers[np.isfinite(numbers)]
    return float(finite.mean()) if len(finite) else float("nan")
