"""The tutorial's figures over many seeds: RMSE of the classic networks on the milk series, train 43.06 and test 47.65.

python -m benchmarks.published [--seeds 100] [--json]
"""

import argparse
import csv
import importlib.resources
import json

import numpy as np

from forecasting.domain.months import Month
from forecasting.domain.panel import Histories
from forecasting.domain.recipes import CLASSIC, CLASSIC_PUBLISHED, ClassicRecipe
from forecasting.domain.vocabulary import Split
from forecasting.lstm.random import series_seeds
from forecasting.models import classic

PUBLISHED = {"train": 43.06, "test": 47.65}


def milk() -> Histories:
    """Return the 168 months of milk production, in pounds per cow."""
    with importlib.resources.files("forecasting.examples").joinpath("milk.csv").open() as file:
        rows = list(csv.DictReader(file))
    values = np.array([[float(row["milk"]) for row in rows]])
    return Histories(values, np.array([len(rows)]), (Month.parse(rows[-1]["month"]),))


def measure(recipe: ClassicRecipe, seeds: int) -> dict[str, dict[str, float]]:
    """Train one network per seed, all at once, and describe their RMSE on both parts."""
    histories = milk()
    copies = Histories(
        np.repeat(histories.values, seeds, 0), np.repeat(histories.lengths, seeds), histories.last_months * seeds
    )
    series_seed_array = np.concatenate([series_seeds(seed, ["milk"]) for seed in range(seeds)])
    fit_result = classic.fit(recipe, copies, series_seed_array)
    measures: dict[str, dict[str, float]] = {}
    for part in (Split.TRAIN, Split.TEST):
        score = fit_result.scores[part]
        measures[part] = {
            "mean": float(score.rmse.mean()),
            "least": float(score.rmse.min()),
            "median": float(np.median(score.rmse)),
            "largest": float(score.rmse.max()),
            "windows": int(score.n[0, 0]),
            "seasonal_naive": float(score.baseline_rmse[0, 0]),
        }
    return measures


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    measures = {recipe.name: measure(recipe, arguments.seeds) for recipe in (CLASSIC_PUBLISHED, CLASSIC)}
    if arguments.json:
        print(json.dumps({"seeds": arguments.seeds, "published": PUBLISHED, "measured": measures}, indent=2))
        return
    print(f"RMSE on the milk series, pounds per cow, {arguments.seeds} seeds; published: train 43.06, test 47.65")
    print(
        f"{'recipe':18} {'part':5} {'windows':>7} {'mean':>7} {'least':>7} {'median':>7} {'largest':>7} {'seasonal naive':>14}"
    )
    for name, parts in measures.items():
        for part, row in parts.items():
            numbers = " ".join(f"{row[key]:7.2f}" for key in ("mean", "least", "median", "largest"))
            print(f"{name:18} {part:5} {row['windows']:7d} {numbers} {row['seasonal_naive']:14.2f}")


if __name__ == "__main__":
    main()
