"""The recipe `monthly`: a base path, and networks that learn what it misses, with intervals that held-out months correct.

    logs → seasonal indices → base path and smoothed path → windows → networks → quantiles → corrected → unit of the series

What is fitted, and when: the networks' weights and the factors of the intervals, when a bundle is trained; they are plain
numbers. Indices, levels, slopes and scales are computed from a history whenever it is forecast, from its months up to
the origin alone: a stored bundle forecasts new months, and series it never saw, without training.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from forecasting.networks.ensemble import LEVELS, MEDIAN, member_shapes, predict_members, train_members
from forecasting.networks.examples import Examples
from forecasting.networks.fitted import Fitted, Forecasts, Networks, Past, SplitScores
from forecasting.networks.judging import HeldOut, hold_out
from forecasting.networks.learning import describe, look_back_from
from forecasting.networks.lstm import Weights
from forecasting.networks.own import mixed, own_shapes, predict_own, train_own
from forecasting.networks.own_spread import own_spread, quantiles_around
from forecasting.networks.spread import base_quantiles, bounds_of, factors_of
from forecasting.numerics.intervals import monotone, never_below_zero
from forecasting.numerics.statistical import forecast_by
from forecasting.panel import Counts, Histories, Values
from forecasting.recipes import MonthlyRecipe

LEAST_TO_LEARN = 18  # months before an origin that a network learns from
LEAST_HELD = 12  # months, the last ones, that networks are judged on
LEAST_TO_FORECAST = 24  # months of history below which the base path is used
JUDGES = "judge/"  # tensors of the networks that have not seen the last months: test figures can be computed again
PAST_BLOCK = 4096  # months of the past predicted at a time: what is described of them fits the memory
SCALER = {"kind": str, "guarded": bool, "spread": list, "base_spread": list}  # of networks of a series' own
HIGHEST = float(np.finfo(np.float64).max) / 1e6


def fit(
    recipe: MonthlyRecipe,
    histories: Histories,
    seeds: np.ndarray,
    *,
    filled: np.ndarray | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Fitted:
    """Train networks of each series' own on histories without gaps; what becomes of a series is its own matter.

    seeds: uint64 (series,). filled: bool (series, months), months that were missing: they are learned from as they were
    filled, but judge nothing. Networks are trained twice, at once: without the last months, which then say how wide
    intervals must be and which series are better left to the base path, and on everything.
    """
    held = held_months(recipe)
    judged = np.flatnonzero(histories.lengths - held >= LEAST_TO_FORECAST)
    earlier = histories.lengths - np.where(histories.lengths - held >= LEAST_TO_FORECAST, held, 0)
    learnings = [
        look_back_from(
            histories.values, lengths, horizon=recipe.horizon, months=int(lengths.max(initial=1)), least=LEAST_TO_LEARN
        )
        for lengths in (earlier, histories.lengths)
    ]
    judges, weights = train_own(recipe, learnings, seeds, workers=workers)
    if progress:
        progress(len(seeds))
    found = _hold_out(recipe, (judges, weights), False, histories, judged, filled)
    path = mixed(weights["mix"][learnings[1].series].astype(np.float64), learnings[1].examples)
    spread = own_spread(learnings[1], path, found, found.said[..., MEDIAN], judged, len(seeds))
    base_spread = own_spread(learnings[1], np.zeros_like(path), found, np.zeros_like(found.truth), judged, len(seeds))
    guarded = _guarded(recipe, found, judged, len(seeds))
    scalers = tuple(
        {
            "kind": "base_path",
            "guarded": bool(own),
            "spread": spread[row].tolist(),
            "base_spread": base_spread[row].tolist(),
        }
        for row, own in enumerate(guarded)
    )
    finite = np.all([np.isfinite(tensor).reshape(len(seeds), -1).all(axis=1) for tensor in weights.values()], axis=0)
    weights |= {f"{JUDGES}{name}": tensor for name, tensor in judges.items()}
    networks = Networks(weights, scalers, {"shared": False, "horizon": recipe.horizon})
    return Fitted(networks, _spread(found, judged, len(seeds)), histories.lengths, ~finite)


def fit_shared(
    recipe: MonthlyRecipe,
    histories: Histories,
    *,
    filled: np.ndarray | None = None,
    progress: Callable[[int], None] | None = None,
) -> Fitted:
    """Train the networks that all series share, from the recipe's seed; otherwise as `fit`.

    progress: called with the number of networks done since the last call, of recipe.judges + len(recipe.windows).
    """
    series, held = len(histories.lengths), held_months(recipe)
    judged = np.flatnonzero(histories.lengths - held >= LEAST_TO_FORECAST)
    state: dict[str, Any] = {"shared": True, "horizon": recipe.horizon, "factors": {}}

    earlier = histories.select(judged.tolist())
    earlier = Histories(earlier.values, earlier.lengths - held, earlier.last_months)
    judges = _learn_and_train(recipe, earlier, recipe.judges, progress) if len(judged) else {}
    weights = _learn_and_train(recipe, histories, len(recipe.windows), progress)
    found = _hold_out(recipe, (judges, weights), True, histories, judged, filled)
    if len(judged):
        shape = (-1, *found.said.shape[2:])
        state["factors"] = factors_of(found.truth.reshape(shape[:2]), found.said.reshape(shape))
    scalers = tuple(
        {"kind": "base_path", "guarded": bool(guarded)} for guarded in _guarded(recipe, found, judged, series)
    )
    weights |= {f"{JUDGES}{name}": tensor for name, tensor in judges.items()}
    finite = all(np.isfinite(tensor).all() for tensor in weights.values())
    return Fitted(
        Networks(weights, scalers, state),
        _spread(found, judged, series),
        histories.lengths,
        np.full(series, not finite),
    )


def shapes(recipe: MonthlyRecipe, networks: Networks) -> dict[str, tuple[int, ...]]:
    """Return the shapes that tensors must have by name: each series' own, or shared ones, which may have no judges."""
    if not networks.shared:
        own = own_shapes(recipe)
        return own | {f"{JUDGES}{name}": shape for name, shape in own.items()}
    examples, _ = describe(np.ones((1, LEAST_TO_LEARN)), np.array([LEAST_TO_LEARN]), horizon=recipe.horizon)
    judges = recipe.judges if any(name.startswith(JUDGES) for name in networks.weights) else 0
    return member_shapes(recipe, range(len(recipe.windows)), examples) | {
        f"{JUDGES}{name}": shape for name, shape in member_shapes(recipe, range(judges), examples).items()
    }


def _learn_and_train(
    recipe: MonthlyRecipe, known: Histories, members: int, progress: Callable[[int], None] | None = None
) -> Weights:
    """Train the first members of the shared networks on what is known."""
    learning = look_back_from(
        known.values,
        known.lengths,
        horizon=recipe.horizon,
        months=max(int(recipe.horizons_back * recipe.horizon), 12),
        least=LEAST_TO_LEARN,
        most=recipe.most_examples,
        seed=recipe.seed,
    )
    return train_members(recipe, learning, range(members), recipe.seed, progress)


def common_months(
    histories: Histories,
    trained_lengths: Counts,  # noqa: ARG001 - new networks have seen every month, their stand-ins have not
    since: Counts,
    least: int,
) -> Counts:
    """Say on how many months, the last ones, new networks can be compared with older ones, 0 where on none.

    since: (series,) months that the older ones have not seen. A stand-in for the new ones learns the older half of them,
    and both forecast the newer half, at least `least` months: what newer months teach counts.
    """
    months = np.where(since >= least, np.maximum(since // 2, least), 0)
    return np.where(histories.lengths - months >= LEAST_TO_FORECAST, months, 0)


def stand_in(
    recipe: MonthlyRecipe,
    networks: Networks,
    histories: Histories,
    seeds: np.ndarray,
    months: Counts,
    *,
    workers: int | None = None,
) -> Networks:
    """Train networks as `fit` or `fit_shared` did, but without the last months of each series: (series,).

    networks: those trained on everything. Of shared ones, as many are trained as there are judges.
    """
    known = Histories(histories.values, histories.lengths - months, histories.last_months)
    if networks.shared:
        weights = _learn_and_train(recipe, known, recipe.judges)
    else:
        longest = int(known.lengths.max(initial=1))
        learning = look_back_from(
            known.values, known.lengths, horizon=recipe.horizon, months=longest, least=LEAST_TO_LEARN
        )
        [weights] = train_own(recipe, [learning], seeds, workers=workers)
    weights |= {f"{JUDGES}{name}": tensor for name, tensor in weights.items()}
    return Networks(weights, networks.scalers, networks.state)


def forecast(
    recipe: MonthlyRecipe,
    networks: Networks,
    histories: Histories,
    *,
    positions: Sequence[int],
    live: Values | None = None,
) -> Forecasts:
    """Forecast histories without gaps, by arithmetic alone.

    positions: which of the networks' series each history belongs to, -1 where it was never seen. live: (series, 2),
    factors by which live errors widen the 80 and 95 % intervals; None: none.
    """
    places = np.asarray(positions, np.int64)
    examples, shift = describe(histories.values, histories.lengths, horizon=recipe.horizon)
    reasons = _reasons(histories, networks, places)
    said = _predict(recipe, networks.weights, networks.shared, examples, np.maximum(places, 0))
    finite = np.isfinite(said).all(axis=(1, 2))
    reasons = tuple(reason or ("" if good else "diverged") for reason, good in zip(reasons, finite, strict=True))
    by_base = np.array(reasons) != ""
    said = np.where(by_base[:, None, None], base_quantiles(recipe.horizon), said)
    factors = networks.state["factors"] if networks.shared else {}
    if not networks.shared:
        said = _own_quantiles(networks, places, said, by_base, examples.scale)
    made = _in_units(histories, examples, shift, said, bounds_of(factors, said, by_base, live), reasons)
    return _blended(recipe, made, histories) if recipe.blend else made


def _blended(recipe: MonthlyRecipe, made: Forecasts, histories: Histories) -> Forecasts:
    """Average forecasts and bounds with those of the recipe's other models, where the networks speak and a model does."""
    rows = [row for row, reason in enumerate(made.reasons) if not reason]
    asked = histories.select(rows)
    values, bounds = made.values.copy(), {name: bound.copy() for name, bound in made.bounds.items()}
    notes = [""] * len(made.reasons)
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
    return Forecasts(values, made.reasons, bounds, made.base_path, tuple(notes))


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


def without_networks(recipe: MonthlyRecipe, histories: Histories) -> Forecasts:
    """Forecast by the base path, with the intervals of a random walk."""
    examples, shift = describe(histories.values, histories.lengths, horizon=recipe.horizon)
    said = np.broadcast_to(base_quantiles(recipe.horizon), (len(shift), recipe.horizon, len(LEVELS)))
    by_base = np.ones(len(shift), bool)
    return _in_units(histories, examples, shift, said, bounds_of({}, said, by_base), ("",) * len(shift))


def predict_past(
    recipe: MonthlyRecipe,
    networks: Networks,
    histories: Histories,
    *,
    positions: Sequence[int],
    trained: Sequence[int],
    months: int | None = None,
) -> list[Past]:
    """Predict the past of series: held-out months by the judges, later ones and those trained on by the networks.

    positions: which of the networks' series each history belongs to; trained: its months when the networks were trained;
    months: how many are asked about, the last ones; None: all.
    """
    lengths, known = histories.lengths, np.asarray(trained, np.int64)
    least = np.minimum(LEAST_TO_LEARN, lengths)
    first = least if months is None else np.maximum(least, lengths - months)
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
                examples, shift = describe(own.values, own.lengths, horizon=recipe.horizon)
                said = _predict(recipe, weights, networks.shared, examples, places[block], members=members)
                ahead[block] = _in_units(own, examples, shift, said, {}, ()).values[:, 0]
    each = np.split(ahead, np.cumsum(lengths - first)[:-1])
    return [
        Past(values[: end - start], int(start), values[end - start :], int(end))
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
    reasons: tuple[str, ...],
) -> Forecasts:
    lowest = _lowest(histories)

    def in_units(residuals: Values) -> Values:
        logs = np.minimum(examples.base + residuals * examples.scale[:, None], np.log(HIGHEST))
        return never_below_zero(np.exp(logs) - shift[:, None], lowest)

    return Forecasts(
        in_units(said[:, :, MEDIAN]),
        reasons,
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
        "unseen": (places < 0) & (not networks.shared),
        "guarded": np.array([place >= 0 and networks.scalers[place]["guarded"] for place in places], dtype=bool),
    }
    return tuple(next((word for word, holds in words.items() if holds[row]), "") for row in range(len(inside)))


def _hold_out(
    recipe: MonthlyRecipe,
    networks: tuple[Weights, Weights],
    shared: bool,
    histories: Histories,
    rows: np.ndarray,
    filled: np.ndarray | None,
) -> HeldOut:
    """Judge the series at some rows by networks that have not seen their last months, and by ones that have."""

    def predict_with(weights: Weights) -> Callable[[Examples, np.ndarray], np.ndarray]:
        # As many members of the trained networks as there are judges: the ensemble's size must make no difference.
        own = weights if shared else {name: tensor[rows] for name, tensor in weights.items()}
        return lambda examples, places: _predict(recipe, own, shared, examples, places, members=recipe.judges)

    judges, trained = networks
    judged = histories.select(rows.tolist())
    return hold_out(
        predict_with(judges),
        predict_with(trained),
        judged,
        held_months(recipe),
        horizon=recipe.horizon,
        filled=None if filled is None else filled[rows][:, : judged.values.shape[1]],
    )


def _predict(
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
    return monotone(predict_own(recipe, weights, examples, places), MEDIAN)


def _guarded(recipe: MonthlyRecipe, found: HeldOut, judged: np.ndarray, series: int) -> np.ndarray:
    """Say for which series the network was much worse than the base path on held-out months: bool (series,)."""
    guarded = np.zeros(series, bool)
    guarded[judged] = found.errors[0] > recipe.guard * found.errors[1]
    return guarded


def _spread(found: HeldOut, judged: np.ndarray, series: int) -> dict[str, SplitScores]:
    """Return the scores of all series; those that could not be judged have none."""
    return {split: scores.spread(judged, series) for split, scores in found.scores.items()}


def _lowest(histories: Histories) -> Values:
    inside = np.arange(histories.values.shape[1]) < histories.lengths[:, None]
    return np.asarray(np.where(inside, histories.values, np.inf).min(axis=1, initial=np.inf))
