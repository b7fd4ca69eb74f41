"""Forward pass of many small LSTM networks: for training in TensorFlow, for predictions in NumPy; and networks as Keras models.

One LSTM layer (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000, as Keras computes it):

    z = x · kernel + h · recurrent_kernel + bias
    input, forget, output = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o)        candidate = tanh(z_c)
    cell = forget · cell + input · candidate                                h = output · tanh(cell)

TensorFlow is imported for a Keras model only, so predictions start fast.
"""

from typing import TYPE_CHECKING

import numpy as np

from forecasting.lstm.arithmetic import NUMPY_FIRST, NUMPY_LAST, SUMMED_UNITS, Array, AxisLayout, on_grid
from forecasting.lstm.tensorflow import start_tensorflow
from forecasting.lstm.weights import Architecture, Weights, condense

if TYPE_CHECKING:
    import keras

BLOCK = 1 << 18  # numbers in the largest temporary array: 1 MiB of float32 stays in the cache


def lstm_step(z: Array, cell: Array | None, units: int, layout: AxisLayout) -> tuple[Array, Array, Array, Array]:
    """Compute one time step of one layer from z and the cell before; None: zero, at the first step.

    Returns gates, in the columns of z (input, forget unless condensed away, candidate, output), the new cell, its tanh and
    the state h. In the layout "last" z and gates are (windows, gate columns, networks), the others (windows, units, networks).
    """
    gate_width = z.shape[layout.windows + 1]
    # One tanh computes all gates: sigmoid(z) = tanh(z / 2) / 2 + 1 / 2.
    gate_scale = np.full(gate_width, 0.5, dtype=z.dtype if isinstance(z, np.ndarray) else z.dtype.as_numpy_dtype)
    gate_scale[gate_width - 2 * units : gate_width - units] = 1
    gate_scale = layout.along_features(gate_scale)
    gates = layout.tanh(z * gate_scale) * gate_scale + (1 - gate_scale)
    new_cell = layout.columns(gates, 0, units) * layout.columns(gates, gate_width - 2 * units, gate_width - units)
    if cell is not None:
        new_cell = new_cell + layout.columns(gates, units, 2 * units) * cell
    cell_tanh = layout.tanh(new_cell)
    return gates, new_cell, cell_tanh, layout.columns(gates, gate_width - units, gate_width) * cell_tanh


def forward(architecture: Architecture, condensed: list[Array], x: Array, layout: AxisLayout) -> Array:
    """Predict from windows x; x, the arrays of `condense` and the result, with outputs as features, are in the layout."""
    sequence = [x]
    if architecture.time_steps > 1:
        sequence = [layout.columns(x, step, step + 1) for step in range(architecture.time_steps)]
    for layer, units in enumerate(architecture.units):
        kernel, bias = condensed[2 * layer], condensed[2 * layer + 1]
        h = cell = None
        for step, step_input in enumerate(sequence):
            joined = step_input if h is None else layout.join(step_input, h)
            z = layout.product(joined, kernel) + bias
            _, cell, _, h = lstm_step(z, cell, units, layout)
            sequence[step] = h
    return layout.product(sequence[-1], condensed[-2]) + condensed[-1]


def predict(architecture: Architecture, weights: Weights, windows: np.ndarray) -> np.ndarray:
    """Predict from each window by its own network: float32 (networks, windows, outputs).

    windows: float32 (networks, windows, look_back). A prediction has the same bits whatever else is predicted with it, and
    on every machine: the result of each operation is exact, but for one rounding.
    """
    windows = np.asarray(windows, dtype=np.float32)
    network_count, window_count, _ = windows.shape
    outputs = np.empty((network_count, window_count, architecture.outputs), dtype=np.float32)
    condensed = condense(architecture, weights)
    gate_width = 4 * max(architecture.units)
    windows_at_once = max(1, min(window_count, BLOCK // gate_width))
    networks_at_once = max(1, BLOCK // (gate_width * windows_at_once))
    forward_block = forward_sums if max(architecture.units) <= SUMMED_UNITS else forward_products
    with np.errstate(all="ignore"):  # a diverged network predicts NaN
        for first_network in range(0, network_count, networks_at_once):
            network_slice = slice(first_network, first_network + networks_at_once)
            for first_window in range(0, window_count, windows_at_once):
                part = network_slice, slice(first_window, first_window + windows_at_once)
                outputs[part] = forward_block(
                    architecture, [array[network_slice] for array in condensed], windows[part]
                )
    return outputs


def forward_sums(architecture: Architecture, condensed: list[np.ndarray], x: np.ndarray) -> np.ndarray:
    """Predict in the layout "last", which is fast for few units; arguments and result have the axis of networks first."""
    condensed_last = [np.ascontiguousarray(array.transpose(1, 2, 0)) for array in condensed]
    x_last = np.ascontiguousarray(x.transpose(1, 2, 0))  # (windows, look_back, networks)
    return np.asarray(forward(architecture, condensed_last, x_last, NUMPY_LAST).transpose(2, 0, 1))


def forward_products(architecture: Architecture, condensed: list[np.ndarray], x: np.ndarray) -> np.ndarray:
    """Predict in the layout "first", which is fast for many units."""
    kernels = [on_grid(kernel, 1, kernel.shape[1]) for kernel in condensed[::2]]
    condensed_on_grids = [array for pair in zip(kernels, condensed[1::2], strict=True) for array in pair]
    return np.asarray(forward(architecture, condensed_on_grids, x, NUMPY_FIRST))


def to_keras(architecture: Architecture, weights: Weights, position: int) -> "keras.Sequential":
    """Return the network at a position as a Keras model, `Sequential([LSTM, ..., Dense])`.

    Its input is (windows, time steps, features). Reshape windows (windows, look_back) to (-1, 1, look_back) where look_back_as
    is "features", to (-1, look_back, 1) where it is "steps".
    """
    start_tensorflow()
    import keras

    last = len(architecture.units) - 1
    model = keras.Sequential(
        [
            keras.Input((architecture.time_steps, architecture.features)),
            *(
                keras.layers.LSTM(units, return_sequences=layer < last)
                for layer, units in enumerate(architecture.units)
            ),
            keras.layers.Dense(architecture.outputs),
        ]
    )
    model.set_weights([weights[name][position] for name in architecture.shapes])
    return model
