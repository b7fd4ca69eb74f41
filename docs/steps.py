"""Draw the steps of the recipe monthly on the milk series into docs/images: python docs/steps.py.

Every number in the pictures comes from the package's own functions, as a run calls them.
"""

import csv
import importlib.resources
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from forecasting.domain.months import Month
from forecasting.domain.panel import Histories, Values
from forecasting.domain.recipes import MONTHLY
from forecasting.lstm.random import series_seeds
from forecasting.models.monthly import forecast as monthly
from forecasting.models.monthly import training as monthly_training
from forecasting.models.monthly.dataset import describe_histories
from forecasting.models.monthly.features import examples_at, prepare
from forecasting.models.monthly.global_networks import LEVELS, MEDIAN
from forecasting.models.monthly.local_networks import mix_paths, predict_local
from forecasting.numerics.seasonality import seasonal_indices, take_out

IMAGES = Path(__file__).parent / "images"
BLUE, ORANGE, GREEN, PURPLE, GREY, RED = "#1f77b4", "#ff7f0e", "#2ca02c", "#7b3fa0", "#7f7f7f", "#d62728"
HORIZON = MONTHLY.horizon


def milk() -> Values:
    """Return the 168 months of milk production, in pounds per cow."""
    with importlib.resources.files("forecasting.examples").joinpath("milk.csv").open() as file:
        return np.array([float(row["milk"]) for row in csv.DictReader(file)])


def picture(name: str, title: str, unit: str) -> tuple[Figure, Any]:
    """Begin a picture."""
    figure = Figure(figsize=(9, 3.2), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_ylabel(unit)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.set_gid(name)
    return figure, axes


def save(figure: Figure) -> None:
    """Add the legend and write the file."""
    if figure.axes[0].get_legend_handles_labels()[0]:
        figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    figure.savefig(IMAGES / f"{figure.get_gid()}.png")


def main() -> None:
    """Draw all of them: the series is known up to 1974-12, the months of 1975 are what comes."""
    values = milk()
    known, after = values[:156], values[156:]
    histories = Histories(known[None], np.array([156]), (Month.of(1974, 12),))
    days = np.arange(np.datetime64("1962-01", "M"), np.datetime64("1976-01", "M"))
    logs = np.log(known)[:, None]
    counts = np.array([156])
    indices = seasonal_indices(logs, counts)

    figure, axes = picture("monthly-1-season", "1. Logs, and the logs without their season", "log of pounds per cow")
    axes.plot(days[:156], logs[:, 0], color=BLUE, label="logs")
    axes.plot(days[:156], take_out(logs, indices)[:, 0], color=ORANGE, label="deseasonalised")
    save(figure)

    prepared = prepare(known[None], counts, np.zeros(1, np.int64), horizon=HORIZON)
    example = examples_at(prepared, 0, 0, horizon=HORIZON)
    figure, axes = picture("monthly-2-paths", "2. Paths that need no network, from 1974-12 on", "pounds per cow")
    axes.plot(days[132:168], values[132:], color=BLUE, label="observed")
    axes.axvline(days[155], color=GREY, linewidth=0.8, linestyle=":")
    axes.plot(days[156:], np.exp(example.base[0]), color=PURPLE, linestyle="--", label="base path")
    for name, other, colour in zip(
        ("smoothed", "airline", "last year"), example.others[0], (ORANGE, GREEN, GREY), strict=True
    ):
        axes.plot(days[156:], np.exp(example.base[0] + other), color=colour, linewidth=1.1, label=name)
    save(figure)

    figure, axes = picture(
        "monthly-3-window",
        "3. What the network sees: five years less their level, in units of volatility",
        "volatilities",
    )
    axes.bar(np.arange(-60, 0), example.window[0], color=BLUE, width=0.8)
    axes.set_xlabel("months before the forecast; a series' own network takes the last twelve")
    save(figure)

    fitted = monthly_training.fit(MONTHLY, histories, series_seeds(MONTHLY.seed, ["milk"]))
    examples, _ = describe_histories(histories.values, histories.lengths, horizon=HORIZON)
    own = {name: tensor for name, tensor in fitted.networks.weights.items() if not name.startswith(monthly.JUDGES)}
    said = predict_local(MONTHLY, own, examples, np.zeros(1, np.int64))[0]
    mix = mix_paths(own["mix"].astype(np.float64), examples)[0]
    figure, axes = picture(
        "monthly-4-network",
        "4. What is said of each horizon, from the base path, in units of volatility",
        "volatilities",
    )
    ahead = np.arange(1, HORIZON + 1)
    axes.plot(ahead, mix, color=GREY, label="mix of the paths")
    axes.plot(ahead, said[:, MEDIAN], color=PURPLE, label="with the networks' correction")
    truth = (np.log(after) - examples.base[0]) / examples.scale[0]
    axes.plot(ahead, truth, color=BLUE, marker="o", markersize=3, linewidth=0, label="what happened")
    axes.set_xlabel("months ahead")
    save(figure)

    found = monthly.forecast(MONTHLY, fitted.networks, histories, positions=[0])
    figure, axes = picture(
        "monthly-5-intervals", "5. Back in pounds, with intervals as wide as held-out months say", "pounds per cow"
    )
    axes.plot(days[132:168], values[132:], color=BLUE, label="observed")
    axes.plot(days[156:], found.values[0], color=PURPLE, linestyle="--", label="forecast")
    for low, high, alpha in (("lower_95", "upper_95", 0.15), ("lower_80", "upper_80", 0.25)):
        axes.fill_between(
            days[156:], found.bounds[low][0], found.bounds[high][0], color=PURPLE, alpha=alpha, linewidth=0,
            label=f"{low[-2:]} % interval",
        )  # fmt: skip
    save(figure)
    print(f"{len(LEVELS)} quantiles, {HORIZON} horizons; pictures in {IMAGES}")


if __name__ == "__main__":
    main()
