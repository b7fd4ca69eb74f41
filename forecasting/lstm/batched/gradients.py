"""Forward and backward pass of many LSTM networks over one batch, in TensorFlow operations.

Shapes in docstrings are those of the layout "last", (windows, features, networks). In the layout "first" the axis of networks
is the first one. The axis of time steps comes before it in both. A name d_x: the derivative of the loss by x.
"""

import numpy as np
import tensorflow as tf

from forecasting.lstm.arithmetic import Array, AxisLayout
from forecasting.lstm.prediction import lstm_step
from forecasting.lstm.weights import Architecture

GRID_BITS = 19  # of each factor of an exact product
Trace = tuple[Array, Array, Array | None, Array, Array]  # values of one layer for the backward pass, see forward_pass


def loss_and_gradients(
    architecture: Architecture,
    condensed: list[Array],
    batch: tuple[Array, Array, Array],
    layout: AxisLayout,
    *,
    quantiles: tuple[float, ...],
) -> tuple[Array, list[Array]]:
    """Return the loss of every window, (windows, 1, networks), and the gradients by all arrays of condensed.

    condensed: as from `condense`, kernel and bias of each layer in turn. batch: x (windows, look_back, networks), targets y
    (windows, outputs, networks), and the share of each window in the loss of its network, (windows, 1, networks): one over the
    number of windows, zero for padding. quantiles: as for `loss`.
    """
    x, y, share = batch
    sequence = in_steps(architecture, x, layout)
    traces = []
    for layer, units in enumerate(architecture.units):
        traces.append(forward_pass(units, condensed[2 * layer], condensed[2 * layer + 1], sequence, layout))
        sequence = traces[-1][-1]
    prediction = layout.product(sequence[-1], condensed[-2]) + condensed[-1]
    losses, slope = loss(prediction, y, quantiles, layout)
    d_prediction = slope * share  # (windows, outputs, networks)
    gradients = [weight_gradient(sequence[-1:], d_prediction[None], layout), bias_gradient(d_prediction[None], layout)]
    d_h: Array = transposed_product(d_prediction, condensed[-2], layout)[None]
    for layer, units in reversed(list(enumerate(architecture.units))):
        d_z, d_h = backward_pass(units, condensed[2 * layer], traces[layer], d_h, layout)
        gradients = [weight_gradient(traces[layer][0], d_z, layout), bias_gradient(d_z, layout), *gradients]
    return losses, gradients


def mean_loss(
    architecture: Architecture,
    condensed: list[Array],
    batch: tuple[Array, Array, Array],
    layout: AxisLayout,
    *,
    quantiles: tuple[float, ...],
) -> Array:
    """Mean loss of each network over a batch, whose parts are as for `loss_and_gradients`: (1, 1, networks)."""
    x, y, share = batch
    sequence = in_steps(architecture, x, layout)
    for layer, units in enumerate(architecture.units):
        sequence = forward_pass(units, condensed[2 * layer], condensed[2 * layer + 1], sequence, layout)[-1]
    losses, _ = loss(layout.product(sequence[-1], condensed[-2]) + condensed[-1], y, quantiles, layout)
    return tf.reduce_sum(losses * share, layout.windows, keepdims=True)


def in_steps(architecture: Architecture, x: Array, layout: AxisLayout) -> Array:
    """Arrange windows as (steps, windows, features, networks): one step with all features, or steps with one feature."""
    if architecture.time_steps == 1:
        return x[None]
    return tf.transpose(x, [1, 0, 2])[:, :, None] if layout.windows == 0 else tf.transpose(x, [2, 0, 1])[..., None]


def loss(prediction: Array, y: Array, quantiles: tuple[float, ...], layout: AxisLayout) -> tuple[Array, Array]:
    """Return the losses of the windows, (windows, 1, networks), and their slope by the prediction: (windows, outputs, networks).

    prediction, y: (windows, outputs, networks), y the targets. quantiles: levels of the pinball loss (Koenker & Bassett 1978),
    output j has the level at j modulo their number; empty for the mean squared error.
    """
    feature_axis = layout.windows + 1
    outputs = y.shape[feature_axis]
    if not quantiles:
        error = prediction - y
        return tf.reduce_mean(error * error, feature_axis, keepdims=True), error * (2 / outputs)
    levels = layout.along_features(np.resize(np.array(quantiles, y.dtype.as_numpy_dtype), outputs))
    shortfall = y - prediction
    slope = tf.where(shortfall > 0, -levels, 1 - levels)
    return tf.reduce_mean(-slope * shortfall, feature_axis, keepdims=True), slope / outputs


def forward_pass(units: int, kernel: Array, bias: Array, sequence: Array, layout: AxisLayout) -> Trace:
    """Compute one layer step by step from the sequence of its inputs x, (steps, windows, features, networks).

    kernel: (features + units, columns, networks), with one step (features, columns, networks). bias: (1, columns, networks).
    Returns five arrays with an axis of steps: inputs (x and the h of the step before, joined along features; with one step x
    alone), gates, the cell before the step (None with one step), tanh of the cell after it, and h.
    """
    if sequence.shape[0] == 1:
        gates, _, cell_tanh, h = lstm_step(layout.product(sequence[0], kernel) + bias, None, units, layout)
        return sequence, gates[None], None, cell_tanh[None], h[None]
    shape = list(sequence.shape[1:])
    shape[layout.windows + 1] = units
    zero = tf.zeros(shape, kernel.dtype)

    def run_step(step_index: Array, previous_cell: Array, h: Array, *writers: Array) -> tuple[Array, ...]:
        inputs = layout.join(sequence[step_index], h)
        z = layout.product(inputs, kernel) + bias
        gates, new_cell, cell_tanh, new_h = lstm_step(z, previous_cell, units, layout)
        step_values = (inputs, gates, previous_cell, cell_tanh, new_h)
        writers = tuple(array.write(step_index, value) for array, value in zip(writers, step_values, strict=True))
        return step_index + 1, new_cell, new_h, *writers

    initial = (0, zero, zero, *[tf.TensorArray(kernel.dtype, sequence.shape[0]) for _ in range(5)])
    _, _, _, *writers = tf.while_loop(lambda step_index, *_: step_index < sequence.shape[0], run_step, initial)
    inputs, gates, previous_cells, cell_tanh, h = (array.stack() for array in writers)
    return inputs, gates, previous_cells, cell_tanh, h


def backward_pass(units: int, kernel: Array, trace: Trace, d_h: Array, layout: AxisLayout) -> tuple[Array, Array]:
    """Carry derivatives back through one layer (backpropagation through time, Werbos 1990).

    trace: as from `forward_pass`. d_h: derivative by the states h as far as other layers use them, (steps, windows, units,
    networks); where its first axis has one entry, it is that of the last state. Returns the derivatives by z, (steps, windows,
    columns, networks), and by x, (steps, windows, features, networks).
    """
    _, gates, previous_cells, cell_tanh, _ = trace
    if previous_cells is None:
        d_z, _ = backward_step(units, (gates[0], None, cell_tanh[0]), d_h[0], None, layout)
        return d_z[None], transposed_product(d_z, kernel, layout)[None]
    step_count, x_size = gates.shape[0], kernel.shape[layout.windows] - units
    zero = tf.zeros_like(previous_cells[0])

    def run_step(step_index: Array, d_later: Array, d_cell: Array, *writers: Array) -> tuple[Array, ...]:
        d_state = d_later if d_h.shape[0] == 1 else d_later + d_h[step_index]
        trace_of_step = (gates[step_index], previous_cells[step_index], cell_tanh[step_index])
        d_z, d_cell = backward_step(units, trace_of_step, d_state, d_cell, layout)
        d_inputs = transposed_product(d_z, kernel, layout)
        d_x, d_later = layout.columns(d_inputs, 0, x_size), layout.columns(d_inputs, x_size, x_size + units)
        return step_index - 1, d_later, d_cell, writers[0].write(step_index, d_z), writers[1].write(step_index, d_x)

    empty_writers = [tf.TensorArray(kernel.dtype, step_count) for _ in range(2)]
    initial = (step_count - 1, d_h[0] if d_h.shape[0] == 1 else zero, zero, *empty_writers)
    *_, d_z, d_x = tf.while_loop(lambda step_index, *_: step_index >= 0, run_step, initial)
    return d_z.stack(), d_x.stack()


def backward_step(
    units: int, trace_of_step: tuple[Array, Array | None, Array], d_h: Array, d_cell: Array | None, layout: AxisLayout
) -> tuple[Array, Array | None]:
    """Return the derivatives by z and by the cell before a step, from those by h and by the cell after it."""
    gates, previous_cell, cell_tanh = trace_of_step
    feature_axis = layout.windows + 1
    input_gate, *forget_gates, candidate, output_gate = tf.split(
        gates, gates.shape[feature_axis] // units, feature_axis
    )
    d_new_cell = d_h * output_gate * (1 - cell_tanh * cell_tanh)
    if d_cell is not None:
        d_new_cell = d_new_cell + d_cell
    d_input_gate = d_new_cell * candidate * input_gate * (1 - input_gate)
    d_candidate = d_new_cell * input_gate * (1 - candidate * candidate)
    d_output_gate = d_h * cell_tanh * output_gate * (1 - output_gate)
    if previous_cell is None:
        return tf.concat([d_input_gate, d_candidate, d_output_gate], feature_axis), None
    [forget_gate] = forget_gates
    d_forget_gate = d_new_cell * previous_cell * forget_gate * (1 - forget_gate)
    return tf.concat([d_input_gate, d_forget_gate, d_candidate, d_output_gate], feature_axis), d_new_cell * forget_gate


def transposed_product(d_z: Array, kernel: Array, layout: AxisLayout) -> Array:
    """Multiply (windows, columns, networks) by a transposed kernel (inputs, columns, networks): (windows, inputs, networks)."""
    if layout.networks == "first":
        return tf.matmul(d_z, kernel, transpose_b=True)
    return tf.reduce_sum(d_z[:, None] * kernel, 2)


def weight_gradient(inputs: Array, d_z: Array, layout: AxisLayout) -> Array:
    """Return the derivative by a kernel, the sum of inputs · d_z over steps and windows: (inputs, columns, networks).

    inputs: (steps, windows, inputs, networks). d_z: (steps, windows, columns, networks).
    """
    if layout.networks == "first":
        return exact_product(rows_of_network(inputs), rows_of_network(d_z))

    def product(step_index: Array) -> Array:
        x, d = inputs[step_index], d_z[step_index]
        return tf.reduce_sum(x[:, :, None] * d[:, None], 0)

    if d_z.shape[0] == 1:
        return product(0)
    initial = (0, tf.zeros([inputs.shape[2], *d_z.shape[2:]], d_z.dtype))
    return tf.while_loop(
        lambda index, _: index < d_z.shape[0], lambda index, total: (index + 1, total + product(index)), initial
    )[1]


def bias_gradient(d_z: Array, layout: AxisLayout) -> Array:
    """Return the derivative by a bias, the sum of d_z over steps and windows: (1, columns, networks)."""
    if d_z.shape[0] == 1 and d_z.shape[layout.windows + 1] == 1:
        return d_z[0]
    return tf.reduce_sum(d_z, [0, layout.windows + 1], keepdims=True)[0]


def rows_of_network(array: Array) -> Array:
    """Join the axes of steps and windows, in the layout "first": (networks, rows, features)."""
    step_count, network_count, window_count, feature_count = array.shape
    return tf.reshape(tf.transpose(array, [1, 0, 2, 3]), [network_count, step_count * window_count, feature_count])


def exact_product(x: Array, d: Array) -> Array:
    """Multiply (networks, rows, inputs) by (networks, rows, columns), with exact sums over rows: (networks, inputs, columns).

    TensorFlow splits the sums between its threads, so the last bits of float32 sums depend on the number of threads. Here both
    factors are rounded to grids so coarse that float64 holds every partial sum exactly, as in `arithmetic.matrix_product`.
    """
    if x.dtype == tf.float64:  # there is no type with more bits
        return tf.matmul(x, d, transpose_a=True)
    # Padding has derivatives of zero. Its x must not change the grid.
    x = tf.where(tf.reduce_any(d != 0, 2, keepdims=True), x, 0)
    return tf.cast(tf.matmul(on_grid(x), on_grid(d), transpose_a=True), x.dtype)


def on_grid(values: Array) -> Array:
    """Round (networks, rows, features) to multiples of a power of two, such that sums over rows are exact; returns float64.

    The largest value of a feature decides the power. It keeps 19 bits up to 32,767 rows, whatever the number of rows, which
    other networks may increase; beyond, it keeps fewer.
    """
    bits = min(GRID_BITS, (53 - int(values.shape[1]).bit_length()) // 2)
    largest = tf.reduce_max(tf.abs(tf.cast(values, tf.float32)), 1, keepdims=True)
    # A float32 with the exponent bits alone is the largest power of two that is not above the number.
    power = tf.bitcast(tf.bitwise.bitwise_and(tf.bitcast(largest, tf.int32), 0x7F800000), tf.float32)
    grid = tf.cast(power, tf.float64) * 2.0 ** (1 - bits)
    grid = tf.where(grid > 0, grid, 1.0)
    return tf.round(tf.cast(values, tf.float64) / grid) * grid
