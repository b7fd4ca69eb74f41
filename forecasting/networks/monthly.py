"""The recipe `monthly`: a base path, and networks that learn what it misses, with intervals that held-out months correct.

    logs → seasonal indices → base path and smoothed path → windows → networks → quantiles → corrected → unit of the series

What is fitted, and when: the networks' weights and the factors of the intervals, when a bundle is trained; they are plain
numbers. Indices, levels, slopes and scales are computed from a history whenever it is forecast, from its months up to
the origin alone: a stored bundle forecasts new months, and series it never saw, without training.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecasting.networks.ensemble import MEDIAN, predict_members, train_members
from forecasting.networks.examples import Examples
from forecasting.networks.learning import describe, look_back_from, residuals_of
from forecasting.networks.lstm import Weights
from forecasting.networks.own import predict_own, train_own
from forecasting.networks.spread import base_quantiles, bounds_of, factors_of
from forecasting.numerics.intervals import monotone, never_below_zero
from forecasting.panel import Counts, Histories, Values
from forecasting.recipes import MonthlyRecipe

LEAST_TO_LEARN = 18  # months before an origin that a network learns from
LEAST_HELD = 12  # months, the last ones, that networks are judged on
LEAST_TO_FORECAST = 24  # months of history below which the base path is used
MANY_ZEROS = 0.3
HIGHEST = float(np.finfo(np.float64).max) / 1e6


@dataclass(frozen=True)
class FittedMonthly:
    """All that a forecast needs beside the history, and what held-out months said of each series.

    weights: tensors for a bundle; state: JSON values; guarded: bool (series,), the network was much worse than the base
    path. The mean absolute errors on the held-out months, (series,), in logs, are NaN where none could be held out.
    """

    weights: Weights
    state: dict[str, Any]
    guarded: np.ndarray
    network_error: Values
    base_error: Values


@dataclass(frozen=True)
class MonthlyForecast:
    """Forecasts (series, horizon) in the unit of each series; base is the base path.

    reasons: (series,) empty where the networks speak, else the word for why the base path does.
    """

    values: Values
    lower_80: Values
    upper_80: Values
    lower_95: Values
    upper_95: Values
    base: Values
    reasons: tuple[str, ...]


def fit(
    recipe: MonthlyRecipe,
    histories: Histories,
    seed: int | None = None,
    *,
    progress: Callable[[int], None] | None = None,
) -> FittedMonthly:
    """Train the recipe's networks on histories without gaps.

    seed: the recipe's own unless given. Networks are trained twice: without the last `horizon` months, which then say how
    wide intervals must be and which series are better left to the base path, and on everything.
    progress: called with the number of networks done since the last call.
    """
    seed = recipe.seed if seed is None else seed
    lengths = histories.lengths
    shared = len(lengths) >= recipe.shared_from
    state: dict[str, Any] = {"shared": shared, "horizon": recipe.horizon, "factors": {}}
    errors = np.full((2, len(lengths)), np.nan)
    held = max(recipe.horizon, LEAST_HELD)
    rows = np.flatnonzero(lengths - held >= LEAST_TO_FORECAST)
    if len(rows):
        known = histories.select(rows.tolist())
        judges = _train(recipe, _without(known, held), seed, shared, recipe.judges, progress)
        state["factors"], errors[:, rows] = _judge(recipe, judges, shared, known, held)
    weights = _train(recipe, histories, seed, shared, len(recipe.windows), progress)
    with np.errstate(invalid="ignore"):
        guarded = errors[0] > recipe.guard * errors[1]
    return FittedMonthly(weights, state, guarded, errors[0], errors[1])


def forecast(
    recipe: MonthlyRecipe,
    fitted: FittedMonthly,
    histories: Histories,
    *,
    positions: Sequence[int] | None = None,
) -> MonthlyForecast:
    """Forecast histories without gaps, by arithmetic alone.

    positions: which fitted series each history belongs to, -1 where it was never seen; None where the histories are those
    that were fitted, in their order. Raises ValueError when None cannot be.
    """
    if positions is None and len(fitted.guarded) != len(histories.lengths):
        raise ValueError("positions are needed: the histories are not those that were fitted")
    places = np.arange(len(fitted.guarded)) if positions is None else np.asarray(positions, np.int64)
    examples, shift = describe(histories.values, histories.lengths, horizon=recipe.horizon)
    reasons = reasons_of(histories, fitted, places)
    said = _predict(recipe, fitted.weights, fitted.state["shared"], examples, np.maximum(places, 0))
    by_base = (np.array(reasons) != "") | ~np.isfinite(said).all(axis=(1, 2))
    said = np.where(by_base[:, None, None], base_quantiles(recipe.horizon), said)
    lowest = _lowest(histories)
    bounds = bounds_of(fitted.state["factors"], said, by_base)

    def in_units(residuals: Values) -> Values:
        logs = np.minimum(examples.base + residuals * examples.scale[:, None], np.log(HIGHEST))
        return never_below_zero(np.exp(logs) - shift[:, None], lowest)

    return MonthlyForecast(
        in_units(said[:, :, MEDIAN]),
        **{name: in_units(bound) for name, bound in bounds.items()},
        base=in_units(np.zeros_like(examples.base)),
        reasons=reasons,
    )


def reasons_of(histories: Histories, fitted: FittedMonthly, places: np.ndarray) -> tuple[str, ...]:
    """Say why the base path speaks for a series: short, constant, intermittent, unseen, guarded; empty where it does not."""
    inside = np.arange(histories.values.shape[1]) < histories.lengths[:, None]
    zeros = ((histories.values == 0) & inside).sum(axis=1) / np.maximum(histories.lengths, 1)
    highest = np.where(inside, histories.values, -np.inf).max(axis=1, initial=-np.inf)
    unseen = (places < 0) & (not fitted.state["shared"])
    words = {
        "short": histories.lengths < LEAST_TO_FORECAST,
        "constant": highest == _lowest(histories),
        "intermittent": zeros > MANY_ZEROS,
        "unseen": unseen,
        "guarded": fitted.guarded[places] & (places >= 0),
    }
    return tuple(next((word for word, holds in words.items() if holds[row]), "") for row in range(len(inside)))


def _train(
    recipe: MonthlyRecipe,
    histories: Histories,
    seed: int,
    shared: bool,
    members: int,
    progress: Callable[[int], None] | None,
) -> Weights:
    longest = int(histories.lengths.max(initial=1))
    months = max(int(recipe.horizons_back * recipe.horizon), 12) if shared else longest
    learning = look_back_from(
        histories.values,
        histories.lengths,
        horizon=recipe.horizon,
        months=months,
        least=LEAST_TO_LEARN,
        most=recipe.most_examples,
        seed=seed,
    )
    if shared:
        return train_members(recipe, learning, range(members), seed, progress)
    weights = train_own(recipe, learning, _series_seeds(seed, len(histories.lengths)))
    if progress:
        progress(recipe.own_members * len(histories.lengths))
    return weights


def _predict(
    recipe: MonthlyRecipe, weights: Weights, shared: bool, examples: Examples, places: np.ndarray
) -> np.ndarray:
    """Predict residuals in units of scale, quantiles in rising order: (rows, horizon, quantiles)."""
    if shared:
        members = range(len({name.split("/")[0] for name in weights}))
        said = predict_members(recipe, weights, members, examples)
    else:
        said = predict_own(recipe, weights, examples, places)
    return monotone(said, MEDIAN)


def _judge(
    recipe: MonthlyRecipe, judges: Weights, shared: bool, histories: Histories, held: int
) -> tuple[dict[str, list[float]], np.ndarray]:
    """Forecast the held-out months: factors for the intervals, and the errors (2, series) of networks and base path.

    Every origin counts that has its whole horizon in the held-out months.
    """
    actual, said, scales = [], [], []
    for origin in range(held, recipe.horizon - 1, -1):
        known = _without(histories, origin)
        examples, shift = describe(known.values, known.lengths, horizon=recipe.horizon)
        said.append(_predict(recipe, judges, shared, examples, np.arange(len(known.lengths))))
        after = _logs_after(histories.values, known.lengths, shift, recipe.horizon)
        actual.append(residuals_of(examples, after))
        scales.append(examples.scale[:, None])
    missed = [
        np.mean(
            [np.abs(true - path) * scale for true, path, scale in zip(actual, paths, scales, strict=True)], axis=(0, 2)
        )
        for paths in ([own[:, :, MEDIAN] for own in said], [np.zeros_like(true) for true in actual])
    ]
    return factors_of(np.concatenate(actual), np.concatenate(said)), np.array(missed)


def _without(histories: Histories, months: int) -> Histories:
    """Return histories as they were some months earlier."""
    return Histories(
        histories.values, histories.lengths - months, tuple(last + -months for last in histories.last_months)
    )


def _logs_after(values: Values, lengths: Counts, shift: Values, horizon: int) -> Values:
    """Return the logs (series, horizon) of the months after each history's first `lengths` months."""
    columns = lengths[:, None] + np.arange(horizon)
    after = values[np.arange(len(values))[:, None], columns] + shift[:, None]
    # A value lower than the shift allows has no logarithm; it is as far down as residuals go.
    return np.asarray(np.log(np.maximum(after, 1e-300)))


def _lowest(histories: Histories) -> Values:
    inside = np.arange(histories.values.shape[1]) < histories.lengths[:, None]
    return np.asarray(np.where(inside, histories.values, np.inf).min(axis=1, initial=np.inf))


def _series_seeds(seed: int, series: int) -> np.ndarray:
    return np.array([(seed * 1_000_003 + row + 1) % (1 << 63) for row in range(series)], dtype=np.uint64)
