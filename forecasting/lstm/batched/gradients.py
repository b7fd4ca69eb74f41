"""The forward and the backward pass of many LSTM networks over one batch, in TensorFlow operations.

Shapes in comments are those of the layout "last", (windows, features, networks), in which the windows of all networks
lie side by side in memory; in the layout "first" the networks axis leads. Steps of time lead in both.
"""

import numpy as np
import tensorflow as tf

from forecasting.lstm.arithmetic import Array, AxisLayout
from forecasting.lstm.weights import Architecture, lstm_step

GRID_BITS = 19  # of a factor of a weight gradient
Trace = tuple[Array, Array, Array | None, Array, Array]  # what the way back needs of one layer, see walk_forward


def loss_and_gradients(
    architecture: Architecture,
    condensed: list[Array],
    batch: tuple[Array, Array, Array],
    layout: AxisLayout,
    *,
    quantiles: tuple[float, ...],
) -> tuple[Array, list[Array]]:
    """Predict a batch and carry the derivative of its loss back to every weight.

    batch: x (windows, look_back, networks), y (windows, outputs, networks) and each window's share in its network's loss
    (windows, 1, networks): one over the number of windows in use, zero for padding. Returns the loss of every window,
    (windows, 1, networks), and the gradients in the order and shapes of condensed.
    """
    x, y, share = batch
    sequence = in_steps(architecture, x, layout)
    traces = []
    for layer, units in enumerate(architecture.units):
        traces.append(walk_forward(units, condensed[2 * layer], condensed[2 * layer + 1], sequence, layout))
        sequence = traces[-1][-1]
    prediction = layout.product(sequence[-1], condensed[-2]) + condensed[-1]
    losses, slope = loss(prediction, y, quantiles, layout)
    d_prediction = slope * share  # (windows, outputs, networks)
    gradients = [weight_gradient(sequence[-1:], d_prediction[None], layout), summed(d_prediction[None], layout)]
    d_h: Array = back_product(d_prediction, condensed[-2], layout)[None]
    for layer, units in reversed(list(enumerate(architecture.units))):
        d_z, d_h = walk_back(units, condensed[2 * layer], traces[layer], d_h, layout)
        gradients = [weight_gradient(traces[layer][0], d_z, layout), summed(d_z, layout), *gradients]
    return losses, gradients


def mean_loss(
    architecture: Architecture,
    condensed: list[Array],
    batch: tuple[Array, Array, Array],
    layout: AxisLayout,
    *,
    quantiles: tuple[float, ...],
) -> Array:
    """Mean loss of each network over a batch as in `loss_and_gradients`: (1, 1, networks)."""
    x, y, share = batch
    sequence = in_steps(architecture, x, layout)
    for layer, units in enumerate(architecture.units):
        sequence = walk_forward(units, condensed[2 * layer], condensed[2 * layer + 1], sequence, layout)[-1]
    losses, _ = loss(layout.product(sequence[-1], condensed[-2]) + condensed[-1], y, quantiles, layout)
    return tf.reduce_sum(losses * share, layout.windows, keepdims=True)


def in_steps(architecture: Architecture, x: Array, layout: AxisLayout) -> Array:
    """Arrange windows as (steps, windows, features, networks): one step of all features, or steps of one feature."""
    if architecture.time_steps == 1:
        return x[None]
    return tf.transpose(x, [1, 0, 2])[:, :, None] if layout.windows == 0 else tf.transpose(x, [2, 0, 1])[..., None]


def loss(prediction: Array, y: Array, quantiles: tuple[float, ...], layout: AxisLayout) -> tuple[Array, Array]:
    """Loss of every window, (windows, 1, networks), and its derivative by the prediction, (windows, outputs, networks).

    Mean squared error, or the pinball loss (Koenker & Bassett 1978) when there are quantiles.
    """
    axis = layout.windows + 1
    outputs = y.shape[axis]
    if not quantiles:
        error = prediction - y
        return tf.reduce_mean(error * error, axis, keepdims=True), error * (2 / outputs)
    levels = layout.along_features(np.resize(np.array(quantiles, y.dtype.as_numpy_dtype), outputs))
    short = y - prediction
    slope = tf.where(short > 0, -levels, 1 - levels)
    return tf.reduce_mean(-slope * short, axis, keepdims=True), slope / outputs


def walk_forward(units: int, kernel: Array, bias: Array, sequence: Array, layout: AxisLayout) -> Trace:
    """Walk one layer through time; sequence: (steps, windows, features, networks).

    Returns, for every step: what entered (x, then h), the gates, the cell before (nothing when there is one step only),
    tanh of the cell after, and h.
    """
    if sequence.shape[0] == 1:
        gates, _, cell_tanh, h = lstm_step(layout.product(sequence[0], kernel) + bias, None, units, layout)
        return sequence, gates[None], None, cell_tanh[None], h[None]
    shape = list(sequence.shape[1:])
    shape[layout.windows + 1] = units
    zero = tf.zeros(shape, kernel.dtype)

    def walk(step: Array, cell: Array, h: Array, *trace: Array) -> tuple[Array, ...]:
        entered = layout.join(sequence[step], h)
        gates, new_cell, cell_tanh, new_h = lstm_step(layout.product(entered, kernel) + bias, cell, units, layout)
        step_values = (entered, gates, cell, cell_tanh, new_h)
        return (
            step + 1,
            new_cell,
            new_h,
            *(array.write(step, value) for array, value in zip(trace, step_values, strict=True)),
        )

    empty = [tf.TensorArray(kernel.dtype, sequence.shape[0]) for _ in range(5)]
    _, _, _, *trace = tf.while_loop(lambda step, *_: step < sequence.shape[0], walk, (0, zero, zero, *empty))
    entered, gates, last_cell, cell_tanh, h = (array.stack() for array in trace)
    return entered, gates, last_cell, cell_tanh, h


def walk_back(units: int, kernel: Array, trace: Trace, d_h: Array, layout: AxisLayout) -> tuple[Array, Array]:
    """Walk one layer back through time (Werbos 1990).

    d_h: the derivative by every step's h as it comes from above, or by the last step's alone, (steps or 1, windows,
    units, networks). Returns those by the gates' inputs z, (steps, windows, columns, networks), and by x alike.
    """
    _, gates, last_cells, cell_tanh, _ = trace
    if last_cells is None:
        d_z, _ = step_back(units, (gates[0], None, cell_tanh[0]), d_h[0], None, layout)
        return d_z[None], back_product(d_z, kernel, layout)[None]
    steps, inputs = gates.shape[0], kernel.shape[layout.windows] - units
    none = tf.zeros_like(last_cells[0])

    def walk(step: Array, d_later: Array, d_cell: Array, *derivatives: Array) -> tuple[Array, ...]:
        d_own = d_later if d_h.shape[0] == 1 else d_later + d_h[step]
        trace_of_step = (gates[step], last_cells[step], cell_tanh[step])
        d_z, d_cell = step_back(units, trace_of_step, d_own, d_cell, layout)
        d_entered = back_product(d_z, kernel, layout)
        d_x, d_later = layout.columns(d_entered, 0, inputs), layout.columns(d_entered, inputs, inputs + units)
        return step - 1, d_later, d_cell, derivatives[0].write(step, d_z), derivatives[1].write(step, d_x)

    empty = [tf.TensorArray(kernel.dtype, steps) for _ in range(2)]
    start = (steps - 1, d_h[0] if d_h.shape[0] == 1 else none, none, *empty)
    *_, d_z, d_x = tf.while_loop(lambda step, *_: step >= 0, walk, start)
    return d_z.stack(), d_x.stack()


def step_back(
    units: int, trace_of_step: tuple[Array, Array | None, Array], d_h: Array, d_cell: Array | None, layout: AxisLayout
) -> tuple[Array, Array | None]:
    """Turn the derivatives by h and by the new cell into those by z and by the cell before."""
    gates, last_cell, cell_tanh = trace_of_step
    axis = layout.windows + 1
    entry, *forget, candidate, out = tf.split(gates, gates.shape[axis] // units, axis)
    d_new_cell = d_h * out * (1 - cell_tanh * cell_tanh)
    if d_cell is not None:
        d_new_cell = d_new_cell + d_cell
    d_entry = d_new_cell * candidate * entry * (1 - entry)
    d_candidate = d_new_cell * entry * (1 - candidate * candidate)
    d_out = d_h * cell_tanh * out * (1 - out)
    if last_cell is None:
        return tf.concat([d_entry, d_candidate, d_out], axis), None
    d_forget = d_new_cell * last_cell * forget[0] * (1 - forget[0])
    return tf.concat([d_entry, d_forget, d_candidate, d_out], axis), d_new_cell * forget[0]


def back_product(d_z: Array, kernel: Array, layout: AxisLayout) -> Array:
    """(windows, columns, networks) and (inputs, columns, networks) -> (windows, inputs, networks)."""
    if layout.networks == "first":
        return tf.matmul(d_z, kernel, transpose_b=True)
    return tf.reduce_sum(d_z[:, None] * kernel, 2)


def weight_gradient(entered: Array, d_z: Array, layout: AxisLayout) -> Array:
    """Each weight's derivative: what entered times what came back, summed over steps and windows.

    (steps, windows, inputs, networks) and (steps, windows, columns, networks) -> (inputs, columns, networks).
    """
    if layout.networks == "first":
        return exact_product(rows_of_network(entered), rows_of_network(d_z))

    def product(step: Array) -> Array:
        x, d = entered[step], d_z[step]
        return tf.reduce_sum(x[:, :, None] * d[:, None], 0)

    if d_z.shape[0] == 1:
        return product(0)
    start = (0, tf.zeros([entered.shape[2], *d_z.shape[2:]], d_z.dtype))
    return tf.while_loop(
        lambda step, _: step < d_z.shape[0], lambda step, total: (step + 1, total + product(step)), start
    )[1]


def summed(d_z: Array, layout: AxisLayout) -> Array:
    """Sum over steps and windows: (steps, windows, columns, networks) -> (1, columns, networks)."""
    if d_z.shape[0] == 1 and d_z.shape[layout.windows + 1] == 1:
        return d_z[0]
    return tf.reduce_sum(d_z, [0, layout.windows + 1], keepdims=True)[0]


def rows_of_network(array: Array) -> Array:
    """Bring the rows of a network together: (steps, networks, windows, features) -> (networks, rows, features)."""
    steps, networks, windows, features = array.shape
    return tf.reshape(tf.transpose(array, [1, 0, 2, 3]), [networks, steps * windows, features])


def exact_product(x: Array, d: Array) -> Array:
    """Multiply (networks, rows, inputs) by (networks, rows, columns) over the rows: (networks, inputs, columns).

    TensorFlow splits the sum of such a product between its threads, and the last bits of a float32 sum depend on how many
    there are. Here both factors lie on grids so coarse that every partial sum is a float64 without rounding, as in
    `arithmetic.matrix_product`: no order of additions changes a bit.
    """
    if x.dtype == tf.float64:  # there is no wider number to be exact in
        return tf.matmul(x, d, transpose_a=True)
    # Rows that only fill up a short series have a derivative of zero: they may not choose the grid of x.
    x = tf.where(tf.reduce_any(d != 0, 2, keepdims=True), x, 0)
    return tf.cast(tf.matmul(on_grid(x), on_grid(d), transpose_a=True), x.dtype)


def on_grid(values: Array) -> Array:
    """Round (networks, rows, features) to whole multiples of a power of two, fine enough for exact sums over the rows.

    Returns float64. The grid of a feature goes by its largest value. It keeps 19 bits for up to 32,767 rows, so that it does
    not depend on the other networks, which may have more rows; beyond, it keeps fewer.
    """
    bits = min(GRID_BITS, (53 - int(values.shape[1]).bit_length()) // 2)
    largest = tf.reduce_max(tf.abs(tf.cast(values, tf.float32)), 1, keepdims=True)
    # The bits of the exponent alone are the largest power of two that is not above the number.
    power = tf.bitcast(tf.bitwise.bitwise_and(tf.bitcast(largest, tf.int32), 0x7F800000), tf.float32)
    grid = tf.cast(power, tf.float64) * 2.0 ** (1 - bits)
    grid = tf.where(grid > 0, grid, 1.0)
    return tf.round(tf.cast(values, tf.float64) / grid) * grid
