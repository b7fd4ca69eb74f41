"""One block of networks: the arguments of the compiled program, and its results.

A lane is one place in a block. Where a block has fewer networks than lanes, copies of its last network fill the others. Names:
block: int (networks,), their positions in the result. lanes: int (lanes,), the position of each lane's network. capacity: rows
of each lane, its windows and padding. networks_last: whether the layout is "last".
"""

import numpy as np
import tensorflow as tf

from forecasting.domain.panel import columns_inside
from forecasting.lstm.batched.program import block_width, layout_for, program, step_sizes
from forecasting.lstm.batched.types import BatchedTraining, TrainingResult, TrainingWindows
from forecasting.lstm.random import ORDER_STREAM, random_bits
from forecasting.lstm.weights import Architecture, Weights, condense, condensed_shapes, expand


def train_block(
    architecture: Architecture,
    training: BatchedTraining,
    windows: TrainingWindows,
    validation_windows: TrainingWindows | None,
    seeds: np.ndarray,
    result: TrainingResult,
    block: np.ndarray,
) -> int:
    """Train the networks at the positions in `block`, write them into the result, and return their number."""
    networks_last = layout_for(architecture).networks == "last"
    lanes = np.resize(block, block_width(architecture))
    lanes[len(block) :] = block[-1]
    counts = windows.counts[lanes]
    capacity = padded_count(int(counts.max()), training.batch_size)
    weights = {name: tensor[lanes] for name, tensor in result.weights.items()}
    arguments = (
        into_layout(condense(architecture, weights), networks_last),
        batch_source(windows, lanes, capacity),
        counts.reshape((1, 1, -1) if networks_last else (-1, 1, 1)),
        block_orders(training, seeds[lanes], counts, capacity),
        step_sizes(training, training.epochs * -(-capacity // training.batch_size), np.float32),
        validation_in_layout(validation_windows, lanes, networks_last) if validation_windows else (),
    )
    with tf.device("CPU"):  # on a GPU the numbers would be others
        trained_arrays, losses, epochs = program(architecture, training)(*arguments)
    arrays = out_of_layout(architecture, [array.numpy() for array in trained_arrays], networks_last)
    networks = slice(len(block))  # without the copies in the last lanes
    block_weights = {name: tensor[networks] for name, tensor in weights.items()}
    trained_weights = expand(architecture, block_weights, [array[networks] for array in arrays])
    write_result(result, block, trained_weights, losses.numpy().T[networks], epochs.numpy().ravel()[networks])
    return len(block)


def write_result(
    result: TrainingResult, positions: np.ndarray, weights: Weights, losses: np.ndarray, epochs: np.ndarray
) -> None:
    """Write the networks of a block to their positions in the result; losses (networks, epochs), epochs (networks,) as there."""
    ran_mask = columns_inside(losses.shape[1], epochs)
    finite_mask = (np.isfinite(losses) | ~ran_mask).all(axis=1)
    for name, tensor in weights.items():
        result.weights[name][positions] = tensor
        finite_mask &= np.isfinite(tensor).all(axis=tuple(range(1, tensor.ndim)))
    result.losses[positions] = np.where(ran_mask, losses, np.nan)
    result.epochs[positions] = epochs
    result.diverged_mask[positions] = ~finite_mask


def padded_count(window_count: int, batch_size: int) -> int:
    """Round a number of windows up to a power of four, then to whole batches, so that few shapes have to be compiled."""
    capacity = 16
    while capacity < window_count:
        capacity *= 4
    return -(-capacity // batch_size) * batch_size


def into_layout(arrays: list[np.ndarray], networks_last: bool) -> list[np.ndarray]:
    """Bring condensed weights (networks, rows, columns) into the layout: "last": one array (weights, 1, networks)."""
    if not networks_last:
        return arrays
    flat = np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)
    return [np.ascontiguousarray(flat.T)[:, None, :]]


def out_of_layout(architecture: Architecture, arrays: list[np.ndarray], networks_last: bool) -> list[np.ndarray]:
    """Undo `into_layout`."""
    if not networks_last:
        return arrays
    shapes = condensed_shapes(architecture)
    ends = np.cumsum([rows * columns for rows, columns in shapes])[:-1]
    parts = np.split(arrays[0][:, 0].T, ends, axis=1)
    return [part.reshape(-1, *shape) for part, shape in zip(parts, shapes, strict=True)]


def batch_source(windows: TrainingWindows, lanes: np.ndarray, capacity: int) -> np.ndarray:
    """Rows of x and y side by side, of all lanes below one another: (lanes · capacity, look_back + outputs)."""
    counts = windows.counts[lanes]
    padded = [padded_rows(values, lanes, counts, capacity) for values in (windows.x, windows.y)]
    return np.concatenate(padded, axis=2).reshape(len(lanes) * capacity, -1)


def padded_rows(values: np.ndarray, lanes: np.ndarray, counts: np.ndarray, capacity: int) -> np.ndarray:
    """Rows of the lanes, filled with zeros: (lanes, capacity, features)."""
    result = np.zeros((len(lanes), capacity, values.shape[2]), dtype=np.float32)
    row_count = min(capacity, values.shape[1])
    inside = columns_inside(row_count, counts)
    result[:, :row_count][inside] = values[lanes, :row_count][inside]
    return result


def epoch_orders(seed: int | np.uint64, count: int, epochs: int) -> np.ndarray:
    """Order of the windows 0 to count - 1 in each epoch, from the seed of the network alone: int32 (epochs, count)."""
    index_bits = max(1, (int(count) - 1).bit_length())
    index_mask = np.uint64((1 << index_bits) - 1)
    keys = random_bits(np.uint64(seed), ORDER_STREAM, epochs * count).reshape(epochs, count)
    keys = np.sort((keys & ~index_mask) | np.arange(count, dtype=np.uint64), axis=1)
    return (keys & index_mask).astype(np.int32)


def block_orders(training: BatchedTraining, seeds: np.ndarray, counts: np.ndarray, capacity: int) -> np.ndarray:
    """Order in which each lane uses its rows of `batch_source`: int32 (epochs, lanes, capacity).

    The rows of lane i begin at i · capacity.
    """
    orders = np.zeros((training.epochs, len(seeds), capacity), dtype=np.int32)
    for lane, (seed, count) in enumerate(zip(seeds, counts, strict=True)):
        order = epoch_orders(seed, int(count), training.epochs) if training.shuffle else np.arange(count)
        np.add(order, lane * capacity, out=orders[:, lane, :count], casting="unsafe")
    return orders


def validation_in_layout(windows: TrainingWindows, lanes: np.ndarray, networks_last: bool) -> tuple[np.ndarray, ...]:
    """Return the validation windows of the lanes, x, y and counts, in the layout."""
    counts = windows.counts[lanes]
    capacity = padded_count(int(counts.max()), 1)
    x, y = (padded_rows(values, lanes, counts, capacity) for values in (windows.x, windows.y))
    order = (1, 2, 0) if networks_last else (0, 1, 2)
    return x.transpose(order), y.transpose(order), counts.reshape((1, 1, -1) if networks_last else (-1, 1, 1))
