"""The recipe `monthly`: a base path, and networks that learn what it misses, with intervals that held-out months correct.

    logs → seasonal indices → base path and smoothed path → windows → networks → quantiles → corrected → unit of the series

What is fitted, and when: the networks' weights and the factors of the intervals, when a bundle is trained; they are plain
numbers. Indices, levels, slopes and scales are computed from a history whenever it is forecast, from its months up to
the origin alone: a stored bundle forecasts new months, and series it never saw, without training.
"""

from collections.abc import Sequence

import numpy as np

from forecasting.domain.panel import Histories, Values
from forecasting.domain.recipes import MonthlyRecipe
from forecasting.lstm.weights import Weights
from forecasting.models.monthly.dataset import describe_histories
from forecasting.models.monthly.features import Examples
from forecasting.models.monthly.global_intervals import base_quantiles, interval_bounds
from forecasting.models.monthly.global_networks import LEVELS, MEDIAN, member_shapes, predict_members
from forecasting.models.monthly.local_intervals import quantiles_around
from forecasting.models.monthly.local_networks import local_shapes, predict_local
from forecasting.models.types import Forecasts, Networks, PastPredictions
from forecasting.numerics.intervals import monotone, never_below_zero
from forecasting.numerics.statistical import forecast_by

LEAST_TO_LEARN = 18  # months before an origin that a network learns from
LEAST_HELD = 12  # months, the last ones, that networks are judged on
LEAST_TO_FORECAST = 24  # months of history below which the base path is used
JUDGES = "judge/"  # tensors of the networks that have not seen the last months: test figures can be computed again
PAST_BLOCK = 4096  # months of the past predicted at a time: what is described of them fits the memory
SCALER_FIELDS: dict[str, type] = {
    "kind": str,
    "guarded": bool,
    "spread": list,
    "base_spread": list,
}  # of networks of a series' own
HIGHEST = float(np.finfo(np.float64).max) / 1e6


def tensor_shapes(recipe: MonthlyRecipe, networks: Networks) -> dict[str, tuple[int, ...]]:
    """Return the shapes that tensors must have by name: each series' own, or shared ones, which may have no judges."""
    if not networks.are_global:
        own = local_shapes(recipe)
        return own | {f"{JUDGES}{name}": shape for name, shape in own.items()}
    examples, _ = describe_histories(np.ones((1, LEAST_TO_LEARN)), np.array([LEAST_TO_LEARN]), horizon=recipe.horizon)
    judges = recipe.judges if any(name.startswith(JUDGES) for name in networks.weights) else 0
    return member_shapes(recipe, range(len(recipe.windows)), examples) | {
        f"{JUDGES}{name}": shape for name, shape in member_shapes(recipe, range(judges), examples).items()
    }


def forecast(
    recipe: MonthlyRecipe,
    networks: Networks,
    histories: Histories,
    *,
    positions: Sequence[int],
    live_factors: Values | None = None,
) -> Forecasts:
    """Forecast histories without gaps, by arithmetic alone.

    positions: which of the networks' series each history belongs to, -1 where it was never seen. live: (series, 2),
    factors by which live errors widen the 80 and 95 % intervals; None: none.
    """
    places = np.asarray(positions, np.int64)
    examples, shift = describe_histories(histories.values, histories.lengths, horizon=recipe.horizon)
    reasons = _reasons(histories, networks, places)
    said = predict_residuals(recipe, networks.weights, networks.are_global, examples, np.maximum(places, 0))
    finite = np.isfinite(said).all(axis=(1, 2))
    reasons = tuple(reason or ("" if good else "diverged") for reason, good in zip(reasons, finite, strict=True))
    by_base = np.array(reasons) != ""
    said = np.where(by_base[:, None, None], base_quantiles(recipe.horizon), said)
    factors = networks.state["factors"] if networks.are_global else {}
    if not networks.are_global:
        said = _own_quantiles(networks, places, said, by_base, examples.scale)
    made = _in_units(histories, examples, shift, said, interval_bounds(factors, said, by_base, live_factors), reasons)
    return _blended(recipe, made, histories) if recipe.blend else made


def _blended(recipe: MonthlyRecipe, made: Forecasts, histories: Histories) -> Forecasts:
    """Average forecasts and bounds with those of the recipe's other models, where the networks speak and a model does."""
    rows = [row for row, reason in enumerate(made.fallback_reasons) if not reason]
    asked = histories.select(rows)
    values, bounds = made.values.copy(), {name: bound.copy() for name, bound in made.bounds.items()}
    notes = [""] * len(made.fallback_reasons)
    paths = {"values": [made.values[rows]], **{name: [bound[rows]] for name, bound in bounds.items()}}
    for model in recipe.blend:
        other = forecast_by(model, asked.values, asked.lengths, horizon=recipe.horizon)
        for name, found in paths.items():
            found.append(getattr(other, name))
        for row, failure in zip(rows, other.failures, strict=True):
            notes[row] = f"{notes[row]} {failure}".strip()
    lowest = _lowest(asked)
    for name, found in paths.items():
        blend = never_below_zero(np.nanmean(found, axis=0), lowest)
        (values if name == "values" else bounds[name])[rows] = blend
    return Forecasts(values, made.fallback_reasons, bounds, made.base_path, tuple(notes))


def _own_quantiles(
    networks: Networks, places: np.ndarray, said: np.ndarray, by_base: np.ndarray, scale: Values
) -> np.ndarray:
    """Put quantiles around what was said, as wide as each series' own errors have been; where it was never seen, leave them."""
    known = np.flatnonzero(places >= 0)
    if not len(known):
        return said
    spread = np.array(
        [networks.scalers[places[row]]["base_spread" if by_base[row] else "spread"] for row in known], dtype=np.float64
    )
    quantiles = said.copy()
    quantiles[known] = quantiles_around(said[known, :, MEDIAN], spread, scale[known])
    return quantiles


def forecast_without_networks(recipe: MonthlyRecipe, histories: Histories) -> Forecasts:
    """Forecast by the base path, with the intervals of a random walk."""
    examples, shift = describe_histories(histories.values, histories.lengths, horizon=recipe.horizon)
    said = np.broadcast_to(base_quantiles(recipe.horizon), (len(shift), recipe.horizon, len(LEVELS)))
    by_base = np.ones(len(shift), bool)
    return _in_units(histories, examples, shift, said, interval_bounds({}, said, by_base), ("",) * len(shift))


def predict_past(
    recipe: MonthlyRecipe,
    networks: Networks,
    histories: Histories,
    *,
    positions: Sequence[int],
    trained_lengths: Sequence[int],
    past_months: int | None = None,
) -> list[PastPredictions]:
    """Predict the past of series: held-out months by the judges, later ones and those trained on by the networks.

    positions: which of the networks' series each history belongs to; trained: its months when the networks were trained;
    months: how many are asked about, the last ones; None: all.
    """
    lengths, known = histories.lengths, np.asarray(trained_lengths, np.int64)
    least = np.minimum(LEAST_TO_LEARN, lengths)
    first = least if past_months is None else np.maximum(least, lengths - past_months)
    held = np.where(known - held_months(recipe) >= LEAST_TO_FORECAST, held_months(recipe), 0)
    split = np.clip(known - held, first, lengths)
    series = np.repeat(np.arange(len(lengths)), lengths - first)
    asked = np.concatenate([np.arange(*ends) for ends in zip(first, lengths, strict=True)]) if len(lengths) else series
    judged = (asked >= (known - held)[series]) & (asked < known[series])
    places = np.maximum(np.asarray(positions, np.int64), 0)[series]
    judges = {name.removeprefix(JUDGES): tensor for name, tensor in networks.weights.items() if name.startswith(JUDGES)}
    ahead = np.empty(len(series))
    for weights, members, rows in ((networks.weights, None, ~judged), (judges, recipe.judges, judged)):
        for block in np.array_split(np.flatnonzero(rows), -(-int(rows.sum()) // PAST_BLOCK) or 1):
            if len(block):
                own = Histories(histories.values[series[block]], asked[block], ())
                examples, shift = describe_histories(own.values, own.lengths, horizon=recipe.horizon)
                said = predict_residuals(recipe, weights, networks.are_global, examples, places[block], members=members)
                ahead[block] = _in_units(own, examples, shift, said, {}, ()).values[:, 0]
    each = np.split(ahead, np.cumsum(lengths - first)[:-1])
    return [
        PastPredictions(values[: end - start], int(start), values[end - start :], int(end))
        for values, start, end in zip(each, first, split, strict=True)
    ]


def held_months(recipe: MonthlyRecipe) -> int:
    """Return how many of the last months are held out."""
    return max(recipe.horizon, LEAST_HELD)


def _in_units(
    histories: Histories,
    examples: Examples,
    shift: Values,
    said: np.ndarray,
    bounds: dict[str, Values],
    fallback_reasons: tuple[str, ...],
) -> Forecasts:
    lowest = _lowest(histories)

    def in_units(residuals: Values) -> Values:
        logs = np.minimum(examples.base + residuals * examples.scale[:, None], np.log(HIGHEST))
        return never_below_zero(np.exp(logs) - shift[:, None], lowest)

    return Forecasts(
        in_units(said[:, :, MEDIAN]),
        fallback_reasons,
        {name: in_units(bound) for name, bound in bounds.items()},
        in_units(np.zeros_like(examples.base)),
    )


def _reasons(histories: Histories, networks: Networks, places: np.ndarray) -> tuple[str, ...]:
    """Say why the base path speaks for a series: short, constant, intermittent, unseen, guarded; empty where it does not."""
    inside = np.arange(histories.values.shape[1]) < histories.lengths[:, None]
    zeros = ((histories.values == 0) & inside).sum(axis=1) / np.maximum(histories.lengths, 1)
    highest = np.where(inside, histories.values, -np.inf).max(axis=1, initial=-np.inf)
    words = {
        "short_history": histories.lengths < LEAST_TO_FORECAST,
        "constant": highest == _lowest(histories),
        "intermittent": zeros > MonthlyRecipe.most_zeros,
        "unseen": (places < 0) & (not networks.are_global),
        "guarded": np.array([place >= 0 and networks.scalers[place]["guarded"] for place in places], dtype=bool),
    }
    return tuple(next((word for word, holds in words.items() if holds[row]), "") for row in range(len(inside)))


def predict_residuals(
    recipe: MonthlyRecipe,
    weights: Weights,
    shared: bool,
    examples: Examples,
    places: np.ndarray,
    *,
    members: int | None = None,
) -> np.ndarray:
    """Predict residuals in units of scale, quantiles in rising order: (rows, horizon, quantiles).

    members: how many of the shared networks, the first ones; None: all.
    """
    if shared:
        chosen = range(members or len(recipe.windows))
        return monotone(predict_members(recipe, weights, chosen, examples), MEDIAN)
    return monotone(predict_local(recipe, weights, examples, places), MEDIAN)


def _lowest(histories: Histories) -> Values:
    inside = np.arange(histories.values.shape[1]) < histories.lengths[:, None]
    return np.asarray(np.where(inside, histories.values, np.inf).min(axis=1, initial=np.inf))
