"""Where there are few series: small networks of each series' own, trained by the engine for many networks at once.

They learn what a mix of the base path and the others misses, from the last year of each window.
"""

from collections.abc import Sequence

import numpy as np

from forecasting.domain.panel import Values
from forecasting.domain.recipes import MonthlyRecipe
from forecasting.lstm.batched.training import train
from forecasting.lstm.batched.types import BatchedTraining
from forecasting.lstm.random import random_bits
from forecasting.lstm.weights import Architecture, Weights, initial_weights, predict
from forecasting.models.monthly.dataset import TrainingSet
from forecasting.models.monthly.features import OTHERS, WIDEST, Examples
from forecasting.models.monthly.global_networks import LEVELS

LOOK_BACK = 12
SHARPNESS = 4
LEAST_WINDOWS = 24
HELD_SHARE = 4  # one window in four, the latest, says when to stop


def architecture_of(recipe: MonthlyRecipe) -> Architecture:
    """Return the shape of a series' own network."""
    return Architecture(LOOK_BACK, (recipe.own_units,), "steps", recipe.horizon * len(LEVELS))


def local_shapes(recipe: MonthlyRecipe) -> dict[str, tuple[int, ...]]:
    """Return the shapes of one series' tensors by name, as `train_local` returns them."""
    shapes = architecture_of(recipe).shapes
    members = {f"{member}/{name}": shape for member in range(recipe.own_members) for name, shape in shapes.items()}
    return {"mix": (OTHERS,), **members}


def train_local(
    recipe: MonthlyRecipe, learnings: Sequence[TrainingSet], seeds: np.ndarray, *, workers: int | None = None
) -> list[Weights]:
    """Train own_members networks per series on each of some sets of examples, all of them as one program.

    seeds: uint64 (series,). Returns, per set, tensors `{member}/{tensor}` with the series axis first, and `mix` (series,
    OTHERS). A series with few windows keeps untrained networks, which say the mix.
    """
    members, series = recipe.own_members, len(seeds)
    own_seeds = np.array([random_bits(seed, 2, members) for seed in seeds], dtype=np.uint64).reshape(series, members)
    sets = [mix_weights(learning, series) for learning in learnings]
    windows = [_windows(recipe, learning, mix, series) for learning, mix in zip(learnings, sets, strict=True)]
    networks = initial_weights(architecture_of(recipe), own_seeds.ravel())  # (series · members, ...)
    networks["dense/kernel"][:] = 0
    every = {name: np.tile(tensor, (len(sets), *[1] * (tensor.ndim - 1))) for name, tensor in networks.items()}
    owners = np.concatenate([np.repeat(np.arange(series) + place * series, members) for place in range(len(sets))])
    x, y, counts = _together(windows)
    trainable = np.flatnonzero(counts[owners] >= LEAST_WINDOWS)
    if len(trainable):
        learned = _train_rows(
            recipe,
            tuple(part[owners[trainable]] for part in (x, y, counts)),
            np.tile(own_seeds.ravel(), len(sets))[trainable],
            {name: tensor[trainable] for name, tensor in every.items()},
            workers,
        )
        for name, tensor in learned.items():
            every[name][trainable] = tensor
    apart = {name: tensor.reshape(len(sets), series, members, *tensor.shape[1:]) for name, tensor in every.items()}
    return [
        {"mix": mix.astype(np.float32)}
        | {f"{member}/{name}": tensor[place, :, member] for name, tensor in apart.items() for member in range(members)}
        for place, mix in enumerate(sets)
    ]


def predict_local(recipe: MonthlyRecipe, weights: Weights, examples: Examples, positions: np.ndarray) -> np.ndarray:
    """Predict residuals to the base path in units of scale: (rows, horizon, quantiles), each row by its series' networks."""
    said = []
    x = _inputs(examples)[:, None]
    for member in range(recipe.own_members):
        own = {name: weights[f"{member}/{name}"][positions] for name in architecture_of(recipe).shapes}
        said.append(predict(architecture_of(recipe), own, x).reshape(-1, recipe.horizon, len(LEVELS)))
    path = mix_paths(weights["mix"][positions].astype(np.float64), examples)
    return np.asarray(np.median(said, axis=0) + path[:, :, None], dtype=np.float64)


def mix_weights(learning: TrainingSet, series: int) -> Values:
    """Return how much of each other path goes into the mix, the rest being the base path's: (series, OTHERS).

    Shares go by the fourth power of one over the mean squared error of each path from past origins.
    """
    others = learning.examples.others / learning.examples.scale[:, None, None]
    sums = np.zeros((1 + OTHERS, series))
    for row, path in enumerate([np.zeros_like(learning.residuals), *others.transpose(1, 0, 2)]):
        errors = (learning.residuals - path) ** 2
        np.add.at(sums[row], learning.series, np.where(np.isnan(errors), 0.0, errors).sum(axis=1))
    shares = 1 / np.maximum(sums, 1e-9) ** SHARPNESS
    return np.asarray((shares / shares.sum(axis=0))[1:].T)


def mix_paths(mix: Values, examples: Examples) -> Values:
    """Mix the paths of examples: (rows, horizon) from the base path, in units of scale; mix: (rows, OTHERS)."""
    others = examples.others / examples.scale[:, None, None]
    path = np.zeros_like(examples.base)
    for which in range(OTHERS):
        path = path + mix[:, which, None] * others[:, which]
    return path


def _inputs(examples: Examples) -> np.ndarray:
    return np.asarray(examples.window[:, WIDEST - LOOK_BACK :] / 3, dtype=np.float32)


def _windows(
    recipe: MonthlyRecipe, learning: TrainingSet, mix: Values, series: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Line up each series' windows, the oldest first: x, y and counts as `train` takes them."""
    whole = ~np.isnan(learning.residuals).any(axis=1)
    order = np.lexsort((-learning.origins, learning.series))
    order = order[whole[order]]
    counts = np.bincount(learning.series[order], minlength=series)
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    x = np.zeros((series, max(int(counts.max(initial=0)), 1), LOOK_BACK), np.float32)
    y = np.zeros((*x.shape[:2], recipe.horizon * len(LEVELS)), np.float32)
    left = learning.residuals - mix_paths(mix[learning.series], learning.examples)
    left = np.repeat(left[:, :, None], len(LEVELS), axis=2).reshape(len(left), -1)
    x[learning.series[order], place] = _inputs(learning.examples)[order]
    y[learning.series[order], place] = left[order]
    return x, y, counts


def _together(windows: Sequence[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    """Put the windows of some sets below one another, padded to the longest."""
    longest = max(x.shape[1] for x, _, _ in windows)
    padded = [
        np.concatenate([np.pad(each[part], ((0, 0), (0, longest - each[part].shape[1]), (0, 0))) for each in windows])
        for part in (0, 1)
    ]
    return (*padded, np.concatenate([counts for _, _, counts in windows]))


def _train_rows(
    recipe: MonthlyRecipe, windows: tuple[np.ndarray, ...], seeds: np.ndarray, weights: Weights, workers: int | None
) -> Weights:
    x, y, counts = windows
    held = counts // HELD_SHARE
    last = np.minimum((counts - held)[:, None] + np.arange(held.max()), x.shape[1] - 1)
    rows = np.arange(len(x))[:, None]
    training = BatchedTraining("pinball", LEVELS, epochs=recipe.own_epochs, batch_size=16, patience=15)
    validation = (x[rows, last], y[rows, last], held)
    return train(
        architecture_of(recipe),
        training,
        x,
        y,
        counts - held,
        seeds,
        weights=weights,
        validation=validation,
        workers=workers,
    ).weights
