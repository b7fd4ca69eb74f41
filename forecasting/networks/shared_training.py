"""Train shared networks: one compiled program per shape; several networks train at once, one to a thread."""

import functools
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

# TensorFlow parts its sums by the threads it has, and their last bits follow. One thread per operation, read when
# TensorFlow starts, makes them the same on any number of cores; networks train side by side instead.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import tensorflow as tf

from forecasting.networks.draws import random_bits
from forecasting.networks.lstm import Weights
from forecasting.networks.shared import Shape, first_weights

CHUNK = 50  # steps in one call of the compiled program
CLIP = 1.0  # norm of the whole gradient


@dataclass(frozen=True)
class SharedTraining:
    """How a shared network is trained: Adam with a cosine decay of the learning rate, on the mean pinball loss."""

    quantiles: tuple[float, ...]
    updates: int = 1500
    batch_size: int = 256
    learning_rate: float = 2e-3
    noise: float = 0.01


def train_shared(
    shape: Shape,
    training: SharedTraining,
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
    sees. The same arguments give the same bits.
    """
    weights = first_weights(shape, seed)
    names = list(weights)
    data = [np.asarray(array, np.float32) for array in (steps, facts, targets, scales)]
    rows = np.concatenate([rows, np.repeat(rows[-1:], -len(rows) % CHUNK, axis=0)])
    state = [[weights[name] for name in names], *([np.zeros_like(weights[name]) for name in names] for _ in range(2))]
    rates = learning_rates(training)
    call = program(shape, training, tuple(names))
    with tf.device("CPU"):  # an accelerator that happens to be there must not change the numbers
        for start in range(0, training.updates, CHUNK):
            part = slice(start, start + CHUNK)
            key = np.array([int(seed) & 0x7FFFFFFF, start], np.int32)
            # Batches are cut out here: the program is compiled for their size, whatever the size of the panel.
            state = call(state, [array[rows[part]] for array in data], rates[part], key)
    return {name: np.asarray(tensor) for name, tensor in zip(names, state[0], strict=True)}


def learning_rates(training: SharedTraining) -> np.ndarray:
    """Adam's step sizes (updates, rounded up to chunks): a cosine from the learning rate to zero, bias-corrected."""
    number = np.arange(-(-training.updates // CHUNK) * CHUNK)
    cosine = (1 + np.cos(np.pi * np.minimum(number / training.updates, 1))) / 2
    warm = np.minimum((number + 1) / 50, 1)
    bias = np.sqrt(1 - 0.999 ** (number + 1)) / (1 - 0.9 ** (number + 1))
    return np.asarray(training.learning_rate * cosine * warm * bias, np.float32)


@functools.lru_cache
def program(shape: Shape, training: SharedTraining, names: tuple[str, ...]) -> Any:
    """Make the program of CHUNK updates; XLA compiles it once per window."""
    horizon = shape.outputs // len(training.quantiles)
    levels = tf.constant(training.quantiles, tf.float32)

    def loss_of(weights: list[Any], steps: Any, facts: Any, targets: Any, scales: Any) -> Any:
        said = forward(shape, dict(zip(names, weights, strict=True)), steps, facts)
        error = targets[:, :, None] - tf.reshape(said, [-1, horizon, len(training.quantiles)])
        known = ~tf.math.is_nan(error)
        error = tf.where(known, error, 0.0)
        losses = tf.reduce_sum(tf.maximum(levels * error, (levels - 1) * error), 2)
        return tf.reduce_sum(losses * scales[:, None]) / tf.reduce_sum(tf.where(known[:, :, 0], 1.0, 0.0))

    def run(state: Any, batches: Any, rates: Any, key: Any) -> Any:
        def update(number: Any, state: Any) -> Any:
            steps, facts, targets, scales = (array[number] for array in batches)
            noise = tf.random.stateless_normal(steps.shape, key + [0, 1] * number)
            steps = steps + training.noise * noise
            weights, first, second = state
            with tf.GradientTape() as tape:
                tape.watch(weights)
                loss = loss_of(weights, steps, facts, targets, scales)
            gradients = tape.gradient(loss, weights)
            gradients, _ = tf.clip_by_global_norm(gradients, CLIP)
            first = [m + 0.1 * (g - m) for m, g in zip(first, gradients, strict=True)]
            second = [v + 0.001 * (g * g - v) for v, g in zip(second, gradients, strict=True)]
            moved = [
                w - rates[number] * m / (tf.sqrt(v) + 1e-7) for w, m, v in zip(weights, first, second, strict=True)
            ]
            return number + 1, [moved, first, second]

        return tf.while_loop(lambda number, _: number < CHUNK, update, (0, [list(part) for part in state]))[1]

    return tf.function(run, jit_compile=True, autograph=False)


def forward(shape: Shape, weights: dict[str, Any], steps: Any, facts: Any) -> Any:
    """Predict in TensorFlow as `shared.predict_shared` does in NumPy."""
    sequence = [steps[:, step] for step in range(shape.steps)]
    last = []
    for layer in (0, 1):
        kernel, recurrent = weights[f"lstm_{layer}/kernel"], weights[f"lstm_{layer}/recurrent_kernel"]
        entering = tf.matmul(tf.concat(sequence, 0), kernel) + weights[f"lstm_{layer}/bias"]
        parts = tf.split(entering, shape.steps, 0)
        h = cell = None
        for step, z in enumerate(parts):
            z = z if h is None else z + tf.matmul(h, recurrent)
            put_in, forget, candidate, put_out = tf.split(z, 4, 1)
            fresh = tf.sigmoid(put_in) * tf.tanh(candidate)
            cell = fresh if cell is None else tf.sigmoid(forget) * cell + fresh
            h = tf.sigmoid(put_out) * tf.tanh(cell)
            sequence[step] = h
        last.append(sequence[-1])
    hidden = tf.tanh(tf.matmul(facts, weights["facts/kernel"]) + weights["facts/bias"])
    return tf.matmul(tf.concat([*last, hidden], 1), weights["head/kernel"]) + weights["head/bias"]


def draw_rows(seed: np.uint64, updates: int, batch_size: int, count: int) -> np.ndarray:
    """Choose rows with replacement for every update: (updates, batch_size)."""
    bits = random_bits(seed, 1, updates * batch_size)
    return np.asarray(bits % np.uint64(count), np.int32).reshape(updates, batch_size)
