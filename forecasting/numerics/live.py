"""Scores of published forecasts whose months have been observed since."""

import numpy as np

from forecasting.domain.panel import Values
from forecasting.numerics.accuracy import coverage
from forecasting.numerics.metrics import rmse, skill

BASELINES = {"seasonal_naive": "baseline_rmse", "last_value": "naive_rmse", "base_path": "base_path_rmse"}


def score_live(paths: dict[str, Values], actual: Values) -> dict[str, Values]:
    """Score forecasts, and the baselines that were stored beside them, by the observations of their months.

    paths: by name, value, seasonal_naive, last_value, and where they exist base_path and the bounds of intervals (lower_80 and
    so on); each (series, horizon, months) in the unit of the series, NaN where there is no number. actual: (series, months), NaN
    where there is no observation. Returns by name n, rmse, baseline_rmse (of the seasonal naive), naive_rmse, base_path_rmse,
    skill (on the months that have a seasonal naive) and coverages; each (series, horizon), NaN where no month counts.
    """
    actual_by_horizon = actual[:, None, :]
    errors = paths["value"] - actual_by_horizon
    measures = {"n": (~np.isnan(errors)).sum(axis=-1).astype(np.float64), "rmse": rmse(errors)}
    measures |= {name: rmse(paths[path] - actual_by_horizon) for path, name in BASELINES.items() if path in paths}
    rmse_with_baseline = rmse(np.where(np.isnan(paths["seasonal_naive"]), np.nan, errors))
    measures["skill"] = skill(rmse_with_baseline, measures["baseline_rmse"])
    for level in (80, 95):
        if f"lower_{level}" in paths:
            lower, upper = paths[f"lower_{level}"], paths[f"upper_{level}"]
            actual_with_interval = np.where(np.isnan(upper - lower), np.nan, actual_by_horizon)
            measures[f"coverage_{level}"] = coverage(actual_with_interval, lower, upper)
    return measures
