"""The classic recipe: MinMax scaling, a chronological split, one small LSTM per series, one month ahead, then on."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.networks.lstm import Architecture, Weights, predict
from forecasting.networks.training import Training, train
from forecasting.numerics.baselines import seasonal_naive_at
from forecasting.numerics.metrics import rmse, skill
from forecasting.numerics.scaling import MinMaxScaler, fit_min_max
from forecasting.numerics.windows import Windows, split_windows, train_lengths
from forecasting.panel import Counts, Histories, Values
from forecasting.recipes import Recipe


@dataclass(frozen=True)
class Networks:
    """One network and one scaler per series: all that a forecast needs beside the history."""

    weights: Weights
    scaler: MinMaxScaler

    def select(self, rows: list[int]) -> "Networks":
        """Return the networks of some rows, in that order."""
        return Networks({name: tensor[rows] for name, tensor in self.weights.items()}, self.scaler.select(rows))


@dataclass(frozen=True)
class PartScore:
    """How networks did on one part of their histories, one month ahead; all (series,), in the unit of each series.

    baseline_rmse is the seasonal naive's; skill is on the months that have one (NaN where none has).
    predictions: (series, windows) in the unit of the series; months: (series, windows) their columns; NaN, padding.
    """

    n: Counts
    rmse: Values
    baseline_rmse: Values
    skill: Values
    predictions: Values
    months: Counts


@dataclass(frozen=True)
class Fitted:
    """What training gives: networks, scores on both parts, and which networks did not end in finite numbers."""

    networks: Networks
    train: PartScore
    test: PartScore
    trained_lengths: Counts
    diverged: np.ndarray


def architecture_of(recipe: Recipe) -> Architecture:
    """Return the shape of a recipe's networks."""
    return Architecture(look_back=recipe.look_back, units=recipe.units, look_back_as=recipe.look_back_as)


def series_seeds(recipe: Recipe, names: Sequence[str]) -> np.ndarray:
    """Return uint64 (series,): the seed of each series, from the recipe's seed and its name alone."""
    digests = (hashlib.sha256(f"{recipe.seed}/{name}".encode()).digest() for name in names)
    return np.array([int.from_bytes(digest[:8], "little") for digest in digests], dtype=np.uint64)


def fit(
    recipe: Recipe,
    histories: Histories,
    seeds: np.ndarray,
    *,
    filled: np.ndarray | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Fitted:
    """Train one network per history from its own seed and score it on its training and its test part.

    histories: without gaps, each at least recipe.least_observations long; seeds: uint64 (series,). filled: bool (series,
    months), months that were missing: they are trained on as they were filled, but not scored.
    """
    values, lengths = histories.values, histories.lengths
    trained_lengths = train_lengths(lengths, recipe.train_share)
    seen = lengths if recipe.scaler_sees == "all" else trained_lengths
    scaler = fit_min_max(values, seen)
    inside = np.arange(values.shape[1]) < lengths[:, None]
    scaled = scaler.transform(np.where(inside, values, scaler.low[:, None]))
    train_windows, test_windows = split_windows(scaled, lengths, recipe)
    trained = train(
        architecture_of(recipe),
        Training(
            epochs=recipe.epochs,
            batch_size=recipe.batch_size,
            learning_rate=recipe.learning_rate,
            shuffle=recipe.shuffle,
        ),
        train_windows.inputs.astype(np.float32),
        train_windows.targets.astype(np.float32),
        train_windows.counts,
        seeds,
        workers=workers,
        progress=progress,
    )
    networks = Networks(trained.weights, scaler)
    return Fitted(
        networks,
        score_part(recipe, networks, values, train_windows, filled=filled),
        score_part(recipe, networks, values, test_windows, filled=filled),
        seen,
        trained.diverged,
    )


def score_part(
    recipe: Recipe, networks: Networks, values: Values, windows: Windows, *, filled: np.ndarray | None = None
) -> PartScore:
    """Predict the windows of one part, bring the predictions back to the unit of each series, and score them.

    filled: bool (series, months), months that were not observed and do not count.
    """
    scaled = predict(architecture_of(recipe), networks.weights, windows.inputs.astype(np.float32))
    predictions = networks.scaler.inverse(scaled[:, :, 0].astype(np.float64))
    rows = np.arange(len(values))[:, None]
    counted = windows.real if filled is None else windows.real & ~filled[rows, windows.months]
    actual = np.where(counted, values[rows, windows.months], np.nan)
    baseline = seasonal_naive_at(values, windows.months)
    beside_baseline = np.where(np.isnan(baseline), np.nan, predictions)
    baseline_rmse = rmse(baseline - actual)
    return PartScore(
        n=counted.sum(axis=1),
        rmse=rmse(predictions - actual),
        baseline_rmse=baseline_rmse,
        skill=skill(rmse(beside_baseline - actual), baseline_rmse),
        predictions=np.where(windows.real, predictions, np.nan),
        months=windows.months,
    )


def forecast(recipe: Recipe, networks: Networks, histories: Histories) -> Values:
    """Forecast every history month by month, each forecast becoming input of the next: (series, horizon)."""
    architecture = architecture_of(recipe)
    columns = histories.lengths[:, None] + np.arange(-recipe.look_back, 0)
    recent = np.take_along_axis(histories.values, columns, axis=1)
    window = networks.scaler.transform(recent).astype(np.float32)  # (series, look_back)
    steps = []
    for _ in range(recipe.horizon):
        ahead = predict(architecture, networks.weights, window[:, None, :])[:, 0]  # (series, 1)
        steps.append(ahead)
        window = np.concatenate([window[:, 1:], ahead], axis=1)
    return networks.scaler.inverse(np.concatenate(steps, axis=1).astype(np.float64))
