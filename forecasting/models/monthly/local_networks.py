"""Local networks: a few small LSTMs for each series, for runs of few series; all of them train as one program.

They predict the residuals that a mix of the base path and the alternative paths leaves, from the last year of the window.
"""

from collections.abc import Sequence

import numpy as np

from forecasting.domain.panel import Values
from forecasting.domain.recipes import MonthlyRecipe
from forecasting.lstm.batched.training import train
from forecasting.lstm.batched.types import BatchedTraining, TrainingWindows
from forecasting.lstm.prediction import predict
from forecasting.lstm.random import MEMBERS_STREAM, random_bits
from forecasting.lstm.weights import Architecture, Weights, initial_weights
from forecasting.models.monthly.dataset import TrainingSet
from forecasting.models.monthly.features import ALTERNATIVE_PATHS, INPUT_DIVISOR, LONGEST_WINDOW, Examples
from forecasting.models.monthly.global_networks import LEVELS

LOOK_BACK = 12
MIX_POWER = 4  # of the inverse squared errors: how clearly the mix prefers the better path
MINIMUM_WINDOWS = 24  # a series with fewer keeps initial networks, whose output is zero: its forecast is the mix
VALIDATION_SHARE = 4  # one window in four, the latest, is for early stopping


def architecture_of(recipe: MonthlyRecipe) -> Architecture:
    """Architecture of a local network."""
    return Architecture(LOOK_BACK, (recipe.own_units,), "steps", recipe.horizon * len(LEVELS))


def local_shapes(recipe: MonthlyRecipe) -> dict[str, tuple[int, ...]]:
    """Shapes of the tensors of one series, by name, as `train_local` returns them."""
    shapes = architecture_of(recipe).shapes
    members = {f"{member}/{name}": shape for member in range(recipe.own_members) for name, shape in shapes.items()}
    return {"mix": (ALTERNATIVE_PATHS,), **members}


def train_local(
    recipe: MonthlyRecipe, training_sets: Sequence[TrainingSet], seeds: np.ndarray, *, workers: int | None = None
) -> list[Weights]:
    """Train own_members networks per series on each training set; a series has the same seeds in all sets.

    seeds: uint64 (series,). Returns for each set the tensors `{member}/{tensor}` with the series axis first, and `mix`:
    (series, ALTERNATIVE_PATHS).
    """
    set_count, series_count, members = len(training_sets), len(seeds), range(recipe.own_members)
    bits = [random_bits(seed, MEMBERS_STREAM, len(members)) for seed in seeds]
    member_seeds = np.array(bits, dtype=np.uint64).ravel()  # (series · members,)
    mixes = [mix_weights(training_set, series_count) for training_set in training_sets]
    windows_by_set = [_windows(recipe, *pair, series_count) for pair in zip(training_sets, mixes, strict=True)]
    windows = _concatenate_windows(windows_by_set)  # (sets · series) rows
    initial_tensors = initial_weights(architecture_of(recipe), member_seeds)
    initial_tensors["dense/kernel"][:] = 0
    # The axis of networks is (sets · series · members). series_rows: the row of each network's series in the windows.
    weights = {name: np.tile(tensor, (set_count, *[1] * (tensor.ndim - 1))) for name, tensor in initial_tensors.items()}
    series_rows = np.repeat(np.arange(set_count * series_count), len(members))
    trainable = np.flatnonzero(windows.counts[series_rows] >= MINIMUM_WINDOWS)
    if len(trainable):
        trainable_rows = series_rows[trainable]
        trained_weights = _train_networks(
            recipe,
            TrainingWindows(windows.x[trainable_rows], windows.y[trainable_rows], windows.counts[trainable_rows]),
            np.tile(member_seeds, set_count)[trainable],
            {name: tensor[trainable] for name, tensor in weights.items()},
            workers,
        )
        for name, tensor in trained_weights.items():
            weights[name][trainable] = tensor
    shape = (set_count, series_count, len(members))
    by_set = {name: tensor.reshape(*shape, *tensor.shape[1:]) for name, tensor in weights.items()}
    return [
        {"mix": mix.astype(np.float32)}
        | {f"{member}/{name}": tensor[at, :, member] for name, tensor in by_set.items() for member in members}
        for at, mix in enumerate(mixes)
    ]


def predict_local(recipe: MonthlyRecipe, weights: Weights, examples: Examples, positions: np.ndarray) -> np.ndarray:
    """Quantiles of residuals, the median of the members plus the mix: (rows, horizon, levels) in units of scale.

    positions: int (rows,), position of each row's series in the weights.
    """
    quantiles = []
    windows = _network_windows(examples)[:, None]
    for member in range(recipe.own_members):
        tensors = {name: weights[f"{member}/{name}"][positions] for name in architecture_of(recipe).shapes}
        outputs = predict(architecture_of(recipe), tensors, windows)
        quantiles.append(outputs.reshape(-1, recipe.horizon, len(LEVELS)))
    mix = mix_paths(weights["mix"][positions].astype(np.float64), examples)
    return np.asarray(np.median(quantiles, axis=0) + mix[:, :, None], dtype=np.float64)


def mix_weights(training_set: TrainingSet, series_count: int) -> Values:
    """Weights of the alternative paths (smoothed, airline, last year) in the mix: (series, ALTERNATIVE_PATHS).

    w_p = E_p^-4 / Σ_q E_q^-4, with E_p the squared error of path p, summed over all past origins and horizons. The base path
    is one of the paths q; it has the rest of the weight, up to 1.
    """
    alternatives = training_set.examples.alternative_paths / training_set.examples.scale[:, None, None]
    squared_errors = np.zeros((1 + ALTERNATIVE_PATHS, series_count))
    for path_index, path in enumerate([np.zeros_like(training_set.residuals), *alternatives.transpose(1, 0, 2)]):
        squares = (training_set.residuals - path) ** 2
        row_sums = np.where(np.isnan(squares), 0.0, squares).sum(axis=1)
        np.add.at(squared_errors[path_index], training_set.series_index, row_sums)
    weights = 1 / np.maximum(squared_errors, 1e-9) ** MIX_POWER
    return np.asarray((weights / weights.sum(axis=0))[1:].T)


def mix_paths(mix: Values, examples: Examples) -> Values:
    """Mix of the paths, less the base path: (rows, horizon) in units of scale; mix: (rows, ALTERNATIVE_PATHS), weights."""
    alternatives = examples.alternative_paths / examples.scale[:, None, None]
    mixed = np.zeros_like(examples.base_path)
    for path_index in range(ALTERNATIVE_PATHS):
        mixed = mixed + mix[:, path_index, None] * alternatives[:, path_index]
    return mixed


def _network_windows(examples: Examples) -> np.ndarray:
    """Last LOOK_BACK months of the windows, divided by INPUT_DIVISOR: float32 (rows, LOOK_BACK)."""
    return np.asarray(examples.window[:, LONGEST_WINDOW - LOOK_BACK :] / INPUT_DIVISOR, dtype=np.float32)


def _windows(recipe: MonthlyRecipe, training_set: TrainingSet, mix: Values, series_count: int) -> TrainingWindows:
    """Windows of each series, the oldest first, with the residuals of the mix once for each quantile as targets.

    An origin is left out where a month of its horizon is not known.
    """
    is_complete = ~np.isnan(training_set.residuals).any(axis=1)
    example_order = np.lexsort((-training_set.lags, training_set.series_index))
    example_order = example_order[is_complete[example_order]]
    rows = training_set.series_index[example_order]
    counts = np.bincount(rows, minlength=series_count)
    columns = np.arange(len(example_order)) - np.repeat(np.cumsum(counts) - counts, counts)
    x = np.zeros((series_count, max(int(counts.max(initial=0)), 1), LOOK_BACK), np.float32)
    y = np.zeros((*x.shape[:2], recipe.horizon * len(LEVELS)), np.float32)
    residuals = training_set.residuals - mix_paths(mix[training_set.series_index], training_set.examples)
    targets = np.repeat(residuals[:, :, None], len(LEVELS), axis=2).reshape(len(residuals), -1)
    x[rows, columns] = _network_windows(training_set.examples)[example_order]
    y[rows, columns] = targets[example_order]
    return TrainingWindows(x, y, counts)


def _concatenate_windows(sets: Sequence[TrainingWindows]) -> TrainingWindows:
    """Windows of the series of all sets, padded to the longest."""
    longest = max(windows.x.shape[1] for windows in sets)

    def padded(arrays: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([np.pad(array, ((0, 0), (0, longest - array.shape[1]), (0, 0))) for array in arrays])

    return TrainingWindows(
        padded([windows.x for windows in sets]),
        padded([windows.y for windows in sets]),
        np.concatenate([windows.counts for windows in sets]),
    )


def _train_networks(
    recipe: MonthlyRecipe, windows: TrainingWindows, seeds: np.ndarray, weights: Weights, workers: int | None
) -> Weights:
    """Train networks from their initial weights; the latest windows of each are for early stopping.

    windows: x (networks, windows, LOOK_BACK), y (networks, windows, horizon · levels) in units of scale. seeds: uint64
    (networks,). weights: tensors with the axis of networks first. workers: threads, None for one per core.
    """
    validation_counts = windows.counts // VALIDATION_SHARE
    train_counts = windows.counts - validation_counts
    last_window = windows.x.shape[1] - 1
    network_rows = np.arange(len(windows.x))[:, None]
    window_columns = np.minimum(train_counts[:, None] + np.arange(validation_counts.max()), last_window)
    training = BatchedTraining("pinball", LEVELS, epochs=recipe.own_epochs, batch_size=16, patience=15)
    return train(
        architecture_of(recipe),
        training,
        windows.x,
        windows.y,
        train_counts,
        seeds,
        weights=weights,
        validation=(
            windows.x[network_rows, window_columns],
            windows.y[network_rows, window_columns],
            validation_counts,
        ),
        workers=workers,
    ).weights
