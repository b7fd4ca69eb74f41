"""The compiled training program of a block of networks: forward and backward pass, Adam, loops over steps and epochs.

Shapes in comments are those of the layout "last", (windows, features, networks); in the layout "first" the networks
lead. TensorFlow's XLA turns the whole training of a block into one call.
"""

import functools
import operator
from typing import Any

import numpy as np
import tensorflow as tf

from forecasting.networks.lstm import Architecture, Array, Layout, lstm_step, steps_of, sum_product
from forecasting.networks.training import Training

LANES = 128  # networks in a block of the layout "last"
SUMMED_UNITS = 8  # up to so many units sums of long vectors win over matrix products
CACHE = 1 << 19  # bytes of weights, gradients and moments that a block of the layout "first" may take


def layout_for(architecture: Architecture) -> Layout:
    """Choose the layout by the number of units; measured in docs/decisions/0003."""
    if max(architecture.units) <= SUMMED_UNITS:
        return Layout("last", sum_product, tf.tanh, lambda a, b: tf.concat([a, b], 1))
    return Layout("first", tf.matmul, tf.tanh, lambda a, b: tf.concat([a, b], 2))


def block_width(architecture: Architecture) -> int:
    """Networks in a block: a matter of the architecture alone, so that a network meets the same program in any company."""
    if layout_for(architecture).networks == "last":
        return LANES
    size = 16 * sum(int(np.prod(shape)) for shape in architecture.shapes.values())
    return max(1, CACHE // size)


def outer_product(x: Array, d_z: Array, layout: Layout) -> Array:
    """(windows, inputs) and (windows, columns) -> (inputs, columns): each weight's share, summed over windows."""
    if layout.networks == "first":
        return tf.matmul(x, d_z, transpose_a=True)
    return functools.reduce(operator.add, [x[row, :, None] * d_z[row, None] for row in range(x.shape[0])])


def back_product(d_z: Array, kernel: Array, layout: Layout) -> Array:
    """(windows, columns) and (inputs, columns) -> (windows, inputs): each input's share, summed over columns."""
    if layout.networks == "first":
        return tf.matmul(d_z, kernel, transpose_b=True)
    terms = [d_z[:, column, None] * kernel[:, column] for column in range(kernel.shape[1])]
    return functools.reduce(operator.add, terms)


def forward_layer(units: int, kernel: Array, bias: Array, sequence: list[Array], layout: Layout) -> list[tuple[Array, ...]]:
    """Walk one layer through time, keeping what the way back needs: (x and h, gates, last cell, tanh(cell), new h)."""
    cell = h = None
    if len(sequence) > 1:
        shape = list(sequence[0].shape)
        shape[layout.windows + 1] = units
        cell = h = tf.zeros(shape, kernel.dtype)
    trace = []
    for x in sequence:
        joined = x if h is None else layout.join(x, h)
        last_cell = cell
        gates, cell, cell_tanh, h = lstm_step(layout.product(joined, kernel) + bias, cell, units, layout)
        trace.append((joined, gates, last_cell, cell_tanh, h))
    return trace


def backward_layer(
    units: int, kernel: Array, trace: list[tuple[Array, ...]], d_states: list[Array | None], layout: Layout
) -> tuple[Array, Array, list[Array]]:
    """Walk one layer back through time (Werbos 1990): derivatives by kernel, bias and every step's input.

    d_states: the derivative by each step's h, as far as it enters from above.
    """
    axis = layout.windows + 1
    inputs = kernel.shape[layout.windows] - (units if len(trace) > 1 else 0)
    d_kernel = d_bias = d_h = d_cell = None
    d_inputs = []
    for (joined, gates, last_cell, cell_tanh, _), d_state in zip(reversed(trace), reversed(d_states), strict=True):
        d_h = added(d_h, d_state)
        into, *forget, candidate, out = tf.split(gates, gates.shape[axis] // units, axis)
        d_cell = added(d_h * out * (1 - cell_tanh * cell_tanh), d_cell)
        d_gates = [d_cell * candidate * into * (1 - into)]
        if forget:
            d_gates.append(d_cell * last_cell * forget[0] * (1 - forget[0]))
        d_gates += [d_cell * into * (1 - candidate * candidate), d_h * cell_tanh * out * (1 - out)]
        d_z = tf.concat(d_gates, axis)
        d_kernel = added(outer_product(joined, d_z, layout), d_kernel)
        d_bias = added(tf.reduce_sum(d_z, layout.windows, keepdims=True), d_bias)
        d_joined = back_product(d_z, kernel, layout)
        d_inputs.append(layout.columns(d_joined, 0, inputs))
        if forget:
            d_h, d_cell = layout.columns(d_joined, inputs, inputs + units), d_cell * forget[0]
    return d_kernel, d_bias, d_inputs[::-1]


def added(a: Array, b: Array | None) -> Array:
    """Add, where None is zero."""
    return b if a is None else a if b is None else a + b


def gradients(
    architecture: Architecture, condensed: list[Array], x: Array, y: Array, share: Array, layout: Layout, quantiles: tuple[float, ...]
) -> tuple[list[Array], Array]:
    """Predict, and carry the derivative of the loss back to every weight. share: (windows, 1, networks), 1/rows or 0.

    Returns the gradients in the order of condensed, and the loss of every window.
    """
    sequence = steps_of(architecture, x, layout)
    traces = []
    for layer, units in enumerate(architecture.units):
        traces.append(forward_layer(units, *condensed[2 * layer : 2 * layer + 2], sequence, layout))
        sequence = [h for *_, h in traces[-1]]
    prediction = layout.product(sequence[-1], condensed[-2]) + condensed[-1]
    losses, d_prediction = loss(prediction, y, quantiles, layout)
    d_prediction = d_prediction * share
    found = [outer_product(sequence[-1], d_prediction, layout), tf.reduce_sum(d_prediction, layout.windows, keepdims=True)]
    d_states: list[Array | None] = [None] * (len(sequence) - 1) + [back_product(d_prediction, condensed[-2], layout)]
    for layer, units in reversed(list(enumerate(architecture.units))):
        d_kernel, d_bias, d_states = backward_layer(units, condensed[2 * layer], traces[layer], d_states, layout)
        found = [d_kernel, d_bias, *found]
    return found, losses


def loss(prediction: Array, y: Array, quantiles: tuple[float, ...], layout: Layout) -> tuple[Array, Array]:
    """Loss of every window, (windows, 1, networks), and its derivative by the prediction, (windows, outputs, networks).

    Mean squared error, or the pinball loss (Koenker & Bassett 1978) when there are quantiles.
    """
    axis, outputs = layout.windows + 1, y.shape[layout.windows + 1]
    if not quantiles:
        error = prediction - y
        return tf.reduce_mean(error * error, axis, keepdims=True), error * (2 / outputs)
    levels = layout.along_features(np.resize(np.array(quantiles, y.dtype.as_numpy_dtype), outputs))
    short = y - prediction
    slope = tf.where(short > 0, -levels, 1 - levels)
    return tf.reduce_mean(-slope * short, axis, keepdims=True), slope / outputs


def validation_loss(
    architecture: Architecture, condensed: list[Array], x: Array, y: Array, counts: Array, layout: Layout, quantiles: tuple[float, ...]
) -> Array:
    """Mean loss over each network's own validation windows: (1, 1, networks)."""
    sequence = steps_of(architecture, x, layout)
    for layer, units in enumerate(architecture.units):
        sequence = [h for *_, h in forward_layer(units, *condensed[2 * layer : 2 * layer + 2], sequence, layout)]
    losses, _ = loss(layout.product(sequence[-1], condensed[-2]) + condensed[-1], y, quantiles, layout)
    used = row_numbers(0, x.shape[layout.windows], layout) < counts
    return tf.reduce_sum(tf.where(used, losses, 0), layout.windows, keepdims=True) / tf.cast(counts, losses.dtype)


def row_numbers(start: Array, count: int, layout: Layout) -> Array:
    """start, start + 1, ... along the windows axis, ready to broadcast."""
    return tf.reshape(start + tf.range(count), [-1, 1, 1] if layout.windows == 0 else [1, -1, 1])


@functools.lru_cache
def program(architecture: Architecture, training: Training) -> Any:
    """Compile the training of a block; called with arrays in the layout of the architecture.

    condensed; x (windows · networks, look_back) and y alike; counts (1, 1, networks); orders (epochs, windows, networks)
    as rows of x; rates (steps + 1,), Adam's step sizes; validation: x, y, counts in the layout, or nothing.
    Returns condensed, losses (epochs, networks) and epochs run (1, 1, networks).
    """
    layout = layout_for(architecture)
    batch = training.batch_size

    def step(number: Array, epoch: Array, state: tuple[Array, ...], block: Any) -> tuple[Array, ...]:
        condensed, first, second, total, going = state
        x, y, counts, order, rates = block
        rows = row_numbers(number * batch, batch, layout)
        used = rows < counts
        lanes = order.shape[1 - layout.windows]
        chosen = (
            tf.slice(order, [number * batch, 0], [batch, lanes])
            if layout.windows == 0
            else tf.slice(order, [0, number * batch], [lanes, batch])
        )
        batch_x, batch_y = gathered(x, chosen, layout), gathered(y, chosen, layout)
        size = tf.clip_by_value(counts - number * batch, 1, batch)
        share = tf.where(used, 1 / tf.cast(size, x.dtype), 0)
        slopes, losses = gradients(architecture, condensed, batch_x, batch_y, share, layout, training.quantiles)
        total = total + tf.reduce_sum(tf.where(used, losses, 0), layout.windows, keepdims=True)
        active = going & (number * batch < counts)
        rate = tf.gather(rates, epoch * -(-counts // batch) + number + 1)
        moved = [adam(*each, rate, active, training) for each in zip(condensed, first, second, slopes, strict=True)]
        return *(list(column) for column in zip(*moved, strict=True)), total, going

    def train_block(condensed: Any, x: Any, y: Any, counts: Any, orders: Any, rates: Any, validation: Any) -> Any:
        steps = -(-tf.reduce_max(counts) // batch)
        zeros = [tf.zeros_like(array) for array in condensed]
        none = tf.zeros_like(condensed[-1][..., :1] if layout.windows == 1 else condensed[-1][:, :1])

        def run_epoch(epoch: Any, state: Any, watch: Any, losses: Any, ran: Any) -> Any:
            block = (x, y, counts, orders[epoch], rates)
            going = state[-1]
            _, state = tf.while_loop(
                lambda number, _: number < steps,
                lambda number, state: (number + 1, step(number, epoch, state, block)),
                (0, (*state[:3], none, going)),
            )
            condensed, first, second, total, going = state
            mean = tf.where(going, total / tf.cast(counts, x.dtype), np.nan)
            losses = tf.tensor_scatter_nd_update(losses, [[epoch]], tf.reshape(mean, [1, -1]))
            ran = ran + tf.cast(going, tf.int32)
            if training.patience is not None:
                now = validation_loss(architecture, condensed, *validation, layout, training.quantiles)
                best, best_condensed, waited = watch
                better = going & (now < best)
                best_condensed = [tf.where(better | (epoch == 0), new, old) for new, old in zip(condensed, best_condensed, strict=True)]
                best, waited = tf.where(better, now, best), tf.where(better, 0, waited + 1)
                going = going & (better | (waited < training.patience) | (epoch == 0))
                watch = (best, best_condensed, waited)
            return epoch + 1, (condensed, first, second, none, going), watch, losses, ran

        watch = (none + np.inf, condensed, tf.zeros_like(counts)) if training.patience is not None else ()
        start = (condensed, zeros, zeros, none, counts > 0)
        losses = tf.fill([training.epochs, tf.size(counts)], tf.constant(np.nan, x.dtype))
        _, state, watch, losses, ran = tf.while_loop(
            lambda epoch, state, *_: (epoch < training.epochs) & tf.reduce_any(state[-1]),
            run_epoch,
            (0, start, watch, losses, tf.zeros_like(counts)),
        )
        return (watch[1] if watch else state[0]), losses, ran

    return tf.function(train_block, jit_compile=True, autograph=False)


def gathered(rows: Array, chosen: Array, layout: Layout) -> Array:
    """Rows of (windows · networks, features) chosen as (windows, networks) -> (windows, features, networks)."""
    found = tf.gather(rows, chosen)
    return tf.transpose(found, [0, 2, 1]) if layout.windows == 0 else found


def adam(weight: Array, first: Array, second: Array, slope: Array, rate: Array, active: Array, training: Training) -> tuple[Array, ...]:
    """Move a weight and its two moments (Kingma & Ba 2015), in Keras' order of operations, where a network is active."""
    new_first = first + (slope - first) * (1 - training.beta_1)
    new_second = second + (slope * slope - second) * (1 - training.beta_2)
    moved = weight - new_first * rate / (tf.sqrt(new_second) + training.epsilon)
    return tf.where(active, moved, weight), tf.where(active, new_first, first), tf.where(active, new_second, second)


def step_sizes(training: Training, steps: int, dtype: Any) -> np.ndarray:
    """Adam's step size with its bias corrections, for steps 0 (unused), 1, 2, ..., in the network's precision as in Keras."""
    number = np.arange(steps + 1).astype(dtype)
    one = np.ones((), dtype)
    corrections = np.sqrt(one - np.power(dtype(training.beta_2), number)) / np.maximum(one - np.power(dtype(training.beta_1), number), dtype(1e-9))
    return (dtype(training.learning_rate) * corrections).astype(dtype)
