"""Intervals of global networks and of the base path: quantiles moved away from the median by a factor per horizon."""

from typing import Any

import numpy as np

from forecasting.domain.panel import Values
from forecasting.models.monthly.global_networks import MEDIAN
from forecasting.numerics.intervals import conformal_factors, damped_factors, widen

INTERVALS = {"80": (1, 3, 0.80), "95": (0, 4, 0.95)}  # positions of the lower and upper quantile, coverage
USUAL_FACTORS = {"80": 1.06, "95": 1.07}  # for networks, whose quantiles are too narrow; measured on training parts


def fit_factors(residuals: np.ndarray, quantiles: np.ndarray) -> dict[str, list[float]]:
    """Fit the factors on held-out months: by name, `network_80` … `base_95`, one number per horizon.

    residuals: (rows, horizon), of the values that were observed; quantiles: (rows, horizon, levels), predicted for them.
    """
    factors: dict[str, list[float]] = {}
    base = np.broadcast_to(base_quantiles(quantiles.shape[1]), quantiles.shape)
    for interval, (low, high, coverage) in INTERVALS.items():
        for name, predicted in (("network", quantiles), ("base", base)):
            median, lower, upper = (predicted[:, :, level] for level in (MEDIAN, low, high))
            fitted_factors = conformal_factors(residuals, median, lower, upper, coverage=coverage)
            if name == "network":
                fitted_factors = damped_factors(fitted_factors, USUAL_FACTORS[interval])
            factors[f"{name}_{interval}"] = fitted_factors.tolist()
    return factors


def interval_bounds(
    factors: dict[str, Any], quantiles: np.ndarray, fallback_mask: np.ndarray, live_factors: Values | None = None
) -> dict[str, Values]:
    """Bounds lower_80 … upper_95 by name, as residuals (series, horizon); the 80 % interval lies inside the 95 % interval.

    factors: from `fit_factors`; empty: all 1. quantiles: (series, horizon, levels). fallback_mask: bool (series,), True where
    the quantiles are the base path's. live_factors: (series, 2), further factors of the 80 and the 95 % interval.
    """
    median = quantiles[:, :, MEDIAN]
    bounds: dict[str, Values] = {}
    for column, (interval, (low, high, _)) in enumerate(INTERVALS.items()):
        ones = [1.0] * median.shape[1]
        network_factors, base_factors = (
            np.array(factors.get(f"{name}_{interval}", ones)) for name in ("network", "base")
        )
        row_factors = np.where(fallback_mask[:, None], base_factors, network_factors)
        if live_factors is not None:
            row_factors = row_factors * live_factors[:, column, None]
        bounds[f"lower_{interval}"] = widen(median, quantiles[:, :, low], row_factors)
        bounds[f"upper_{interval}"] = widen(median, quantiles[:, :, high], row_factors)
    bounds["lower_95"] = np.minimum(bounds["lower_95"], bounds["lower_80"])
    bounds["upper_95"] = np.maximum(bounds["upper_95"], bounds["upper_80"])
    return bounds


def base_quantiles(horizon: int) -> np.ndarray:
    """Quantiles of the base path's residuals, those of a random walk, √h · z: (horizon, levels) in units of scale."""
    z = np.array([-1.96, -1.2816, 0.0, 1.2816, 1.96])  # quantiles of the normal distribution at LEVELS
    return np.asarray(np.sqrt(np.arange(1, horizon + 1))[:, None] * z)
