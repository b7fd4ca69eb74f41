"""The compiled training of a block of networks: Adam over batches and epochs, with early stopping.

TensorFlow's XLA compiles the whole training of a block into one call. Each network has its own number of windows, order,
number of updates and last epoch. An update changes only the weights of active networks: those that have not stopped and have a
window in the batch.
"""

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from forecasting.lstm.arithmetic import SUMMED_UNITS, Array, AxisLayout, sum_product
from forecasting.lstm.batched.gradients import loss_and_gradients, mean_loss
from forecasting.lstm.batched.types import BatchedTraining
from forecasting.lstm.weights import Architecture, condensed_shapes

LANES = 128  # most networks in a block of the layout "last": the state of 128 classic ones fills a first-level cache
VECTOR = 16  # the number of networks in a block of the layout "last" is a multiple of it: whole SIMD vectors
CACHE = 1 << 19  # bytes of the weights, gradients and moments of a block: half of a second-level cache

State = tuple[list[Array], list[Array], list[Array]]  # weights, first and second moments


def layout_for(architecture: Architecture) -> AxisLayout:
    """Return the layout for the number of units, see docs/decisions/0003."""
    if max(architecture.units) <= SUMMED_UNITS:
        return AxisLayout("last", sum_product, tf.tanh, lambda a, b: tf.concat([a, b], 1))
    return AxisLayout("first", tf.matmul, tf.tanh, lambda a, b: tf.concat([a, b], 2))


def block_width(architecture: Architecture) -> int:
    """Return the number of networks in a block, from the architecture alone: a network is always trained by the same program."""
    fitting = CACHE // (16 * sum(int(np.prod(shape)) for shape in architecture.shapes.values()))
    if layout_for(architecture).networks == "last":
        return min(LANES, max(VECTOR, fitting // VECTOR * VECTOR))
    return max(1, fitting)


@functools.lru_cache
def program(architecture: Architecture, training: BatchedTraining) -> Any:
    """Return the program that trains a block; XLA compiles it once for each shape of its arguments.

    Its arguments: weights, as from `weights.condense`, in the layout, see `split_weights`. source: (rows, look_back + outputs), x
    and y side by side. counts: (1, 1, networks). orders: (epochs, networks, windows), rows of source. rates: (updates + 1,),
    step sizes of Adam. validation: x and y in the layout, and counts; or (). Its results: weights, losses (epochs,
    networks), and the number of epochs (1, 1, networks).
    """
    layout, batch_size = layout_for(architecture), training.batch_size
    quantiles = training.quantiles

    def train_block(weights: Any, source: Any, counts: Any, orders: Any, rates: Any, validation: Any) -> Any:
        dtype = source.dtype
        batches = -(-counts // batch_size)
        most_batches = tf.reduce_max(batches)
        zero = tf.zeros_like(counts, dtype)

        def run_batch(number: Array, epoch: Array, running: Array, state: State, total: Array) -> Any:
            start = number * batch_size
            rows = tf.slice(orders, [epoch, 0, start], [1, orders.shape[1], batch_size])[0]
            x, y = batch_of(architecture, tf.gather(source, rows), layout)
            share, size = loss_shares(start, batch_size, counts, dtype, layout)
            condensed = split_weights(architecture, state[0], layout)
            losses, gradients = loss_and_gradients(architecture, condensed, (x, y, share), layout, quantiles=quantiles)
            total = total + tf.reduce_sum(losses * share, layout.windows, keepdims=True) * size
            rate = tf.gather(rates, epoch * batches + number + 1)
            active = running & (start < counts)
            return number + 1, adam(state, join_weights(gradients, layout), rate, active, training), total

        def run_epoch(
            epoch: Array, running: Array, state: State, best: Any, losses_by_epoch: Array, epoch_counts: Array
        ) -> Any:
            _, state, total = tf.while_loop(
                lambda number, *_: number < most_batches,
                lambda number, state, total: run_batch(number, epoch, running, state, total),
                (0, state, zero),
            )
            losses_by_epoch = losses_by_epoch.write(epoch, tf.where(running, total / tf.cast(counts, dtype), np.nan))
            epoch_counts = epoch_counts + tf.cast(running, tf.int32)
            if training.patience is not None:
                x, y, validation_counts = validation
                share, _ = loss_shares(0, x.shape[layout.windows], validation_counts, dtype, layout)
                condensed = split_weights(architecture, state[0], layout)
                loss = mean_loss(architecture, condensed, (x, y, share), layout, quantiles=quantiles)
                best, running = update_best(best, state[0], loss, epoch, running, training.patience)
            return epoch + 1, running, state, best, losses_by_epoch, epoch_counts

        zeros = [tf.zeros_like(array) for array in weights]
        best = (zero + np.inf, weights, tf.zeros_like(counts)) if training.patience is not None else ()
        losses_by_epoch = tf.TensorArray(dtype, training.epochs, element_shape=counts.shape)
        _, _, state, best, losses_by_epoch, epoch_counts = tf.while_loop(
            lambda epoch, running, *_: (epoch < training.epochs) & tf.reduce_any(running),
            run_epoch,
            (0, counts > 0, (weights, zeros, zeros), best, losses_by_epoch, tf.zeros_like(counts)),
        )
        return (best[1] if best else state[0]), tf.reshape(losses_by_epoch.stack(), [training.epochs, -1]), epoch_counts

    return tf.function(train_block, jit_compile=True, autograph=False)


def join_weights(arrays: list[Array], layout: AxisLayout) -> list[Array]:
    """Join all arrays of the layout "last" into one, (weights, 1, networks): one long operation instead of many short ones."""
    if layout.networks == "first":
        return arrays
    return [tf.concat([tf.reshape(array, [-1, 1, array.shape[2]]) for array in arrays], 0)]


def split_weights(architecture: Architecture, arrays: list[Array], layout: AxisLayout) -> list[Array]:
    """Split what `join_weights` has joined."""
    if layout.networks == "first":
        return arrays
    shapes = condensed_shapes(architecture)
    parts = tf.split(arrays[0], [rows * columns for rows, columns in shapes], 0)
    return [tf.reshape(part, [*shape, -1]) for part, shape in zip(parts, shapes, strict=True)]


def batch_of(architecture: Architecture, windows: Array, layout: AxisLayout) -> tuple[Array, Array]:
    """Split rows (networks, windows, look_back + outputs) into x and y, each (windows, features, networks)."""
    windows = tf.transpose(windows, [1, 2, 0]) if layout.windows == 0 else windows
    split = architecture.look_back
    return layout.columns(windows, 0, split), layout.columns(windows, split, split + architecture.outputs)


def loss_shares(start: Array, size: int, counts: Array, dtype: Any, layout: AxisLayout) -> tuple[Array, Array]:
    """Return the share of each window in the mean loss of its batch, zero for padding; and the size of the batch, at least 1."""
    rows = tf.reshape(start + tf.range(size), [-1, 1, 1] if layout.windows == 0 else [1, -1, 1])
    batch_size = tf.cast(tf.clip_by_value(counts - start, 1, size), dtype)
    return tf.where(rows < counts, 1 / batch_size, 0), batch_size


def adam(state: State, gradients: list[Array], rate: Array, active: Array, training: BatchedTraining) -> State:
    """Update weights and moments of active networks by Adam (Kingma & Ba 2015), in Keras' order of operations."""
    new_state: State = ([], [], [])
    for weight, first, second, gradient in zip(*state, gradients, strict=True):
        new_first = first + (gradient - first) * (1 - training.beta_1)
        new_second = second + (gradient * gradient - second) * (1 - training.beta_2)
        new_weight = weight - new_first * rate / (tf.sqrt(new_second) + training.epsilon)
        pairs = ((new_weight, weight), (new_first, first), (new_second, second))
        for outputs, (new, old) in zip(new_state, pairs, strict=True):
            outputs.append(tf.where(active, new, old))
    return new_state


def update_best(best: Any, condensed: list[Array], loss: Array, epoch: Array, running: Array, patience: int) -> Any:
    """Update the best weights of each network, and stop those whose validation loss has not fallen for `patience` epochs.

    best: the lowest loss, its weights, and the number of epochs since. As in Keras' EarlyStopping, the first epoch never stops.
    """
    best_loss, best_condensed, epochs_since = best
    better = running & (loss < best_loss)
    pairs = zip(condensed, best_condensed, strict=True)
    best_condensed = [tf.where(better | (epoch == 0), new, old) for new, old in pairs]
    epochs_since = tf.where(better, 0, epochs_since + 1)
    running = running & (better | (epochs_since < patience) | (epoch == 0))
    return (tf.where(better, loss, best_loss), best_condensed, epochs_since), running


def step_sizes(training: BatchedTraining, updates: int, dtype: Any) -> np.ndarray:
    """Step sizes of Adam with their bias corrections, rounded where Keras rounds: (updates + 1,), the first is not used."""
    number = np.arange(updates + 1).astype(dtype)
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (1 - np.power(dtype(beta), number) for beta in (training.beta_1, training.beta_2))
        rates = dtype(training.learning_rate) * np.sqrt(second) / first
    return np.asarray(np.nan_to_num(rates), dtype)
