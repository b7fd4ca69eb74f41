"""Train any number of LSTM networks at once, each on its own windows, as if each were alone.

Networks are sorted by their number of windows and cut into blocks that fit the cache; every block is one call of one
compiled program (`program.py`), and the blocks are spread over the cores. What a network becomes depends on its own
windows, seed and settings only.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecasting.networks.lstm import (
    Architecture,
    Weights,
    condense,
    condensed_shapes,
    expand,
    initial_weights,
    random_bits,
)


@dataclass(frozen=True)
class Training:
    """How networks are trained; the defaults of Adam (Kingma & Ba 2015) are those of Keras.

    With the pinball loss, output j of a network is for quantile j modulo the number of quantiles.
    """

    loss: Literal["mse", "pinball"] = "mse"
    quantiles: tuple[float, ...] = ()
    epochs: int = 100
    batch_size: int = 1
    learning_rate: float = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    shuffle: bool = True
    patience: int | None = None

    def __post_init__(self) -> None:
        if self.loss not in ("mse", "pinball"):
            raise ValueError(f"loss must be 'mse' or 'pinball', not {self.loss!r}")
        if (self.loss == "pinball") != bool(self.quantiles):
            raise ValueError("quantiles belong to the pinball loss, which needs them")
        if self.epochs < 1 or self.batch_size < 1 or (self.patience is not None and self.patience < 0):
            raise ValueError("epochs and batch_size must be at least 1, patience at least 0")


@dataclass(frozen=True)
class Trained:
    """Trained networks; the axis of networks comes first."""

    weights: Weights
    losses: np.ndarray  # (networks, epochs) mean training loss of each epoch; NaN after a network stopped
    epochs: np.ndarray  # (networks,) epochs run
    diverged: np.ndarray  # (networks,) whether a weight or a loss is not finite


@dataclass(frozen=True)
class Windows:
    """What networks learn from, or are validated on."""

    x: np.ndarray  # (networks, windows, look_back)
    y: np.ndarray  # (networks, windows, outputs)
    counts: np.ndarray  # (networks,) windows in use; the rows beyond are padding


def epoch_orders(seed: int | np.uint64, count: int, epochs: int) -> np.ndarray:
    """Shuffle 0..count-1 anew for every epoch, from a network's seed alone: int (epochs, count)."""
    bits = max(1, (int(count) - 1).bit_length())
    mask = np.uint64((1 << bits) - 1)
    keys = random_bits(np.uint64(seed), 1, epochs * count).reshape(epochs, count)
    keys = np.sort((keys & ~mask) | np.arange(count, dtype=np.uint64), axis=1)
    return (keys & mask).astype(np.int32)


def train(
    architecture: Architecture,
    training: Training,
    x: np.ndarray,
    y: np.ndarray,
    counts: np.ndarray,
    seeds: np.ndarray,
    *,
    weights: Weights | None = None,
    validation: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Trained:
    """Train every network on its own windows.

    x: float32 (networks, windows, look_back); y: float32 (networks, windows, outputs); counts: (networks,) windows in
    use, rows beyond them are padding. seeds: uint64 (networks,), the source of the initial weights (unless given) and of
    the shuffling. validation: (x, y, counts) of the same form, needed with patience: a network stops after `patience`
    epochs without a lower validation loss and keeps its best weights. workers: threads (default: the cores at hand).
    progress: called with the number of networks done as blocks finish. A result has the same bits whatever else is
    trained at the same time. Raises ValueError when shapes do not fit or a network has no windows.
    """
    seeds = np.asarray(seeds, dtype=np.uint64)
    windows = checked(architecture, x, y, counts, len(seeds))
    if training.patience is not None and validation is None:
        raise ValueError("patience needs validation windows")
    held_out = checked(architecture, *validation, len(seeds)) if validation and training.patience is not None else None
    weights = initial_weights(architecture, seeds) if weights is None else weights
    trained = Trained(
        weights={name: np.array(tensor, dtype=np.float32) for name, tensor in weights.items()},
        losses=np.full((len(seeds), training.epochs), np.nan, dtype=np.float32),
        epochs=np.zeros(len(seeds), dtype=np.int32),
        diverged=np.zeros(len(seeds), dtype=bool),
    )
    if len(seeds) == 0:
        return trained
    from forecasting.networks.program import block_width

    width = block_width(architecture)
    longest_first = np.argsort(-windows.counts, kind="stable")
    blocks = [longest_first[start : start + width] for start in range(0, len(seeds), width)]
    done = 0
    with ThreadPoolExecutor(workers or len(os.sched_getaffinity(0))) as pool:
        tasks = [
            pool.submit(train_block, architecture, training, windows, held_out, seeds, trained, block)
            for block in blocks
        ]
        for task in as_completed(tasks):
            done += task.result()
            if progress:
                progress(done)
    return trained


def train_block(
    architecture: Architecture,
    training: Training,
    windows: Windows,
    held_out: Windows | None,
    seeds: np.ndarray,
    trained: Trained,
    block: np.ndarray,
) -> int:
    """Train the networks at the positions in block, write what became of them into trained, and return how many."""
    from forecasting.networks.program import block_width, layout_for, program, step_sizes

    last = layout_for(architecture).networks == "last"
    lanes = np.resize(block, block_width(architecture))
    lanes[len(block) :] = block[-1]
    counts = windows.counts[lanes]
    capacity = bucket(int(counts.max()), training.batch_size)
    own = {name: tensor[lanes] for name, tensor in trained.weights.items()}
    results, losses, epochs = program(architecture, training)(
        into_layout(condense(architecture, own), last),
        examples(windows, lanes, capacity),
        counts.reshape((1, 1, -1) if last else (-1, 1, 1)),
        block_orders(training, seeds[lanes], counts, capacity),
        step_sizes(training, training.epochs * -(-capacity // training.batch_size), np.float32),
        validation_in_layout(held_out, lanes, last) if held_out else (),
    )
    kept = slice(len(block))
    condensed = [array[kept] for array in out_of_layout(architecture, [array.numpy() for array in results], last)]
    fresh = expand(architecture, {name: tensor[kept] for name, tensor in own.items()}, condensed)
    for name, tensor in fresh.items():
        trained.weights[name][block] = tensor
    trained.losses[block] = losses.numpy().T[kept]
    trained.epochs[block] = epochs.numpy().ravel()[kept]
    ran = np.arange(training.epochs) < trained.epochs[block, None]
    trained.diverged[block] = ~np.isfinite(np.where(ran, trained.losses[block], 0)).all(axis=1)
    for tensor in fresh.values():
        trained.diverged[block] |= ~np.isfinite(tensor).all(axis=tuple(range(1, tensor.ndim)))
    return len(block)


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


def examples(windows: Windows, lanes: np.ndarray, capacity: int) -> np.ndarray:
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


def block_orders(training: Training, seeds: np.ndarray, counts: np.ndarray, capacity: int) -> np.ndarray:
    """Say which row each lane takes next, epoch by epoch, where lane i has rows from i · capacity on.

    Returns int32 (epochs, lanes, capacity).
    """
    orders = np.zeros((training.epochs, len(seeds), capacity), dtype=np.int32)
    for lane, (seed, count) in enumerate(zip(seeds, counts, strict=True)):
        order = epoch_orders(seed, int(count), training.epochs) if training.shuffle else np.arange(count)
        np.add(order, lane * capacity, out=orders[:, lane, :count], casting="unsafe")
    return orders


def validation_in_layout(held_out: Windows, lanes: np.ndarray, last: bool) -> tuple[np.ndarray, ...]:
    """Put the lanes' validation windows into the layout: x, y and counts."""
    counts = held_out.counts[lanes]
    capacity = bucket(int(counts.max()), 1)
    x, y = (cut(values, lanes, counts, capacity) for values in (held_out.x, held_out.y))
    order = (1, 2, 0) if last else (0, 1, 2)
    return x.transpose(order), y.transpose(order), counts.reshape((1, 1, -1) if last else (-1, 1, 1))


def checked(architecture: Architecture, x: np.ndarray, y: np.ndarray, counts: np.ndarray, networks: int) -> Windows:
    """Check that windows fit the architecture and the number of networks."""
    x, y, counts = np.asarray(x, np.float32), np.asarray(y, np.float32), np.asarray(counts, np.int32)
    rows = x.shape[1] if x.ndim == 3 else -1
    if x.shape != (networks, rows, architecture.look_back) or y.shape != (networks, rows, architecture.outputs):
        raise ValueError(f"windows {x.shape} and targets {y.shape} do not fit {networks} networks of {architecture}")
    if counts.shape != (networks,) or (counts < 1).any() or (counts > rows).any():
        raise ValueError(f"counts must give 1 to {rows} windows for each of {networks} networks")
    return Windows(x, y, counts)
