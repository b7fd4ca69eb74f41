"""The compiled training of a block of networks: Adam over the batches of an epoch, over the epochs, with early stopping.

TensorFlow's XLA turns the whole training of a block into one call. Every network keeps its own count of windows, its own
order, its own step number and its own moment to stop; where it is not active its weights stay as they are.
"""

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from forecasting.lstm.arithmetic import Array, AxisLayout, sum_product
from forecasting.lstm.batched.gradients import loss_and_gradients, mean_loss
from forecasting.lstm.batched.types import BatchedTraining
from forecasting.lstm.weights import SUMMED_UNITS, Architecture, condensed_shapes

LANES = 128  # networks in a block of the layout "last" at most: the state of 128 classic ones fills a first-level cache
VECTOR = 16  # a block of the layout "last" is a multiple of this many networks: whole SIMD vectors
CACHE = 1 << 19  # bytes of weights, gradients and moments in a block: half a second-level cache

State = tuple[list[Array], list[Array], list[Array]]  # weights, first and second moments


def layout_for(architecture: Architecture) -> AxisLayout:
    """Choose the layout by the number of units; measured in docs/decisions/0003."""
    if max(architecture.units) <= SUMMED_UNITS:
        return AxisLayout("last", sum_product, tf.tanh, lambda a, b: tf.concat([a, b], 1))
    return AxisLayout("first", tf.matmul, tf.tanh, lambda a, b: tf.concat([a, b], 2))


def block_width(architecture: Architecture) -> int:
    """Networks in a block: a matter of the architecture alone, so that a network meets one program in any company."""
    fitting = CACHE // (16 * sum(int(np.prod(shape)) for shape in architecture.shapes.values()))
    if layout_for(architecture).networks == "last":
        return min(LANES, max(VECTOR, fitting // VECTOR * VECTOR))
    return max(1, fitting)


@functools.lru_cache
def program(architecture: Architecture, training: BatchedTraining) -> Any:
    """Make the program that trains a block; XLA compiles it once per shape of its arguments.

    weights: as from `lstm.condense`, in the layout, see `cut_apart`. examples: (rows, look_back + outputs), x beside y,
    to choose from. counts: (1, 1, networks). orders: (epochs, networks, windows), the row that comes next. rates:
    (steps + 1,), Adam's step sizes. validation: x, y in the layout and counts, or nothing.
    Returns weights, losses (epochs, networks) and the epochs run (1, 1, networks).
    """
    layout, batch_size = layout_for(architecture), training.batch_size
    quantiles = training.quantiles

    def train_block(weights: Any, examples: Any, counts: Any, orders: Any, rates: Any, validation: Any) -> Any:
        dtype = examples.dtype
        batches = -(-counts // batch_size)
        most_batches = tf.reduce_max(batches)
        none = tf.zeros_like(counts, dtype)

        def run_batch(number: Array, epoch: Array, going: Array, state: State, total: Array) -> Any:
            start = number * batch_size
            rows = tf.slice(orders, [epoch, 0, start], [1, orders.shape[1], batch_size])[0]
            x, y = batch_of(architecture, tf.gather(examples, rows), layout)
            share, size = shares(start, batch_size, counts, dtype, layout)
            condensed = cut_apart(architecture, state[0], layout)
            losses, slopes = loss_and_gradients(architecture, condensed, (x, y, share), layout, quantiles=quantiles)
            total = total + tf.reduce_sum(losses * share, layout.windows, keepdims=True) * size
            rate = tf.gather(rates, epoch * batches + number + 1)
            active = going & (start < counts)
            return number + 1, adam(state, put_together(slopes, layout), rate, active, training), total

        def run_epoch(epoch: Array, going: Array, state: State, watch: Any, history: Array, ran: Array) -> Any:
            _, state, total = tf.while_loop(
                lambda number, *_: number < most_batches,
                lambda number, state, total: run_batch(number, epoch, going, state, total),
                (0, state, none),
            )
            history = history.write(epoch, tf.where(going, total / tf.cast(counts, dtype), np.nan))
            ran = ran + tf.cast(going, tf.int32)
            if training.patience is not None:
                x, y, held_counts = validation
                share, _ = shares(0, x.shape[layout.windows], held_counts, dtype, layout)
                condensed = cut_apart(architecture, state[0], layout)
                now = mean_loss(architecture, condensed, (x, y, share), layout, quantiles=quantiles)
                watch, going = keep_best(watch, state[0], now, epoch, going, training.patience)
            return epoch + 1, going, state, watch, history, ran

        zeros = [tf.zeros_like(array) for array in weights]
        watch = (none + np.inf, weights, tf.zeros_like(counts)) if training.patience is not None else ()
        history = tf.TensorArray(dtype, training.epochs, element_shape=counts.shape)
        _, _, state, watch, history, ran = tf.while_loop(
            lambda epoch, going, *_: (epoch < training.epochs) & tf.reduce_any(going),
            run_epoch,
            (0, counts > 0, (weights, zeros, zeros), watch, history, tf.zeros_like(counts)),
        )
        return (watch[1] if watch else state[0]), tf.reshape(history.stack(), [training.epochs, -1]), ran

    return tf.function(train_block, jit_compile=True, autograph=False)


def put_together(arrays: list[Array], layout: AxisLayout) -> list[Array]:
    """Lay all weights of a network below one another in the layout "last": one long operation instead of many short."""
    if layout.networks == "first":
        return arrays
    return [tf.concat([tf.reshape(array, [-1, 1, array.shape[2]]) for array in arrays], 0)]


def cut_apart(architecture: Architecture, arrays: list[Array], layout: AxisLayout) -> list[Array]:
    """Undo `put_together`."""
    if layout.networks == "first":
        return arrays
    shapes = condensed_shapes(architecture)
    parts = tf.split(arrays[0], [rows * columns for rows, columns in shapes], 0)
    return [tf.reshape(part, [*shape, -1]) for part, shape in zip(parts, shapes, strict=True)]


def batch_of(architecture: Architecture, windows: Array, layout: AxisLayout) -> tuple[Array, Array]:
    """Part examples, (networks, windows, look_back + outputs), into x and y, (windows, features, networks) each."""
    windows = tf.transpose(windows, [1, 2, 0]) if layout.windows == 0 else windows
    split = architecture.look_back
    return layout.columns(windows, 0, split), layout.columns(windows, split, split + architecture.outputs)


def shares(start: Array, size: int, counts: Array, dtype: Any, layout: AxisLayout) -> tuple[Array, Array]:
    """Share of each window in its batch's mean, zero for padding, and the batch's size (at least 1), per network."""
    rows = tf.reshape(start + tf.range(size), [-1, 1, 1] if layout.windows == 0 else [1, -1, 1])
    own_size = tf.cast(tf.clip_by_value(counts - start, 1, size), dtype)
    return tf.where(rows < counts, 1 / own_size, 0), own_size


def adam(state: State, gradients: list[Array], rate: Array, active: Array, training: BatchedTraining) -> State:
    """Move the weights and their two moments (Kingma & Ba 2015) in Keras' order of operations, where active."""
    moved: State = ([], [], [])
    for weight, first, second, gradient in zip(*state, gradients, strict=True):
        new_first = first + (gradient - first) * (1 - training.beta_1)
        new_second = second + (gradient * gradient - second) * (1 - training.beta_2)
        new_weight = weight - new_first * rate / (tf.sqrt(new_second) + training.epsilon)
        pairs = ((new_weight, weight), (new_first, first), (new_second, second))
        for outputs, (new, old) in zip(moved, pairs, strict=True):
            outputs.append(tf.where(active, new, old))
    return moved


def keep_best(watch: Any, condensed: list[Array], now: Array, epoch: Array, going: Array, patience: int) -> Any:
    """Remember each network's best weights and stop it when its validation loss has not fallen for `patience` epochs.

    watch: the best loss, its weights, and the epochs waited since. As Keras' EarlyStopping, the first epoch never stops.
    """
    best, best_condensed, waited = watch
    better = going & (now < best)
    pairs = zip(condensed, best_condensed, strict=True)
    best_condensed = [tf.where(better | (epoch == 0), new, old) for new, old in pairs]
    waited = tf.where(better, 0, waited + 1)
    going = going & (better | (waited < patience) | (epoch == 0))
    return (tf.where(better, now, best), best_condensed, waited), going


def step_sizes(training: BatchedTraining, steps: int, dtype: Any) -> np.ndarray:
    """Adam's step sizes with their bias corrections, rounded where Keras rounds: (steps + 1,), the first unused."""
    number = np.arange(steps + 1).astype(dtype)
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (1 - np.power(dtype(beta), number) for beta in (training.beta_1, training.beta_2))
        rates = dtype(training.learning_rate) * np.sqrt(second) / first
    return np.asarray(np.nan_to_num(rates), dtype)
