"""One block of networks: what goes into the compiled program, and what comes out of it."""

import numpy as np
import tensorflow as tf

from forecasting.lstm.batched.program import block_width, layout_for, program, step_sizes
from forecasting.lstm.batched.types import BatchedTraining, TrainingResult, TrainingWindows
from forecasting.lstm.random import random_bits
from forecasting.lstm.weights import Architecture, Weights, condense, condensed_shapes, expand


def train_block(
    architecture: Architecture,
    training: BatchedTraining,
    windows: TrainingWindows,
    held_out: TrainingWindows | None,
    seeds: np.ndarray,
    result: TrainingResult,
    block: np.ndarray,
) -> int:
    """Train the networks at the positions in block, write their weights and losses into the result, and return how many."""
    last = layout_for(architecture).networks == "last"
    lanes = np.resize(block, block_width(architecture))
    lanes[len(block) :] = block[-1]
    counts = windows.counts[lanes]
    capacity = bucket(int(counts.max()), training.batch_size)
    own = {name: tensor[lanes] for name, tensor in result.weights.items()}
    arguments = (
        into_layout(condense(architecture, own), last),
        examples(windows, lanes, capacity),
        counts.reshape((1, 1, -1) if last else (-1, 1, 1)),
        block_orders(training, seeds[lanes], counts, capacity),
        step_sizes(training, training.epochs * -(-capacity // training.batch_size), np.float32),
        validation_in_layout(held_out, lanes, last) if held_out else (),
    )
    with tf.device("CPU"):  # an accelerator that happens to be there must not change the numbers
        results, losses, epochs = program(architecture, training)(*arguments)
    real = slice(len(block))
    condensed = [array[real] for array in out_of_layout(architecture, [array.numpy() for array in results], last)]
    fresh = expand(architecture, {name: tensor[real] for name, tensor in own.items()}, condensed)
    record(result, block, fresh, losses.numpy().T[real], epochs.numpy().ravel()[real])
    return len(block)


def record(result: TrainingResult, block: np.ndarray, weights: Weights, losses: np.ndarray, epochs: np.ndarray) -> None:
    """Write what became of a block's networks to their positions."""
    ran = np.arange(losses.shape[1]) < epochs[:, None]
    finite = (np.isfinite(losses) | ~ran).all(axis=1)
    for name, tensor in weights.items():
        result.weights[name][block] = tensor
        finite &= np.isfinite(tensor).all(axis=tuple(range(1, tensor.ndim)))
    result.losses[block] = np.where(ran, losses, np.nan)
    result.epochs[block] = epochs
    result.diverged[block] = ~finite


def bucket(count: int, batch_size: int) -> int:
    """Round a number of windows up to a power of four and then to whole batches: few shapes to compile."""
    power = 16
    while power < count:
        power *= 4
    return -(-power // batch_size) * batch_size


def into_layout(arrays: list[np.ndarray], last: bool) -> list[np.ndarray]:
    """Arrange condensed weights (networks, rows, columns) as the program takes them: (all weights, 1, networks) or as is."""
    if not last:
        return arrays
    together = np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)
    return [np.ascontiguousarray(together.T)[:, None, :]]


def out_of_layout(architecture: Architecture, arrays: list[np.ndarray], last: bool) -> list[np.ndarray]:
    """Undo `into_layout`."""
    if not last:
        return arrays
    shapes = condensed_shapes(architecture)
    ends = np.cumsum([rows * columns for rows, columns in shapes])[:-1]
    parts = np.split(arrays[0][:, 0].T, ends, axis=1)
    return [part.reshape(-1, *shape) for part, shape in zip(parts, shapes, strict=True)]


def examples(windows: TrainingWindows, lanes: np.ndarray, capacity: int) -> np.ndarray:
    """Line up all lanes' windows, x beside y, as rows to choose from: (lanes · capacity, look_back + outputs)."""
    counts = windows.counts[lanes]
    both = [cut(values, lanes, counts, capacity) for values in (windows.x, windows.y)]
    return np.concatenate(both, axis=2).reshape(len(lanes) * capacity, -1)


def cut(values: np.ndarray, lanes: np.ndarray, counts: np.ndarray, capacity: int) -> np.ndarray:
    """Take the lanes' rows, with zeros for padding: (lanes, capacity, features)."""
    result = np.zeros((len(lanes), capacity, values.shape[2]), dtype=np.float32)
    rows = min(capacity, values.shape[1])
    used = np.arange(rows) < counts[:, None]
    result[:, :rows][used] = values[lanes, :rows][used]
    return result


def epoch_orders(seed: int | np.uint64, count: int, epochs: int) -> np.ndarray:
    """Shuffle 0..count-1 anew for every epoch, from a network's seed alone: int (epochs, count)."""
    bits = max(1, (int(count) - 1).bit_length())
    mask = np.uint64((1 << bits) - 1)
    keys = random_bits(np.uint64(seed), 1, epochs * count).reshape(epochs, count)
    keys = np.sort((keys & ~mask) | np.arange(count, dtype=np.uint64), axis=1)
    return (keys & mask).astype(np.int32)


def block_orders(training: BatchedTraining, seeds: np.ndarray, counts: np.ndarray, capacity: int) -> np.ndarray:
    """Say which row each lane takes next, epoch by epoch, where lane i has rows from i · capacity on.

    Returns int32 (epochs, lanes, capacity).
    """
    orders = np.zeros((training.epochs, len(seeds), capacity), dtype=np.int32)
    for lane, (seed, count) in enumerate(zip(seeds, counts, strict=True)):
        order = epoch_orders(seed, int(count), training.epochs) if training.shuffle else np.arange(count)
        np.add(order, lane * capacity, out=orders[:, lane, :count], casting="unsafe")
    return orders


def validation_in_layout(held_out: TrainingWindows, lanes: np.ndarray, last: bool) -> tuple[np.ndarray, ...]:
    """Put the lanes' validation windows into the layout: x, y and counts."""
    counts = held_out.counts[lanes]
    capacity = bucket(int(counts.max()), 1)
    x, y = (cut(values, lanes, counts, capacity) for values in (held_out.x, held_out.y))
    order = (1, 2, 0) if last else (0, 1, 2)
    return x.transpose(order), y.transpose(order), counts.reshape((1, 1, -1) if last else (-1, 1, 1))
