"""Forward and backward pass of one network over one batch, in NumPy.

The batch is the last axis. So the gates, states and derivatives of a batch lie side by side in memory, and each product is one
large matrix product, several times as fast in NumPy's BLAS as in a compiled TensorFlow program (docs/decisions). Each
layer is one matrix, whose last row is the bias; the last row of its input is ones. A name d_x: the derivative of the loss by x.
"""

from dataclasses import dataclass

import numpy as np

from forecasting.lstm.single.network import SingleArchitecture


@dataclass(frozen=True)
class Trace:
    """Values of one LSTM layer's forward pass that its backward pass needs; time steps are the first axis.

    inputs: (steps, features + units + 1, batch), input x, last state h and a row of ones. gates: (steps, 4 · units, batch) in
    Keras' order input, forget, candidate, output. cells, cell_tanhs: (steps, units, batch), cells and their tanh.
    """

    inputs: np.ndarray
    gates: np.ndarray
    cells: np.ndarray
    cell_tanhs: np.ndarray

    @classmethod
    def empty(cls, architecture: SingleArchitecture, feature_count: int, batch_size: int) -> "Trace":
        """Allocate the arrays for a batch; every batch uses the same ones."""
        step_count, units = architecture.time_steps, architecture.units
        inputs = np.zeros((step_count, feature_count + units + 1, batch_size), np.float32)
        inputs[:, -1] = 1
        gates = np.empty((step_count, 4 * units, batch_size), np.float32)
        return cls(inputs, gates, *np.empty((2, step_count, units, batch_size), np.float32))


def layer_matrices(architecture: SingleArchitecture, flat: np.ndarray) -> list[np.ndarray]:
    """View flat weights as one matrix (inputs + 1, outputs) for each layer: two LSTM layers, tanh layer, head.

    flat: (weights,), all tensors one after the other in the order of `SingleArchitecture.shapes`.
    """
    units = architecture.units
    inputs = [architecture.features + units, 2 * units, architecture.static_inputs, 3 * units]
    outputs = [4 * units, 4 * units, units, architecture.outputs]
    ends = np.cumsum([(rows + 1) * columns for rows, columns in zip(inputs, outputs, strict=True)])
    return [part.reshape(-1, columns) for part, columns in zip(np.split(flat, ends[:-1]), outputs, strict=True)]


def loss_and_gradients(
    weights: list[np.ndarray],
    traces: list[Trace],
    batch: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    levels: np.ndarray,
    gradients: list[np.ndarray],
) -> float:
    """Return the mean pinball loss of a batch, and write its derivative by every weight into gradients.

    weights, gradients: as from `layer_matrices`. batch: sequences (steps, features, batch), static inputs (static inputs,
    batch), targets (horizon, batch), NaN where there is none, and loss weights (batch,). levels: (levels,) of the quantiles.
    """
    sequences, static_inputs, targets, loss_weights = batch
    first_trace, second_trace = traces
    feature_count, units = sequences.shape[1], len(second_trace.cells[0])
    first_trace.inputs[:, :feature_count] = sequences
    forward_pass(weights[0], first_trace, below=None)
    forward_pass(weights[1], second_trace, below=first_trace)
    static_with_ones = np.concatenate([static_inputs, np.ones_like(static_inputs[:1])])
    static_states = np.tanh(weights[2].T @ static_with_ones)
    last_states = [trace.gates[-1, 3 * units :] * trace.cell_tanhs[-1] for trace in traces]
    head_inputs = np.concatenate([*last_states, static_states, static_with_ones[-1:]])
    quantiles = (weights[3].T @ head_inputs).reshape(len(targets), len(levels), -1)
    loss, d_quantiles = pinball_loss(quantiles, targets, loss_weights, levels)
    np.matmul(head_inputs, d_quantiles.T, out=gradients[3])
    d_first_states, d_second_states, d_static_states = np.split(weights[3][:-1] @ d_quantiles, 3)
    np.matmul(static_with_ones, (d_static_states * (1 - static_states * static_states)).T, out=gradients[2])
    d_states = np.zeros_like(first_trace.cells)
    d_states[-1] = d_second_states
    d_states = backward_pass(weights[1], second_trace, d_states, gradients[1])
    d_states[-1] += d_first_states
    backward_pass(weights[0], first_trace, d_states, gradients[0])
    return loss


def pinball_loss(
    quantiles: np.ndarray, targets: np.ndarray, loss_weights: np.ndarray, levels: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the loss of quantiles (horizon, levels, batch), and its derivative by them: (horizon · levels, batch).

    Pinball loss of level τ (Koenker & Bassett 1978), with the shortfall s = target - quantile: τ s where s > 0, else (τ - 1) s.
    targets, loss_weights, levels: as for `loss_and_gradients`.
    """
    shortfalls = targets[:, None] - quantiles
    has_target = ~np.isnan(targets)[:, None]
    shares = np.where(has_target, loss_weights / has_target.sum(), 0).astype(np.float32)
    slopes = np.where(shortfalls > 0, levels[:, None], levels[:, None] - 1)
    loss = float((np.where(has_target, slopes * shortfalls, 0) * shares).sum())
    return loss, (-slopes * shares).reshape(-1, len(loss_weights))


def forward_pass(kernel: np.ndarray, trace: Trace, below: Trace | None) -> None:
    """Compute one LSTM layer step by step, and write its trace.

    kernel: (features + units + 1, 4 · units). below: trace of the layer whose states are the input; None for the first layer,
    whose input is in trace.inputs already.
    """
    step_count, units, _ = trace.cells.shape
    feature_count = trace.inputs.shape[1] - units - 1
    # One tanh computes all gates: sigmoid(z) = tanh(z / 2) / 2 + 1 / 2.
    gate_scale = np.repeat(np.array([0.5, 0.5, 1, 0.5], np.float32), units)
    scaled_kernel = np.ascontiguousarray((kernel * gate_scale).T)
    gate_scale = gate_scale[:, None]
    cell = np.zeros_like(trace.cells[0])
    for step in range(step_count):
        inputs, gates = trace.inputs[step], trace.gates[step]
        if below is not None:
            np.multiply(below.gates[step, -units:], below.cell_tanhs[step], out=inputs[:feature_count])
        np.matmul(scaled_kernel, inputs, out=gates)
        np.tanh(gates, out=gates)
        gates *= gate_scale
        gates += 1 - gate_scale
        input_gate, forget_gate, candidate, output_gate = gates.reshape(4, units, -1)
        np.multiply(forget_gate, cell, out=trace.cells[step])
        cell = trace.cells[step]
        cell += input_gate * candidate
        np.tanh(cell, out=trace.cell_tanhs[step])
        if step + 1 < step_count:
            np.multiply(output_gate, trace.cell_tanhs[step], out=trace.inputs[step + 1, feature_count:-1])


def backward_pass(kernel: np.ndarray, trace: Trace, d_states: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Carry derivatives back through one LSTM layer (backpropagation through time, Werbos 1990); kernel as for `forward_pass`.

    d_states: (steps, units, batch), derivative by the states h as far as other layers use them. Writes the derivative by the
    kernel into gradient, and returns the one by the input x: (steps, features, batch).
    """
    step_count, units, _ = trace.cells.shape
    feature_count = len(kernel) - units - 1
    d_x = np.empty((step_count, feature_count, d_states.shape[2]), np.float32)
    d_gates = np.empty_like(trace.gates[0])
    d_input_gate, d_forget_gate, d_candidate, d_output_gate = d_gates.reshape(4, units, -1)
    d_state, d_cell = np.zeros_like(d_states[0]), np.zeros_like(d_states[0])
    gradient[:] = 0
    for step in range(step_count - 1, -1, -1):
        input_gate, forget_gate, candidate, output_gate = trace.gates[step].reshape(4, units, -1)
        cell_tanh = trace.cell_tanhs[step]
        d_state += d_states[step]
        np.multiply(d_state, cell_tanh, out=d_output_gate)
        d_state *= output_gate
        d_cell += d_state * (1 - cell_tanh * cell_tanh)
        np.multiply(d_cell, candidate, out=d_input_gate)
        np.multiply(d_cell, trace.cells[step - 1] if step else 0, out=d_forget_gate)
        np.multiply(d_cell, input_gate, out=d_candidate)
        for d_gate, gate in ((d_input_gate, input_gate), (d_forget_gate, forget_gate), (d_output_gate, output_gate)):
            d_gate *= gate
            d_gate *= 1 - gate
        d_candidate *= 1 - candidate * candidate
        d_cell *= forget_gate
        gradient += trace.inputs[step] @ d_gates.T
        d_inputs = kernel[:-1] @ d_gates
        d_x[step], d_state = d_inputs[:feature_count], d_inputs[feature_count:]
    return d_x
