"""All figures of speed, side by side from one run: training beside Keras `fit`, whole runs beside COPY, peak memory.

python -m benchmarks.speed [--quick] [--json FILE] [--chart FILE]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import runs

_PEAK = """
import resource, sys
import numpy as np
from benchmarks.training import RECIPES, WINDOWS, some_series
from forecasting.lstm.batched.training import train
architecture, training, _ = RECIPES[sys.argv[1]]
networks = int(sys.argv[2])
x, y = some_series(networks, architecture.look_back)
train(architecture, training, x, y, np.full(networks, WINDOWS), np.arange(networks, dtype=np.uint64))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measure_training(*, quick: bool) -> dict[str, Any]:
    """Run benchmarks.training in a process of its own, its table to the screen; return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "training.json"
        command = [sys.executable, "-m", "benchmarks.training", "--json", str(figures), *(["--quick"] if quick else [])]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        measures: dict[str, Any] = json.loads(figures.read_text())
    return measures


def peak_of_training(recipe: str, networks: int) -> float:
    """Return the peak memory, in MiB, of a process that trains so many networks."""
    command = [sys.executable, "-c", _PEAK, recipe, str(networks)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def draw(measures: dict[str, Any], path: Path) -> None:
    """Draw seconds per series by number of series, for training and for whole runs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for recipe, marker in zip(measures["training"]["recipes"], "os", strict=True):
        rows = recipe["milkrun"]
        counts = [row["networks"] for row in rows]
        axes.plot(
            counts, [row["first"] / row["networks"] for row in rows], marker=marker, label=f"train {recipe['recipe']}"
        )
        axes.axhline(
            sum(recipe["keras"]) / 2, linestyle=":", color=axes.lines[-1].get_color(), label="Keras fit, the same"
        )
    for name, marker in zip(runs.KINDS, "^v<", strict=True):
        counts = [row["series"] for row in measures["runs"]]
        each = [runs.median(row[name]["runs"], "seconds") / row["series"] for row in measures["runs"]]
        axes.plot(counts, each, marker=marker, linestyle="--", label=f"whole run, {name}")
    axes.set(xscale="log", yscale="log", xlabel="series", ylabel="seconds per series")
    axes.set_title("Seconds per series, compiling included", loc="left")
    axes.grid(alpha=0.25)
    figure.legend(loc="outside right upper", frameon=False)
    figure.savefig(path)


def main() -> None:
    """Measure and print; write JSON and chart where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer epochs, at most 1,000 series")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--chart", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    measures: dict[str, Any] = {"training": measure_training(quick=arguments.quick)}
    most = 1_000 if arguments.quick else 10_000
    print("\nPeak memory of a process that trains, MiB (TensorFlow alone takes most of it)")
    measures["peak"] = {
        str(count): peak_of_training("classic", count) for count in (1, 128, 1_000, 10_000) if count <= most
    }
    print("  ".join(f"{int(count):,} networks: {peak:.0f}" for count, peak in measures["peak"].items()) + "\n")
    measures["runs"] = [runs.measure_apart(series, 120) for series in (100, 1_000, 10_000) if series <= most]
    runs.show(measures["runs"])
    if arguments.json:
        arguments.json.write_text(json.dumps(measures, indent=2) + "\n")
    if arguments.chart:
        draw(measures, arguments.chart)


if __name__ == "__main__":
    main()
