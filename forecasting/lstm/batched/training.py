"""Train many LSTM networks at once, each on its own windows; the result of each is the same as if it were trained alone.

Networks are sorted by their number of windows and divided into blocks that fit the cache. Each block is one call of a compiled
program (`blocks.py`, `program.py`), and the blocks are distributed over the cores.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np

from forecasting.domain.settings import usable_cores
from forecasting.lstm.batched.types import BatchedTraining, TrainingResult, TrainingWindows
from forecasting.lstm.tensorflow import start_tensorflow
from forecasting.lstm.weights import Architecture, Weights, initial_weights


def train(
    architecture: Architecture,
    training: BatchedTraining,
    x: np.ndarray,
    y: np.ndarray,
    counts: np.ndarray,
    seeds: np.ndarray,
    *,
    weights: Weights | None = None,
    validation: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> TrainingResult:
    """Train every network on its own windows.

    x: float32 (networks, windows, look_back). y: float32 (networks, windows, outputs), targets. counts: int (networks,), number
    of windows; further rows are padding. seeds: uint64 (networks,), for the initial weights and the order of the windows.
    weights: initial weights; None: from the seeds. validation: x, y and counts for early stopping; a network that stops keeps
    its best weights. workers: threads; None: one per core. progress: called after each block with its number of networks. A
    network has the same bits whatever else is trained with it. Raises ValueError where shapes do not fit, a network has no
    windows, or patience has no validation windows.
    """
    seeds = np.asarray(seeds, dtype=np.uint64)
    windows = checked_windows(architecture, x, y, counts, len(seeds))
    validation_windows = None
    if training.patience is not None:
        if validation is None:
            raise ValueError("patience needs validation windows")
        validation_windows = checked_windows(architecture, *validation, len(seeds))
    weights = initial_weights(architecture, seeds) if weights is None else weights
    result = TrainingResult(
        weights={name: np.array(tensor, dtype=np.float32) for name, tensor in weights.items()},
        losses=np.full((len(seeds), training.epochs), np.nan, dtype=np.float32),
        epochs=np.zeros(len(seeds), dtype=np.int32),
        diverged_mask=np.zeros(len(seeds), dtype=bool),
    )
    if len(seeds) == 0:
        return result
    start_tensorflow()
    from forecasting.lstm.batched.blocks import train_block
    from forecasting.lstm.batched.program import block_width

    lanes = block_width(architecture)
    longest_first = np.argsort(-windows.counts, kind="stable")
    blocks = [longest_first[start : start + lanes] for start in range(0, len(seeds), lanes)]
    with ThreadPoolExecutor(workers or usable_cores()) as pool:
        arguments = (architecture, training, windows, validation_windows, seeds, result)
        tasks = [pool.submit(train_block, *arguments, block) for block in blocks]
        try:
            for task in as_completed(tasks):
                trained_count = task.result()
                if progress:
                    progress(trained_count)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return result


def checked_windows(
    architecture: Architecture, x: np.ndarray, y: np.ndarray, counts: np.ndarray, network_count: int
) -> TrainingWindows:
    """Return the windows; raises ValueError unless they fit the architecture and the number of networks."""
    x, y, counts = np.asarray(x, np.float32), np.asarray(y, np.float32), np.asarray(counts, np.int32)
    window_count = x.shape[1] if x.ndim == 3 else -1
    shape = (network_count, window_count)
    if x.shape != (*shape, architecture.look_back) or y.shape != (*shape, architecture.outputs):
        raise ValueError(f"x {x.shape} and y {y.shape} do not fit {network_count} networks of {architecture}")
    if counts.shape != (network_count,) or (counts < 1).any() or (counts > window_count).any():
        raise ValueError(f"counts must give 1 to {window_count} windows for each of {network_count} networks")
    return TrainingWindows(x, y, counts)
