"""Many small LSTM networks at once: their weights, and their predictions in plain NumPy.

One LSTM layer (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000, as Keras computes it):

    z = x·kernel + h·recurrent_kernel + bias
    input, forget, output = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o)        candidate = tanh(z_c)
    cell = forget · cell + input · candidate                                h = output · tanh(cell)

Every network has its own weights. Nothing here imports TensorFlow, so that reusing a network stays cheap.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from forecasting.lstm.arithmetic import NUMPY_FIRST, NUMPY_LAST, Array, AxisLayout, on_grid
from forecasting.lstm.random import WEIGHTS_STREAM, glorot_uniform, orthogonal, random_bits, unit_interval
from forecasting.lstm.tensorflow import start_tensorflow

if TYPE_CHECKING:
    import keras

Weights = dict[str, np.ndarray]
SUMMED_UNITS = 8  # up to so many units sums of long vectors win over matrix products, see docs/decisions/0003
WORK = 1 << 18  # numbers in the largest temporary array: 1 MiB of float32 stays in the cache


@dataclass(frozen=True)
class Architecture:
    """The shape of a network: LSTM layers one on top of the other, and a Dense head on the last state."""

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
        """Time steps that the LSTM walks through."""
        return 1 if self.look_back_as == "features" else self.look_back

    @property
    def features(self) -> int:
        """Numbers that enter at each time step."""
        return self.look_back if self.look_back_as == "features" else 1

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Tensor shapes of one network by name, in Keras' layout and gate order (input, forget, candidate, output)."""
        shapes: dict[str, tuple[int, ...]] = {}
        inputs = self.features
        for layer, units in enumerate(self.units):
            shapes[f"lstm_{layer}/kernel"] = (inputs, 4 * units)
            shapes[f"lstm_{layer}/recurrent_kernel"] = (units, 4 * units)
            shapes[f"lstm_{layer}/bias"] = (4 * units,)
            inputs = units
        shapes["dense/kernel"] = (inputs, self.outputs)
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
    counts = {name: 2 * int(np.prod(shape)) for name, shape in shapes.items() if name.endswith("kernel")}
    bits = [random_bits(seed, WEIGHTS_STREAM, sum(counts.values())) for seed in seeds]
    random_numbers = unit_interval(np.array(bits, dtype=np.uint64).reshape(len(seeds), sum(counts.values())))
    weights: Weights = {}
    start = 0
    for name, shape in shapes.items():
        if name in counts:
            draw = orthogonal if name.endswith("recurrent_kernel") else glorot_uniform
            weights[name] = draw(random_numbers[:, start : start + counts[name]], shape).astype(np.float32)
            start += counts[name]
        else:
            weights[name] = np.zeros((len(seeds), *shape), dtype=np.float32)
            if name.startswith("lstm"):
                weights[name][:, shape[0] // 4 : shape[0] // 2] = 1
    return weights


def condense(architecture: Architecture, weights: Weights) -> list[np.ndarray]:
    """List what can influence a prediction: kernel (n, inputs, columns) and bias (n, 1, columns) of layer after layer.

    Kernel and recurrent kernel are stacked, as they multiply (x, h). In a single time step that starts from zero the
    recurrent kernel and the forget gate meet only zeros: they are left out.
    """
    arrays = []
    for layer, units in enumerate(architecture.units):
        kernel, bias = weights[f"lstm_{layer}/kernel"], weights[f"lstm_{layer}/bias"]
        if architecture.time_steps == 1:
            columns = np.r_[0:units, 2 * units : 4 * units]
            kernel, bias = kernel[:, :, columns], bias[:, columns]
        else:
            kernel = np.concatenate([kernel, weights[f"lstm_{layer}/recurrent_kernel"]], axis=1)
        arrays += [kernel, bias[:, None, :]]
    return [*arrays, weights["dense/kernel"], weights["dense/bias"][:, None, :]]


def expand(architecture: Architecture, weights: Weights, condensed: list[np.ndarray]) -> Weights:
    """Undo `condense`: the weights with their influential parts replaced, the others as they were."""
    weights = {name: tensor.copy() for name, tensor in weights.items()}
    for layer, units in enumerate(architecture.units):
        kernel, bias = condensed[2 * layer], condensed[2 * layer + 1][:, 0]
        inputs = weights[f"lstm_{layer}/kernel"].shape[1]
        columns = np.r_[0:units, 2 * units : 4 * units] if architecture.time_steps == 1 else np.r_[0 : 4 * units]
        weights[f"lstm_{layer}/kernel"][:, :, columns] = kernel[:, :inputs]
        weights[f"lstm_{layer}/bias"][:, columns] = bias
        if architecture.time_steps > 1:
            weights[f"lstm_{layer}/recurrent_kernel"] = kernel[:, inputs:]
    return weights | {"dense/kernel": condensed[-2], "dense/bias": condensed[-1][:, 0]}


def condensed_shapes(architecture: Architecture) -> list[tuple[int, int]]:
    """Shapes of what `condense` lists, for one network."""
    none = {name: np.empty((0, *shape), dtype=np.float32) for name, shape in architecture.shapes.items()}
    return [array.shape[1:] for array in condense(architecture, none)]


def lstm_step(z: Array, cell: Array | None, units: int, layout: AxisLayout) -> tuple[Array, Array, Array, Array]:
    """Take one time step of one layer, from the gates' inputs z and the last cell (None: zero, before the first step).

    Returns the gates (in z's columns: input, forget unless condensed away, candidate, output), the new cell, its tanh
    and the state h. One tanh serves all gates: sigmoid(z) = tanh(z / 2) / 2 + 1 / 2.
    """
    width = z.shape[layout.windows + 1]
    scale = np.full(width, 0.5, dtype=z.dtype if isinstance(z, np.ndarray) else z.dtype.as_numpy_dtype)
    scale[width - 2 * units : width - units] = 1
    scale = layout.along_features(scale)
    gates = layout.tanh(z * scale) * scale + (1 - scale)
    new_cell = layout.columns(gates, 0, units) * layout.columns(gates, width - 2 * units, width - units)
    if cell is not None:
        new_cell = new_cell + layout.columns(gates, units, 2 * units) * cell
    cell_tanh = layout.tanh(new_cell)
    return gates, new_cell, cell_tanh, layout.columns(gates, width - units, width) * cell_tanh


def steps_of(architecture: Architecture, x: Array, layout: AxisLayout) -> list[Array]:
    """Cut windows into what enters at each time step: one step of all features, or steps of one feature."""
    if architecture.time_steps == 1:
        return [x]
    return [layout.columns(x, step, step + 1) for step in range(architecture.time_steps)]


def forward(architecture: Architecture, condensed: list[Array], x: Array, layout: AxisLayout) -> Array:
    """Predict from windows in a layout; condensed as from `condense`, in the same layout."""
    sequence = steps_of(architecture, x, layout)
    for layer, units in enumerate(architecture.units):
        kernel, bias = condensed[2 * layer], condensed[2 * layer + 1]
        h = cell = None
        for step, entering in enumerate(sequence):
            if h is not None:
                entering = layout.join(entering, h)
            z = layout.product(entering, kernel) + bias
            _, cell, _, h = lstm_step(z, cell, units, layout)
            sequence[step] = h
    return layout.product(sequence[-1], condensed[-2]) + condensed[-1]


def predict(architecture: Architecture, weights: Weights, windows: np.ndarray) -> np.ndarray:
    """Predict every window with its own network.

    windows: float32 (networks, windows, look_back). Returns float32 (networks, windows, outputs). A prediction has the
    same bits whatever else is predicted with it, and on every machine: all its operations are exactly rounded ones.
    """
    windows = np.asarray(windows, dtype=np.float32)
    networks, count, _ = windows.shape
    result = np.empty((networks, count, architecture.outputs), dtype=np.float32)
    condensed = condense(architecture, weights)
    width = 4 * max(architecture.units)
    rows = max(1, min(count, WORK // width))
    block = max(1, WORK // (width * rows))
    forward_block = forward_sums if max(architecture.units) <= SUMMED_UNITS else forward_products
    with np.errstate(all="ignore"):  # a diverged network predicts NaN
        for start in range(0, networks, block):
            part = slice(start, start + block)
            for first in range(0, count, rows):
                x = windows[part, first : first + rows]
                result[part, first : first + rows] = forward_block(architecture, [w[part] for w in condensed], x)
    return result


def forward_sums(architecture: Architecture, condensed: list[np.ndarray], x: np.ndarray) -> np.ndarray:
    """Predict in the layout "last": quick for few units."""
    condensed = [np.ascontiguousarray(array.transpose(1, 2, 0)) for array in condensed]
    x = np.ascontiguousarray(x.transpose(1, 2, 0))  # (windows, look_back, networks)
    return np.asarray(forward(architecture, condensed, x, NUMPY_LAST).transpose(2, 0, 1))


def forward_products(architecture: Architecture, condensed: list[np.ndarray], x: np.ndarray) -> np.ndarray:
    """Predict in the layout "first": quick for many units."""
    kernels = [on_grid(kernel, 1, kernel.shape[1]) for kernel in condensed[::2]]
    condensed = [array for pair in zip(kernels, condensed[1::2], strict=True) for array in pair]
    return np.asarray(forward(architecture, condensed, x, NUMPY_FIRST))


def to_keras(architecture: Architecture, weights: Weights, position: int) -> "keras.Sequential":
    """Hand out the network at a position as an ordinary Keras model, `Sequential([LSTM, ..., Dense])`.

    Its input is (windows, time steps, features): reshape (windows, look_back) to (-1, 1, look_back) when look_back is
    read as features, to (-1, look_back, 1) when it is read as steps.
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
