"""Weights of many small LSTM networks: their architecture, their initial values, and the part that predictions use.

All networks of a call have one architecture, and each has its own weights: the first axis of every tensor is that of networks.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecasting.lstm.random import WEIGHTS_STREAM, glorot_uniform, orthogonal, random_bits, unit_interval

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Architecture:
    """The architecture of a network: LSTM layers one on top of the other, and a linear head on the last state.

    look_back: numbers in a window. look_back_as: whether they enter together, as features of one time step, or one by one,
    as time steps. units: of each LSTM layer.
    """

    look_back: int
    units: tuple[int, ...]
    look_back_as: Literal["features", "steps"] = "features"
    outputs: int = 1

    def __post_init__(self) -> None:
        if self.look_back < 1 or self.outputs < 1 or not self.units or min(self.units) < 1:
            raise ValueError("look_back, outputs and every entry of units must be at least 1")
        if self.look_back_as not in ("features", "steps"):
            raise ValueError(f"look_back_as must be 'features' or 'steps', not {self.look_back_as!r}")

    @property
    def time_steps(self) -> int:
        """Number of time steps of the LSTM layers."""
        return 1 if self.look_back_as == "features" else self.look_back

    @property
    def features(self) -> int:
        """Numbers that enter at each time step."""
        return self.look_back if self.look_back_as == "features" else 1

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Tensor shapes of one network by name, in Keras' layout and gate order (input, forget, candidate, output)."""
        shapes: dict[str, tuple[int, ...]] = {}
        input_count = self.features
        for layer, units in enumerate(self.units):
            shapes[f"lstm_{layer}/kernel"] = (input_count, 4 * units)
            shapes[f"lstm_{layer}/recurrent_kernel"] = (units, 4 * units)
            shapes[f"lstm_{layer}/bias"] = (4 * units,)
            input_count = units
        shapes["dense/kernel"] = (input_count, self.outputs)
        shapes["dense/bias"] = (self.outputs,)
        return shapes


def initial_weights(architecture: Architecture, seeds: np.ndarray) -> Weights:
    """Return Keras' default initial weights of each network, from its seed; see `draw_weights`."""
    return draw_weights(architecture.shapes, seeds)


def draw_weights(shapes: dict[str, tuple[int, ...]], seeds: np.ndarray) -> Weights:
    """Return Keras' default initial weights for tensors of these names and shapes: float32 (networks, *shape).

    seeds: uint64 (networks,); a seed gives the same network whatever the other seeds are. Kernels are Glorot uniform, recurrent
    kernels orthogonal, biases zero, but one for the forget gate of an LSTM layer (Jozefowicz et al. 2015).
    """
    seeds = np.asarray(seeds, dtype=np.uint64)
    number_counts = {name: 2 * int(np.prod(shape)) for name, shape in shapes.items() if name.endswith("kernel")}
    bits = [random_bits(seed, WEIGHTS_STREAM, sum(number_counts.values())) for seed in seeds]
    random_numbers = unit_interval(np.array(bits, dtype=np.uint64).reshape(len(seeds), sum(number_counts.values())))
    weights: Weights = {}
    first = 0
    for name, shape in shapes.items():
        if name in number_counts:
            draw = orthogonal if name.endswith("recurrent_kernel") else glorot_uniform
            weights[name] = draw(random_numbers[:, first : first + number_counts[name]], shape).astype(np.float32)
            first += number_counts[name]
        else:
            weights[name] = np.zeros((len(seeds), *shape), dtype=np.float32)
            if name.startswith("lstm"):
                weights[name][:, shape[0] // 4 : shape[0] // 2] = 1
    return weights


def condense(architecture: Architecture, weights: Weights) -> list[np.ndarray]:
    """List the weights that predictions use: kernel (networks, inputs, outputs) and bias (networks, 1, outputs) of each layer.

    Kernel and recurrent kernel of an LSTM layer are stacked: together they multiply (x, h). With one time step, the state h
    and the cell before it are zero, so the recurrent kernel and the outputs of the forget gate are left out.
    """
    arrays = []
    for layer, units in enumerate(architecture.units):
        kernel, bias = weights[f"lstm_{layer}/kernel"], weights[f"lstm_{layer}/bias"]
        if architecture.time_steps == 1:
            used_gates = np.r_[0:units, 2 * units : 4 * units]
            kernel, bias = kernel[:, :, used_gates], bias[:, used_gates]
        else:
            kernel = np.concatenate([kernel, weights[f"lstm_{layer}/recurrent_kernel"]], axis=1)
        arrays += [kernel, bias[:, None, :]]
    return [*arrays, weights["dense/kernel"], weights["dense/bias"][:, None, :]]


def expand(architecture: Architecture, weights: Weights, condensed: list[np.ndarray]) -> Weights:
    """Return a copy of weights with the values of `condensed`; weights that `condense` leaves out keep their values."""
    weights = {name: tensor.copy() for name, tensor in weights.items()}
    for layer, units in enumerate(architecture.units):
        kernel, bias = condensed[2 * layer], condensed[2 * layer + 1][:, 0]
        input_count = weights[f"lstm_{layer}/kernel"].shape[1]
        used_gates = np.r_[0:units, 2 * units : 4 * units] if architecture.time_steps == 1 else np.r_[0 : 4 * units]
        weights[f"lstm_{layer}/kernel"][:, :, used_gates] = kernel[:, :input_count]
        weights[f"lstm_{layer}/bias"][:, used_gates] = bias
        if architecture.time_steps > 1:
            weights[f"lstm_{layer}/recurrent_kernel"] = kernel[:, input_count:]
    return weights | {"dense/kernel": condensed[-2], "dense/bias": condensed[-1][:, 0]}


def condensed_shapes(architecture: Architecture) -> list[tuple[int, int]]:
    """Shapes of the arrays of `condense` for one network."""
    empty = {name: np.empty((0, *shape), dtype=np.float32) for name, shape in architecture.shapes.items()}
    return [array.shape[1:] for array in condense(architecture, empty)]
