"""One network for many series: its architecture, its initial weights, and its predictions in NumPy.

    sequence → LSTM → LSTM ┐
    static inputs → tanh   ┴→ last states of both LSTM layers and the tanh layer → linear head → outputs

Nothing here imports TensorFlow.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from forecasting.lstm.arithmetic import NUMPY_FIRST, matrix_product, on_grid, rational_tanh
from forecasting.lstm.prediction import lstm_step
from forecasting.lstm.weights import Weights, draw_weights

BLOCK = 512  # rows predicted at a time: temporary arrays stay in the cache


@dataclass(frozen=True)
class SingleArchitecture:
    """The architecture of the network.

    features: numbers that enter at each time step. static_inputs: numbers that enter once. units: of each of the two LSTM
    layers and of the tanh layer.
    """

    time_steps: int
    features: int
    static_inputs: int
    units: int
    outputs: int

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Tensor shapes by name, in Keras' layout and gate order (input, forget, candidate, output)."""
        units = self.units
        return {
            "lstm_0/kernel": (self.features, 4 * units),
            "lstm_0/recurrent_kernel": (units, 4 * units),
            "lstm_0/bias": (4 * units,),
            "lstm_1/kernel": (units, 4 * units),
            "lstm_1/recurrent_kernel": (units, 4 * units),
            "lstm_1/bias": (4 * units,),
            "facts/kernel": (self.static_inputs, units),
            "facts/bias": (units,),
            "head/kernel": (3 * units, self.outputs),
            "head/bias": (self.outputs,),
        }


def initial_single_weights(architecture: SingleArchitecture, seed: np.uint64) -> Weights:
    """Return the weights from which training starts: Keras' defaults, but a head of zeros, so that all outputs are 0."""
    weights = {name: tensor[0] for name, tensor in draw_weights(architecture.shapes, np.array([seed])).items()}
    weights["head/kernel"][:] = 0
    return weights


def predict_single(
    architecture: SingleArchitecture, weights: Weights, sequences: np.ndarray, static_inputs: np.ndarray
) -> np.ndarray:
    """Predict from sequences (rows, time steps, features) and static inputs (rows, static inputs): float32 (rows, outputs).

    A row has the same bits whatever else is predicted with it: products are exact, see `arithmetic.matrix_product`.
    """
    lstm_kernels = [
        np.concatenate([weights[f"lstm_{layer}/kernel"], weights[f"lstm_{layer}/recurrent_kernel"]]) for layer in (0, 1)
    ]
    kernels = [
        on_grid(kernel[None], 1, kernel.shape[0])
        for kernel in (*lstm_kernels, weights["facts/kernel"], weights["head/kernel"])
    ]
    outputs = np.empty((len(sequences), architecture.outputs), dtype=np.float32)
    for first_row in range(0, len(sequences), BLOCK):
        block_rows = slice(first_row, first_row + BLOCK)
        inputs = sequences[block_rows].astype(np.float32), static_inputs[block_rows].astype(np.float32)
        outputs[block_rows] = _predict_block(architecture, weights, kernels, *inputs)
    return outputs


def _predict_block(
    architecture: SingleArchitecture,
    weights: Weights,
    kernels: list[np.ndarray],
    sequences: np.ndarray,
    static_inputs: np.ndarray,
) -> Any:
    """Predict one block of rows; kernels: of both LSTM layers, the tanh layer and the head, on their grids."""
    inputs = [sequences[None, :, step] for step in range(architecture.time_steps)]
    last_states = []
    for layer in (0, 1):
        h = cell = None
        for step, x in enumerate(inputs):
            joined = x if h is None else np.concatenate([x, h], axis=2)
            z = matrix_product(joined, kernels[layer]) + weights[f"lstm_{layer}/bias"]
            _, cell, _, h = lstm_step(z, cell, architecture.units, NUMPY_FIRST)
            inputs[step] = h
        last_states.append(inputs[-1])
    static_states = rational_tanh(matrix_product(static_inputs[None], kernels[2]) + weights["facts/bias"])
    head_inputs = np.concatenate([*last_states, static_states], axis=2)
    return (matrix_product(head_inputs, kernels[3]) + weights["head/bias"])[0]
