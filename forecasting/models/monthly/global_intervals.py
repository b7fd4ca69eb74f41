"""How wide the intervals of the recipe `monthly` are: quantiles of networks or base path, times factors per horizon."""

from typing import Any

import numpy as np

from forecasting.domain.panel import Values
from forecasting.models.monthly.global_networks import MEDIAN
from forecasting.numerics.intervals import conformal_factors, tempered, widen

COVERAGES = {"80": (1, 3, 0.80), "95": (0, 4, 0.95)}  # positions of the quantiles, and what they should cover
USUAL = {"80": 1.06, "95": 1.07}  # networks know the past better than the future: by how much, on training parts


def fit_factors(actual: np.ndarray, said: np.ndarray) -> dict[str, list[float]]:
    """Find the factors of the intervals, for the networks and for the base path: one per horizon."""
    factors: dict[str, list[float]] = {}
    plain = np.broadcast_to(base_quantiles(said.shape[1]), said.shape)
    for name, (low, high, coverage) in COVERAGES.items():
        for who, quantiles in (("network", said), ("base", plain)):
            middle, lower, upper = (quantiles[:, :, place] for place in (MEDIAN, low, high))
            found = conformal_factors(actual, middle, lower, upper, coverage=coverage)
            factors[f"{who}_{name}"] = (tempered(found, USUAL[name]) if who == "network" else found).tolist()
    return factors


def interval_bounds(
    factors: dict[str, Any], said: np.ndarray, by_base: np.ndarray, live_factors: Values | None = None
) -> dict[str, Values]:
    """Return lower_80 … upper_95 as residuals (series, horizon), corrected; the wider interval holds the narrower.

    factors: as from `fit_factors`, empty where none are needed. live: (series, 2), factors on top of them for 80 and 95 %.
    """
    middle = said[:, :, MEDIAN]
    bounds: dict[str, Values] = {}
    for column, (name, (low, high, _)) in enumerate(COVERAGES.items()):
        ones = [1.0] * middle.shape[1]
        own, base = (np.array(factors.get(f"{who}_{name}", ones)) for who in ("network", "base"))
        factor = np.where(by_base[:, None], base, own)
        if live_factors is not None:
            factor = factor * live_factors[:, column, None]
        bounds[f"lower_{name}"] = widen(middle, said[:, :, low], factor)
        bounds[f"upper_{name}"] = widen(middle, said[:, :, high], factor)
    bounds["lower_95"] = np.minimum(bounds["lower_95"], bounds["lower_80"])
    bounds["upper_95"] = np.maximum(bounds["upper_95"], bounds["upper_80"])
    return bounds


def base_quantiles(horizon: int) -> np.ndarray:
    """Quantiles (horizon, quantiles) of the base path before correction: a random walk's, in units of scale."""
    normal = np.array([-1.96, -1.2816, 0.0, 1.2816, 1.96])
    return np.asarray(np.sqrt(np.arange(1, horizon + 1))[:, None] * normal)
