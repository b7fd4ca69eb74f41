"""How long training takes: a loop of Keras `fit`, and Milkrun with one, many and very many networks, in one run.

    python -m benchmarks.training [--quick] [--json FILE]

Keras is measured before and after Milkrun, so that a machine with other work to do troubles both alike. Milkrun's
"first" includes compiling its program; "again" is the same call once more.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from forecasting.lstm.batched.training import train
from forecasting.lstm.batched.types import BatchedTraining
from forecasting.lstm.prediction import to_keras
from forecasting.lstm.weights import Architecture, condensed_shapes, initial_weights

WINDOWS = 111  # what a series of 168 months gives the classic recipe to learn from
RECIPES = {
    "classic": (Architecture(1, (4,)), BatchedTraining(), (1, 128, 1_000, 10_000)),
    "look_back 12, LSTM(32)": (Architecture(12, (32,), "steps"), BatchedTraining(batch_size=16), (1, 128, 1_000)),
}


def clocked(call: Callable[[], Any]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def some_series(networks: int, look_back: int) -> tuple[np.ndarray, np.ndarray]:
    """Seasonal series between 0 and 1 as windows (networks, windows, look_back) and targets (networks, windows, 1)."""
    noise = np.random.default_rng(1)
    month = np.arange(WINDOWS + look_back)
    series = 0.5 + 0.3 * np.sin(month * np.pi / 6 + noise.uniform(0, 6, (networks, 1)))
    series += 0.05 * noise.normal(size=series.shape)
    view = np.lib.stride_tricks.sliding_window_view(series.astype(np.float32), look_back + 1, axis=1)
    return view[..., :look_back], view[..., look_back:]


def keras_fit(architecture: Architecture, training: BatchedTraining) -> float:
    """Seconds that plain Keras needs for one network, its own compilation included."""
    import keras

    x, y = some_series(1, architecture.look_back)
    x = x.reshape(-1, architecture.time_steps, architecture.features)
    model = to_keras(architecture, initial_weights(architecture, np.arange(1, dtype=np.uint64)), 0)
    model.compile(keras.optimizers.Adam(training.learning_rate), "mse")
    return clocked(lambda: model.fit(x, y[0], epochs=training.epochs, batch_size=training.batch_size, verbose=0))


def milkrun(architecture: Architecture, training: BatchedTraining, networks: int, *, repeat: bool) -> list[float]:
    """Seconds that Milkrun needs for so many networks, compilation included, and once more without."""
    from forecasting.lstm.batched.program import program

    x, y = some_series(networks, architecture.look_back)
    counts, seeds = np.full(networks, WINDOWS), np.arange(networks, dtype=np.uint64)
    program.cache_clear()
    return [clocked(lambda: train(architecture, training, x, y, counts, seeds)) for _ in range(1 + repeat)]


def operations(architecture: Architecture, training: BatchedTraining) -> float:
    """Multiplications and additions inside matrix products to train one network, forward and twice that back."""
    *layers, (head_rows, head_columns) = condensed_shapes(architecture)[::2]
    once = architecture.time_steps * sum(rows * columns for rows, columns in layers) + head_rows * head_columns
    return 2.0 * 3 * once * WINDOWS * training.epochs


def peak() -> float:
    """Operations a second of the machine's own large float32 matrix product, the best of five."""
    a = np.random.default_rng(0).normal(size=(2048, 2048)).astype(np.float32)
    return 2 * 2048**3 / min(clocked(lambda: a @ a) for _ in range(5))


def measure(name: str, epochs: int, most: int) -> dict[str, Any]:
    """Measure one recipe; epochs 0 means its own."""
    architecture, training, sizes = RECIPES[name]
    if epochs:
        training = BatchedTraining(epochs=epochs, batch_size=training.batch_size)
    before = keras_fit(architecture, training)
    rows: list[dict[str, Any]] = []
    for networks in (size for size in sizes if size <= most):
        first, *repeats = milkrun(architecture, training, networks, repeat=networks <= 1_000)
        rows.append({"networks": networks, "first": first, "again": repeats[0] if repeats else None})
    keras = [before, keras_fit(architecture, training)]
    for row in rows:
        row["times_faster"] = sum(keras) / 2 / (row["first"] / row["networks"])
    best = min((row["again"] or row["first"]) / row["networks"] for row in rows)
    work = operations(architecture, training) / best
    return {"recipe": name, "epochs": training.epochs, "keras": keras, "milkrun": rows, "operations_a_second": work}


def show(result: dict[str, Any], limit: float) -> None:
    """Print one recipe's table."""
    print(f"\n{result['recipe']}, {WINDOWS} windows, {result['epochs']} epochs")
    print(f"{'':24}{'first':>10}{'again':>10}{'ms per network':>16}{'times faster per series':>25}")
    for seconds in result["keras"]:
        print(f"{'Keras fit, 1 network':24}{seconds:9.2f}s{'':10}{seconds * 1e3:16.1f}{'':25}")
    for row in result["milkrun"]:
        repeat = f"{row['again']:9.2f}s" if row["again"] is not None else " " * 10
        each = 1e3 * row["first"] / row["networks"]
        name = f"Milkrun, {row['networks']:,}"
        print(f"{name:24}{row['first']:9.2f}s{repeat}{each:16.2f}{row['times_faster']:25,.0f}")
    share = result["operations_a_second"] / limit
    print(f"matrix products: {result['operations_a_second'] / 1e9:.1f} of {limit / 1e9:.0f} Gop/s ({share:.1%})")


def main() -> None:
    """Measure, print, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="10 epochs and at most 1,000 networks")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file as well")
    options = parser.parse_args()
    import keras  # noqa: F401  # its import is nobody's training time

    limit = peak()
    print(f"{os.cpu_count()} cores; a large float32 matrix product runs at {limit / 1e9:.0f} Gop/s")
    results = []
    for name in RECIPES:
        results.append(measure(name, 10 if options.quick else 0, 1_000 if options.quick else 10_000))
        show(results[-1], limit)
    if options.json:
        options.json.write_text(json.dumps({"windows": WINDOWS, "peak": limit, "recipes": results}, indent=1))


if __name__ == "__main__":
    main()
