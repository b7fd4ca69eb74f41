"""The way forward and back through a shared network, in NumPy, for one batch.

The batch is the last axis: gates, states and their derivatives are rows that lie side by side in memory, and every
product is one large matrix product, which NumPy's BLAS does several times as fast as a compiled TensorFlow program
(docs/decisions). A layer is one matrix, its bias the last row and met by an input of ones.
"""

from dataclasses import dataclass

import numpy as np

from forecasting.lstm.single.network import SingleArchitecture


@dataclass(frozen=True)
class Trace:
    """What the way back needs of one LSTM layer.

    entering: (steps, features + units + 1, batch) input, last state and a row of ones; gates: (steps, 4 units, batch) in
    Keras' order input, forget, candidate, output; cells and their tanh: (steps, units, batch).
    """

    entering: np.ndarray
    gates: np.ndarray
    cells: np.ndarray
    cell_tanhs: np.ndarray

    @classmethod
    def empty(cls, shape: SingleArchitecture, features: int, batch: int) -> "Trace":
        """Make room for a batch, to be used again and again."""
        entering = np.zeros((shape.steps, features + shape.units + 1, batch), np.float32)
        entering[:, -1] = 1
        gates = np.empty((shape.steps, 4 * shape.units, batch), np.float32)
        states = np.empty((2, shape.steps, shape.units, batch), np.float32)
        return cls(entering, gates, *states)


def matrices(shape: SingleArchitecture, flat: np.ndarray) -> list[np.ndarray]:
    """View the weights, flat in the order of `Shape.shapes`, as layers (inputs + 1, outputs): two LSTMs, facts, head."""
    tall = [shape.features + shape.units, 2 * shape.units, shape.facts, 3 * shape.units]
    wide = [4 * shape.units, 4 * shape.units, shape.units, shape.outputs]
    ends = np.cumsum([(rows + 1) * columns for rows, columns in zip(tall, wide, strict=True)])
    return [part.reshape(-1, columns) for part, columns in zip(np.split(flat, ends[:-1]), wide, strict=True)]


def loss_and_gradients(
    weights: list[np.ndarray],
    traces: list[Trace],
    batch: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    levels: np.ndarray,
    gradients: list[np.ndarray],
) -> float:
    """Return the mean pinball loss of a batch (Koenker & Bassett 1978), and write its derivative by every weight.

    weights, gradients: as from `matrices`. batch: steps (steps, features, batch); facts (facts, batch); targets
    (horizon, batch), NaN where there is none; importance (batch,) what each row's loss counts.
    """
    steps, facts, targets, importance = batch
    first, second = traces
    features, units = steps.shape[1], len(second.cells[0])
    first.entering[:, :features] = steps
    walk_forward(weights[0], first, below=None)
    walk_forward(weights[1], second, below=first)
    known_facts = np.concatenate([facts, np.ones_like(facts[:1])])
    hidden = np.tanh(weights[2].T @ known_facts)
    last = [trace.gates[-1, 3 * units :] * trace.cell_tanhs[-1] for trace in traces]
    seen = np.concatenate([*last, hidden, known_facts[-1:]])
    said = (weights[3].T @ seen).reshape(len(targets), len(levels), -1)
    loss, d_said = pinball(said, targets, importance, levels)
    np.matmul(seen, d_said.T, out=gradients[3])
    d_first, d_second, d_hidden = np.split(weights[3][:-1] @ d_said, 3)
    np.matmul(known_facts, (d_hidden * (1 - hidden * hidden)).T, out=gradients[2])
    d_above = np.zeros_like(first.cells)
    d_above[-1] = d_second
    d_above = walk_back(weights[1], second, d_above, gradients[1])
    d_above[-1] += d_first
    walk_back(weights[0], first, d_above, gradients[0])
    return loss


def pinball(
    said: np.ndarray, targets: np.ndarray, importance: np.ndarray, levels: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the loss of quantiles (horizon, levels, batch) and its derivative (horizon · levels, batch)."""
    error = targets[:, None] - said
    known = ~np.isnan(targets)[:, None]
    share = np.where(known, importance / known.sum(), 0).astype(np.float32)
    slope = np.where(error > 0, levels[:, None], levels[:, None] - 1)
    loss = float((np.where(known, slope * error, 0) * share).sum())
    return loss, (-slope * share).reshape(-1, len(importance))


def walk_forward(kernel: np.ndarray, trace: Trace, below: Trace | None) -> None:
    """Walk one layer through the steps and keep its trace; below: the layer whose states enter, None for the first."""
    steps, units, _ = trace.cells.shape
    inputs = trace.entering.shape[1] - units - 1
    # One tanh serves all gates: sigmoid(z) = tanh(z / 2) / 2 + 1 / 2.
    half = np.repeat(np.array([0.5, 0.5, 1, 0.5], np.float32), units)
    columns = np.ascontiguousarray((kernel * half).T)
    half = half[:, None]
    cell = np.zeros_like(trace.cells[0])
    for step in range(steps):
        entering, gates = trace.entering[step], trace.gates[step]
        if below is not None:
            np.multiply(below.gates[step, -units:], below.cell_tanhs[step], out=entering[:inputs])
        np.matmul(columns, entering, out=gates)
        np.tanh(gates, out=gates)
        gates *= half
        gates += 1 - half
        put_in, forget, candidate, put_out = gates.reshape(4, units, -1)
        np.multiply(forget, cell, out=trace.cells[step])
        cell = trace.cells[step]
        cell += put_in * candidate
        np.tanh(cell, out=trace.cell_tanhs[step])
        if step + 1 < steps:
            np.multiply(put_out, trace.cell_tanhs[step], out=trace.entering[step + 1, inputs:-1])


def walk_back(kernel: np.ndarray, trace: Trace, d_above: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Carry derivatives by the states (steps, units, batch) back: write that by the kernel, return those by the inputs."""
    steps, units, _ = trace.cells.shape
    inputs = len(kernel) - units - 1
    d_inputs = np.empty((steps, inputs, d_above.shape[2]), np.float32)
    d_gates = np.empty_like(trace.gates[0])
    d_in, d_forget, d_candidate, d_out = d_gates.reshape(4, units, -1)
    d_state, d_cell = np.zeros_like(d_above[0]), np.zeros_like(d_above[0])
    gradient[:] = 0
    for step in range(steps - 1, -1, -1):
        put_in, forget, candidate, put_out = trace.gates[step].reshape(4, units, -1)
        tanh = trace.cell_tanhs[step]
        d_state += d_above[step]
        np.multiply(d_state, tanh, out=d_out)
        d_state *= put_out
        d_cell += d_state * (1 - tanh * tanh)
        np.multiply(d_cell, candidate, out=d_in)
        np.multiply(d_cell, trace.cells[step - 1] if step else 0, out=d_forget)
        np.multiply(d_cell, put_in, out=d_candidate)
        for d_gate, gate in ((d_in, put_in), (d_forget, forget), (d_out, put_out)):
            d_gate *= gate
            d_gate *= 1 - gate
        d_candidate *= 1 - candidate * candidate
        d_cell *= forget
        gradient += trace.entering[step] @ d_gates.T
        back = kernel[:-1] @ d_gates
        d_inputs[step], d_state = back[:inputs], back[inputs:]
    return d_inputs
