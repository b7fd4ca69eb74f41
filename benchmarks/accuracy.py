"""How accurate the recipe `monthly` is: train on a panel's training months, forecast, and score the test months.

    python -m benchmarks.accuracy --data FILE.parquet --horizon H [--seeds N] [--held-out] [--json]
    python -m benchmarks.accuracy --milk milk.csv [--seeds N] [--json]

The file is long: unique_id, ds, y, split (train or test: the last `horizon` months). With --held-out the last months of
the training part stand in for the test part: settings are chosen that way. --milk fits once on the first 112 months and
forecasts the 54 months from June 1971 to November 1975 one month ahead, each from all the months before it.
"""

import argparse
import json
import os
import resource
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecasting.months import Month
from forecasting.networks.draws import series_seeds
from forecasting.networks.fitted import Fitted, Forecasts
from forecasting.networks.monthly import fit, fit_shared, forecast
from forecasting.numerics.accuracy import bias, coverage, mase, mase_scale, msis, smape
from forecasting.numerics.baselines import seasonal_naive
from forecasting.numerics.metrics import rmse, skill
from forecasting.panel import Histories, Values
from forecasting.recipes import MONTHLY, MonthlyRecipe

MILK_TRAIN, MILK_TEST = 112, 54


def read_histories(path: Path, horizon: int, *, held_out: bool) -> tuple[Histories, Values]:
    """Read a panel: the histories to learn from, and the months after them (series, horizon)."""
    frame = pd.read_parquet(path)
    if held_out:
        frame = frame[frame["split"] == "train"]
    series = [group.to_numpy(np.float64) for _, group in frame.groupby("unique_id", sort=False)["y"]]
    return histories_of([values[:-horizon] for values in series]), np.array([values[-horizon:] for values in series])


def histories_of(series: list[np.ndarray]) -> Histories:
    """Line up series that all end in one month; the numbers depend on its name in no way."""
    lengths = np.array([len(values) for values in series])
    values = np.full((len(series), lengths.max()), np.nan)
    for row, own in enumerate(series):
        values[row, : len(own)] = own
    return Histories(values, lengths, (Month.of(2000, 1),) * len(series))


def scores(ahead: Forecasts, actual: Values, histories: Histories) -> dict[str, float]:
    """Score forecasts, mean over series (and horizons)."""
    scale = mase_scale(histories.values, histories.lengths)
    repeated = seasonal_naive(histories.values, histories.lengths, horizon=actual.shape[1])
    model_rmse = rmse(ahead.values - actual)
    base = ahead.values if ahead.base_path is None else ahead.base_path
    measures = {
        "smape": smape(ahead.values, actual),
        "mase": mase(ahead.values, actual, scale),
        "base_smape": smape(base, actual),
        "base_mase": mase(base, actual, scale),
        "naive_mase": mase(repeated, actual, scale),
        "rmse": model_rmse,
        "skill": skill(model_rmse, rmse(repeated - actual)),
        "bias_scaled": bias(ahead.values, actual) / np.where(scale > 0, scale, np.nan),
        "coverage_80": coverage(actual, ahead.bounds["lower_80"], ahead.bounds["upper_80"]),
        "coverage_95": coverage(actual, ahead.bounds["lower_95"], ahead.bounds["upper_95"]),
        "msis": msis(actual, ahead.bounds["lower_95"], ahead.bounds["upper_95"], scale),
    }
    finite = {name: values[np.isfinite(values)] for name, values in measures.items()}
    return {name: float(values.mean()) for name, values in finite.items()} | {
        "median_skill": float(np.median(finite["skill"])),
        "by_base": float(np.mean([bool(reason) for reason in ahead.reasons])),
    }


def train(recipe: MonthlyRecipe, histories: Histories) -> Fitted:
    """Train shared networks or each series' own, as the recipe's rule says."""
    count = len(histories.lengths)
    if recipe.shares(count):
        return fit_shared(recipe, histories)
    return fit(recipe, histories, series_seeds(recipe.seed, [str(row) for row in range(count)]))


def panel_once(histories: Histories, actual: Values, settings: dict[str, Any]) -> dict[str, float]:
    """Train and forecast with one seed, and score it."""
    recipe = replace(MONTHLY, horizon=actual.shape[1], **settings)
    wall, cpu = time.perf_counter(), time.process_time()
    fitted = train(recipe, histories)
    trained = time.perf_counter()
    ahead = forecast(recipe, fitted.networks, histories, positions=range(len(histories.lengths)))
    times = {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "forecasting": time.perf_counter() - trained,
    }
    return scores(ahead, actual, histories) | times


def milk_once(path: Path, settings: dict[str, Any], *, held_out: bool) -> dict[str, float]:
    """Fit once on the first months of the milk series and forecast one month ahead, month after month."""
    series = pd.read_csv(path)["milk"].to_numpy(np.float64)
    first, count = (MILK_TRAIN - 36, 36) if held_out else (MILK_TRAIN, MILK_TEST)
    # The tutorial's test windows begin one month after its training part ends, and it drops its last window.
    start = first if held_out else first + 1
    recipe = replace(MONTHLY, horizon=1, **settings)
    wall, cpu = time.perf_counter(), time.process_time()
    fitted = train(recipe, histories_of([series[:first]]))
    months = range(start, start + count)
    arrived = histories_of([series[:month] for month in months])
    ahead = forecast(recipe, fitted.networks, arrived, positions=[0] * count)
    actual = series[list(months)]
    base = ahead.values if ahead.base_path is None else ahead.base_path
    return {
        "rmse": float(rmse(ahead.values[:, 0] - actual)),
        "base_rmse": float(rmse(base[:, 0] - actual)),
        "naive_rmse": float(rmse(series[np.array(months) - 12] - actual)),
        "coverage_80": float(coverage(actual, ahead.bounds["lower_80"][:, 0], ahead.bounds["upper_80"][:, 0])),
        "coverage_95": float(coverage(actual, ahead.bounds["lower_95"][:, 0], ahead.bounds["upper_95"][:, 0])),
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
    }


def summary(runs: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean, lowest and highest of every measure over the seeds."""
    found = {name: [run[name] for run in runs] for name in runs[0]}
    return {
        name: {"mean": float(np.mean(values)), "low": min(values), "high": max(values)}
        for name, values in found.items()
    }


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--milk", type=Path)
    parser.add_argument("--horizon", type=int, default=18)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=JSON", help="another value of a setting")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if (given.data is None) == (given.milk is None):
        parser.error("give either --data or --milk")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    changes = {name: json.loads(value) for name, value in (pair.split("=", 1) for pair in given.set)}
    changes = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
    runs = []
    for seed in range(1, given.seeds + 1):
        settings = {**changes, "seed": seed}
        if given.milk:
            runs.append(milk_once(given.milk, settings, held_out=given.held_out))
        else:
            runs.append(panel_once(*read_histories(given.data, given.horizon, held_out=given.held_out), settings))
    result = summary(runs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if given.json:
        print(json.dumps({"measures": result, "peak_mib": peak, "settings": changes, "seeds": given.seeds}))
        return
    for name, values in result.items():
        print(f"{name:14} {values['mean']:10.4f}   {values['low']:.4f} to {values['high']:.4f}")
    print(f"{'peak memory':14} {peak:10.0f} MiB")


if __name__ == "__main__":
    main()
