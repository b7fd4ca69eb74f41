"""Train shared networks with Adam; several train at once, one to a thread."""

from dataclasses import dataclass

import numpy as np

from forecasting.lstm.random import random_bits
from forecasting.lstm.single.gradients import Trace, loss_and_gradients, matrices
from forecasting.lstm.single.network import SingleArchitecture, first_weights
from forecasting.lstm.weights import Weights

CLIP = 1.0  # norm of the whole gradient
WARM = 50  # updates until the learning rate is reached


@dataclass(frozen=True)
class SingleTraining:
    """How a shared network is trained: Adam with a cosine decay of the learning rate, on the mean pinball loss."""

    quantiles: tuple[float, ...]
    updates: int = 1500
    batch_size: int = 256
    learning_rate: float = 2e-3
    noise: float = 0.01


def train_single(
    shape: SingleArchitecture,
    training: SingleTraining,
    steps: np.ndarray,
    facts: np.ndarray,
    targets: np.ndarray,
    scales: np.ndarray,
    rows: np.ndarray,
    seed: np.uint64,
) -> Weights:
    """Train one network.

    steps: (rows, steps, features); facts: (rows, facts); targets: (rows, horizon) residuals in units of the output, NaN
    where there is none; scales: (rows,) weight of each row's loss; rows: (updates, batch_size) which rows each update
    sees. The same arguments give the same bits on the same machine, if BLAS keeps to one thread.
    """
    weights = first_weights(shape, seed)
    flat = np.concatenate([tensor.ravel() for tensor in weights.values()])
    gradient, first, second = (np.zeros_like(flat) for _ in range(3))
    traces = [Trace.empty(shape, features, training.batch_size) for features in (shape.features, shape.units)]
    layers, by_layer = matrices(shape, flat), matrices(shape, gradient)
    levels = np.array(training.quantiles, np.float32)
    data = [np.asarray(array, np.float32) for array in (steps.reshape(len(steps), -1), facts, targets, scales)]
    noise = np.random.Generator(np.random.Philox(key=np.array([seed, 3], dtype=np.uint64)))
    with np.errstate(over="ignore", invalid="ignore"):  # a diverged network predicts NaN
        for rate, chosen in zip(learning_rates(training), rows, strict=True):
            batch = [np.ascontiguousarray(array[chosen].T) for array in data]
            batch[0] = batch[0].reshape(shape.steps, shape.features, -1)
            batch[0] += np.float32(training.noise) * noise.standard_normal(batch[0].shape, np.float32)
            loss_and_gradients(layers, traces, (batch[0], batch[1], batch[2], batch[3]), levels, by_layer)
            gradient *= CLIP / max(float(np.sqrt(gradient @ gradient)), CLIP)
            first += np.float32(0.1) * (gradient - first)
            second += np.float32(0.001) * (gradient * gradient - second)
            flat -= rate * first / (np.sqrt(second) + np.float32(1e-7))
    ends = np.cumsum([tensor.size for tensor in weights.values()])[:-1]
    parts = zip(weights.items(), np.split(flat, ends), strict=True)
    return {name: part.reshape(tensor.shape).copy() for (name, tensor), part in parts}


def learning_rates(training: SingleTraining) -> np.ndarray:
    """Adam's step sizes (updates,): a cosine from the learning rate to zero, bias-corrected (Kingma & Ba 2015)."""
    number = np.arange(training.updates)
    cosine = (1 + np.cos(np.pi * number / training.updates)) / 2
    warm = np.minimum((number + 1) / WARM, 1)
    bias = np.sqrt(1 - 0.999 ** (number + 1)) / (1 - 0.9 ** (number + 1))
    return np.asarray(training.learning_rate * cosine * warm * bias, np.float32)


def draw_rows(seed: np.uint64, updates: int, batch_size: int, count: int) -> np.ndarray:
    """Choose rows with replacement for every update: (updates, batch_size)."""
    bits = random_bits(seed, 1, updates * batch_size)
    return np.asarray(bits % np.uint64(count), np.int32).reshape(updates, batch_size)
