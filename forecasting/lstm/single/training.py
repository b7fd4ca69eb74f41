"""Training of one network by Adam (Kingma & Ba 2015); several can train at once, each in a thread."""

from dataclasses import dataclass

import numpy as np

from forecasting.lstm.random import NOISE_STREAM, ORDER_STREAM, random_bits
from forecasting.lstm.single.gradients import Trace, layer_matrices, loss_and_gradients
from forecasting.lstm.single.network import SingleArchitecture, initial_single_weights
from forecasting.lstm.weights import Weights

MAXIMUM_NORM = 1.0  # of the whole gradient; a longer one is scaled down to it
WARM_UP = 50  # updates during which the learning rate rises
BETA_1, BETA_2 = 0.9, 0.999  # decay of Adam's moments


@dataclass(frozen=True)
class SingleTraining:
    """Settings of the training.

    quantiles: levels of the quantiles that the network predicts; the loss is their mean pinball loss. noise: standard
    deviation of the normal noise that is added to the sequences, anew for each update.
    """

    quantiles: tuple[float, ...]
    updates: int = 1500
    batch_size: int = 256
    learning_rate: float = 2e-3
    noise: float = 0.01


def train_single(
    architecture: SingleArchitecture,
    training: SingleTraining,
    sequences: np.ndarray,
    static_inputs: np.ndarray,
    targets: np.ndarray,
    loss_weights: np.ndarray,
    batch_rows: np.ndarray,
    seed: np.uint64,
) -> Weights:
    """Train one network; the same arguments give the same bits on the same machine, if BLAS has one thread.

    sequences: (rows, time steps, features). static_inputs: (rows, static inputs). targets: (rows, horizon), NaN where there is
    none. loss_weights: (rows,). batch_rows: int (updates, batch_size), the rows of each update's batch.
    """
    weights = initial_single_weights(architecture, seed)
    flat_weights = np.concatenate([tensor.ravel() for tensor in weights.values()])
    flat_gradient, first_moment, second_moment = (np.zeros_like(flat_weights) for _ in range(3))
    traces = [
        Trace.empty(architecture, size, training.batch_size) for size in (architecture.features, architecture.units)
    ]
    layers, layer_gradients = layer_matrices(architecture, flat_weights), layer_matrices(architecture, flat_gradient)
    levels = np.array(training.quantiles, np.float32)
    float_arrays = sequences.reshape(len(sequences), -1), static_inputs, targets, loss_weights
    arrays = [np.asarray(array, np.float32) for array in float_arrays]
    noise_generator = np.random.Generator(np.random.Philox(key=np.array([seed, NOISE_STREAM], dtype=np.uint64)))
    with np.errstate(over="ignore", invalid="ignore"):  # a diverged network predicts NaN
        for step_size, rows in zip(step_sizes(training), batch_rows, strict=True):
            batch = [np.ascontiguousarray(array[rows].T) for array in arrays]
            batch[0] = batch[0].reshape(architecture.time_steps, architecture.features, -1)
            batch[0] += np.float32(training.noise) * noise_generator.standard_normal(batch[0].shape, np.float32)
            loss_and_gradients(layers, traces, (batch[0], batch[1], batch[2], batch[3]), levels, layer_gradients)
            flat_gradient *= MAXIMUM_NORM / max(float(np.sqrt(flat_gradient @ flat_gradient)), MAXIMUM_NORM)
            first_moment += np.float32(0.1) * (flat_gradient - first_moment)
            second_moment += np.float32(0.001) * (flat_gradient * flat_gradient - second_moment)
            flat_weights -= step_size * first_moment / (np.sqrt(second_moment) + np.float32(1e-7))
    tensor_ends = np.cumsum([tensor.size for tensor in weights.values()])[:-1]
    tensors = zip(weights.items(), np.split(flat_weights, tensor_ends), strict=True)
    return {name: values.reshape(tensor.shape).copy() for (name, tensor), values in tensors}


def step_sizes(training: SingleTraining) -> np.ndarray:
    """Step sizes of Adam, float32 (updates,): learning rate · cosine · warm-up · bias correction.

    For update t = 0, 1, … of n: cosine (1 + cos(π t / n)) / 2, warm-up min((t + 1) / WARM_UP, 1), and Adam's bias correction
    √(1 - β₂^(t + 1)) / (1 - β₁^(t + 1)).
    """
    update_index = np.arange(training.updates)
    cosine = (1 + np.cos(np.pi * update_index / training.updates)) / 2
    warm_up = np.minimum((update_index + 1) / WARM_UP, 1)
    bias_correction = np.sqrt(1 - BETA_2 ** (update_index + 1)) / (1 - BETA_1 ** (update_index + 1))
    return np.asarray(training.learning_rate * cosine * warm_up * bias_correction, np.float32)


def draw_rows(seed: np.uint64, updates: int, batch_size: int, row_count: int) -> np.ndarray:
    """Choose the rows of each batch among row_count, with replacement: int32 (updates, batch_size)."""
    bits = random_bits(seed, ORDER_STREAM, updates * batch_size)
    return np.asarray(bits % np.uint64(row_count), np.int32).reshape(updates, batch_size)
