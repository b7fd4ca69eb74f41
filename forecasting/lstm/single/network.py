"""One network for many series: its shape, its first weights, and its predictions in plain NumPy.

    steps → LSTM → LSTM, the last states of both and of a Dense(tanh) layer over the facts → Dense: all horizons × quantiles

The first weights of the head are zero: an untrained network says the base path. Nothing here imports TensorFlow.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from forecasting.lstm.arithmetic import NUMPY_FIRST, matrix_product, on_grid, rational_tanh
from forecasting.lstm.random import glorot_uniform, orthogonal, random_bits, unit_interval
from forecasting.lstm.weights import Weights, lstm_step

BLOCK = 512  # rows predicted together: temporary arrays stay in the cache


@dataclass(frozen=True)
class SingleArchitecture:
    """The shape of a shared network: features per time step, facts beside them, units per layer, and outputs."""

    steps: int
    features: int
    facts: int
    units: int
    outputs: int

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Tensor shapes by name; kernels of the LSTM layers multiply (x, h), gates as in Keras."""
        units = self.units
        return {
            "lstm_0/kernel": (self.features, 4 * units),
            "lstm_0/recurrent_kernel": (units, 4 * units),
            "lstm_0/bias": (4 * units,),
            "lstm_1/kernel": (units, 4 * units),
            "lstm_1/recurrent_kernel": (units, 4 * units),
            "lstm_1/bias": (4 * units,),
            "facts/kernel": (self.facts, units),
            "facts/bias": (units,),
            "head/kernel": (3 * units, self.outputs),
            "head/bias": (self.outputs,),
        }


def first_weights(shape: SingleArchitecture, seed: np.uint64) -> Weights:
    """Draw the weights that training starts from: Keras' defaults, and zero for the head."""
    shapes = shape.shapes
    draws = {name: 2 * int(np.prod(size)) for name, size in shapes.items() if name.endswith("kernel")}
    uniform = unit_interval(random_bits(seed, 0, sum(draws.values())))[None]
    weights: Weights = {}
    start = 0
    for name, size in shapes.items():
        if name not in draws or name.startswith("head"):
            weights[name] = np.zeros(size, dtype=np.float32)
            if name.startswith("lstm"):
                weights[name][shape.units : 2 * shape.units] = 1
            continue
        draw = orthogonal if name.endswith("recurrent_kernel") else glorot_uniform
        weights[name] = draw(uniform[:, start : start + draws[name]], size)[0].astype(np.float32)
        start += draws[name]
    return weights


def predict_single(shape: SingleArchitecture, weights: Weights, steps: np.ndarray, facts: np.ndarray) -> np.ndarray:
    """Predict from steps (rows, steps, features) and facts (rows, facts): float32 (rows, outputs).

    A row has the same bits whatever else is predicted with it: products are exact, see `layouts.matrix_product`.
    """
    stacked = [
        np.concatenate([weights[f"lstm_{layer}/kernel"], weights[f"lstm_{layer}/recurrent_kernel"]]) for layer in (0, 1)
    ]
    kernels = [
        on_grid(kernel[None], 1, kernel.shape[0])
        for kernel in (*stacked, weights["facts/kernel"], weights["head/kernel"])
    ]
    result = np.empty((len(steps), shape.outputs), dtype=np.float32)
    for start in range(0, len(steps), BLOCK):
        rows = slice(start, start + BLOCK)
        result[rows] = _predict_block(
            shape, weights, kernels, steps[rows].astype(np.float32), facts[rows].astype(np.float32)
        )
    return result


def _predict_block(
    shape: SingleArchitecture, weights: Weights, kernels: list[np.ndarray], steps: np.ndarray, facts: np.ndarray
) -> Any:
    sequence = [steps[None, :, step] for step in range(shape.steps)]
    last = []
    for layer in (0, 1):
        h = cell = None
        for step, entering in enumerate(sequence):
            joined = entering if h is None else np.concatenate([entering, h], axis=2)
            z = matrix_product(joined, kernels[layer]) + weights[f"lstm_{layer}/bias"]
            _, cell, _, h = lstm_step(z, cell, shape.units, NUMPY_FIRST)
            sequence[step] = h
        last.append(sequence[-1])
    hidden = rational_tanh(matrix_product(facts[None], kernels[2]) + weights["facts/bias"])
    return (matrix_product(np.concatenate([*last, hidden], axis=2), kernels[3]) + weights["head/bias"])[0]
