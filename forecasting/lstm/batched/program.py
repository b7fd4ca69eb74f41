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
    and y side by side. counts: (1, 1, networks), windows of each network. orders: (epochs, networks, windows), rows of source.
    adam_steps: (updates + 1,), step sizes of Adam. validation: x and y in the layout, and counts; or (). Its results: weights,
    losses (epochs, networks), and the number of epochs (1, 1, networks).
    """
    layout, batch_size = layout_for(architecture), training.batch_size
    quantiles = training.quantiles

    def train_block(weights: Any, source: Any, counts: Any, orders: Any, adam_steps: Any, validation: Any) -> Any:
        dtype = source.dtype
        batch_counts = -(-counts // batch_size)
        most_batches = tf.reduce_max(batch_counts)
        zero = tf.zeros_like(counts, dtype)

        def run_batch(batch_index: Array, epoch: Array, is_running: Array, state: State, loss_sum: Array) -> Any:
            # is_running: bool (1, 1, networks). loss_sum: (1, 1, networks), over the windows of the epoch so far.
            first_window = batch_index * batch_size
            window_rows = tf.slice(orders, [epoch, 0, first_window], [1, orders.shape[1], batch_size])[0]
            x, y = batch_of(architecture, tf.gather(source, window_rows), layout)
            shares, sizes = loss_shares(first_window, batch_size, counts, dtype, layout)
            condensed = split_weights(architecture, state[0], layout)
            losses, gradients = loss_and_gradients(architecture, condensed, (x, y, shares), layout, quantiles=quantiles)
            loss_sum = loss_sum + tf.reduce_sum(losses * shares, layout.windows, keepdims=True) * sizes
            adam_step = tf.gather(adam_steps, epoch * batch_counts + batch_index + 1)
            is_active = is_running & (first_window < counts)
            new_state = adam(state, join_weights(gradients, layout), adam_step, is_active, training)
            return batch_index + 1, new_state, loss_sum

        def run_epoch(
            epoch: Array, is_running: Array, state: State, best: Any, losses_by_epoch: Array, epoch_counts: Array
        ) -> Any:
            # best: as for `update_best`, or (). losses_by_epoch: TensorArray. epoch_counts: int (1, 1, networks), epochs so far.
            _, state, loss_sum = tf.while_loop(
                lambda batch_index, *_: batch_index < most_batches,
                lambda batch_index, state, loss_sum: run_batch(batch_index, epoch, is_running, state, loss_sum),
                (0, state, zero),
            )
            mean_losses = tf.where(is_running, loss_sum / tf.cast(counts, dtype), np.nan)
            losses_by_epoch = losses_by_epoch.write(epoch, mean_losses)
            epoch_counts = epoch_counts + tf.cast(is_running, tf.int32)
            if training.patience is not None:
                x, y, validation_counts = validation
                shares, _ = loss_shares(0, x.shape[layout.windows], validation_counts, dtype, layout)
                condensed = split_weights(architecture, state[0], layout)
                loss = mean_loss(architecture, condensed, (x, y, shares), layout, quantiles=quantiles)
                best, is_running = update_best(best, state[0], loss, epoch, is_running, training.patience)
            return epoch + 1, is_running, state, best, losses_by_epoch, epoch_counts

        zeros = [tf.zeros_like(array) for array in weights]
        best = (zero + np.inf, weights, tf.zeros_like(counts)) if training.patience is not None else ()
        losses_by_epoch = tf.TensorArray(dtype, training.epochs, element_shape=counts.shape)
        _, _, state, best, losses_by_epoch, epoch_counts = tf.while_loop(
            lambda epoch, is_running, *_: (epoch < training.epochs) & tf.reduce_any(is_running),
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


def batch_of(architecture: Architecture, rows: Array, layout: AxisLayout) -> tuple[Array, Array]:
    """Split rows (networks, windows, look_back + outputs) into x and y, each (windows, features, networks)."""
    rows = tf.transpose(rows, [1, 2, 0]) if layout.windows == 0 else rows
    look_back = architecture.look_back
    return layout.columns(rows, 0, look_back), layout.columns(rows, look_back, look_back + architecture.outputs)


def loss_shares(first_window: Array, size: int, counts: Array, dtype: Any, layout: AxisLayout) -> tuple[Array, Array]:
    """Return the share of each window in the mean loss of its batch, zero for padding; and the size of the batch, at least 1.

    first_window, size: of the batch, padding included. counts: (1, 1, networks), windows of each network.
    """
    window_index = tf.reshape(first_window + tf.range(size), [-1, 1, 1] if layout.windows == 0 else [1, -1, 1])
    batch_sizes = tf.cast(tf.clip_by_value(counts - first_window, 1, size), dtype)
    return tf.where(window_index < counts, 1 / batch_sizes, 0), batch_sizes


def adam(state: State, gradients: list[Array], adam_step: Array, is_active: Array, training: BatchedTraining) -> State:
    """Update weights and moments of active networks by Adam (Kingma & Ba 2015), in Keras' order of operations."""
    new_state: State = ([], [], [])
    for weight, first_moment, second_moment, gradient in zip(*state, gradients, strict=True):
        new_first = first_moment + (gradient - first_moment) * (1 - training.beta_1)
        new_second = second_moment + (gradient * gradient - second_moment) * (1 - training.beta_2)
        new_weight = weight - new_first * adam_step / (tf.sqrt(new_second) + training.epsilon)
        pairs = ((new_weight, weight), (new_first, first_moment), (new_second, second_moment))
        for outputs, (new, old) in zip(new_state, pairs, strict=True):
            outputs.append(tf.where(is_active, new, old))
    return new_state


def update_best(best: Any, condensed: list[Array], loss: Array, epoch: Array, is_running: Array, patience: int) -> Any:
    """Update the best weights of each network, and stop those whose validation loss has not fallen for `patience` epochs.

    best: the lowest loss, its weights, and the number of epochs since. As in Keras' EarlyStopping, the first epoch never stops.
    """
    best_loss, best_condensed, epochs_since = best
    is_better = is_running & (loss < best_loss)
    pairs = zip(condensed, best_condensed, strict=True)
    best_condensed = [tf.where(is_better | (epoch == 0), new, old) for new, old in pairs]
    epochs_since = tf.where(is_better, 0, epochs_since + 1)
    is_running = is_running & (is_better | (epochs_since < patience) | (epoch == 0))
    return (tf.where(is_better, loss, best_loss), best_condensed, epochs_since), is_running


def step_sizes(training: BatchedTraining, updates: int, dtype: Any) -> np.ndarray:
    """Step sizes of Adam with their bias corrections, rounded where Keras rounds: (updates + 1,), the first is not used."""
    update_index = np.arange(updates + 1).astype(dtype)
    with np.errstate(divide="ignore", invalid="ignore"):
        corrections = [1 - np.power(dtype(beta), update_index) for beta in (training.beta_1, training.beta_2)]
        sizes = dtype(training.learning_rate) * np.sqrt(corrections[1]) / corrections[0]
    return np.asarray(np.nan_to_num(sizes), dtype)
