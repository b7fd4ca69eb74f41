"""Draw the steps of the method monthly for the milk series: python docs/steps.py writes docs/images/monthly-*.png.

All numbers come from the functions that a run calls.
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
from forecasting.models.monthly.dataset import describe_histories
from forecasting.models.monthly.features import Examples
from forecasting.models.monthly.global_networks import LEVELS, MEDIAN
from forecasting.models.monthly.local_networks import mix_paths, predict_local
from forecasting.models.monthly.training import fit
from forecasting.models.types import Forecasts, Networks
from forecasting.numerics.seasonality import remove_season, seasonal_indices

IMAGES = Path(__file__).parent / "images"
BLUE, ORANGE, GREEN, PURPLE, GREY = "#1f77b4", "#ff7f0e", "#2ca02c", "#7b3fa0", "#7f7f7f"
HORIZON = MONTHLY.horizon
MONTHS = np.arange(np.datetime64("1962-01", "M"), np.datetime64("1976-01", "M"))
LENGTH = 156  # the history ends in 1974-12; the months of 1975 are forecast


def milk() -> Values:
    """Return the 168 months of milk production, in pounds per cow."""
    with importlib.resources.files("forecasting.examples").joinpath("milk.csv").open() as file:
        return np.array([float(row["milk"]) for row in csv.DictReader(file)])


def picture(name: str, title: str, unit: str) -> tuple[Figure, Any]:
    """Return a figure and its axes."""
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
    """Draw all pictures."""
    values = milk()
    histories = Histories(values[None, :LENGTH], np.array([LENGTH]), (Month.of(1974, 12),))
    examples, _ = describe_histories(histories.values, histories.lengths, horizon=HORIZON)
    networks = fit(MONTHLY, histories, series_seeds(MONTHLY.seed, ["milk"])).networks
    draw_season(np.log(values[:LENGTH])[:, None])
    draw_paths(values, examples)
    draw_window(examples)
    draw_quantiles(values[LENGTH:], examples, networks)
    draw_intervals(values, monthly.forecast(MONTHLY, networks, histories, positions=[0]))
    print(f"{len(LEVELS)} quantiles, {HORIZON} horizons; pictures in {IMAGES}")


def draw_season(logs: Values) -> None:
    """Step 1: the logs (months, 1), with and without their season."""
    adjusted = remove_season(logs, seasonal_indices(logs, np.array([LENGTH])))
    figure, axes = picture("monthly-1-season", "1. Logs, and the logs without their season", "log of pounds per cow")
    axes.plot(MONTHS[:LENGTH], logs[:, 0], color=BLUE, label="logs")
    axes.plot(MONTHS[:LENGTH], adjusted[:, 0], color=ORANGE, label="deseasonalised")
    save(figure)


def draw_paths(values: Values, examples: Examples) -> None:
    """Step 2: base path and alternative paths after the observed values (months,)."""
    figure, axes = picture("monthly-2-paths", "2. Paths that need no network, from 1974-12 on", "pounds per cow")
    axes.plot(MONTHS[132:], values[132:], color=BLUE, label="observed")
    axes.axvline(MONTHS[LENGTH - 1], color=GREY, linewidth=0.8, linestyle=":")
    axes.plot(MONTHS[LENGTH:], np.exp(examples.base_path[0]), color=PURPLE, linestyle="--", label="base path")
    names, colours = ("smoothed", "airline", "last year"), (ORANGE, GREEN, GREY)
    for name, path, colour in zip(names, examples.alternative_paths[0], colours, strict=True):
        axes.plot(MONTHS[LENGTH:], np.exp(examples.base_path[0] + path), color=colour, linewidth=1.1, label=name)
    save(figure)


def draw_window(examples: Examples) -> None:
    """Step 3: the window of the networks."""
    title = "3. The window: five years less their level, in units of volatility"
    figure, axes = picture("monthly-3-window", title, "volatilities")
    axes.bar(np.arange(-60, 0), examples.window[0], color=BLUE, width=0.8)
    axes.set_xlabel("months before the forecast; local networks get the last twelve")
    save(figure)


def draw_quantiles(actual: Values, examples: Examples, networks: Networks) -> None:
    """Step 4: residuals of the mix, of the networks' median and of the actual values (horizon,)."""
    weights = networks.weights
    quantiles = predict_local(MONTHLY, weights, examples, np.zeros(1, np.int64))[0]
    mix = mix_paths(weights["mix"].astype(np.float64), examples)[0]
    title = "4. Difference from the base path, in units of volatility"
    figure, axes = picture("monthly-4-network", title, "volatilities")
    ahead = np.arange(1, HORIZON + 1)
    axes.plot(ahead, mix, color=GREY, label="mix of the paths")
    axes.plot(ahead, quantiles[:, MEDIAN], color=PURPLE, label="mix, corrected by the networks")
    residuals = (np.log(actual) - examples.base_path[0]) / examples.scale[0]
    axes.plot(ahead, residuals, color=BLUE, marker="o", markersize=3, linewidth=0, label="observed")
    axes.set_xlabel("months ahead")
    save(figure)


def draw_intervals(values: Values, forecasts: Forecasts) -> None:
    """Step 5: the forecast and its intervals, in the unit of the series."""
    title = "5. The forecast in pounds, with intervals as wide as the errors of held-out months"
    figure, axes = picture("monthly-5-intervals", title, "pounds per cow")
    axes.plot(MONTHS[132:], values[132:], color=BLUE, label="observed")
    axes.plot(MONTHS[LENGTH:], forecasts.values[0], color=PURPLE, linestyle="--", label="forecast")
    for interval, alpha in (("95", 0.15), ("80", 0.25)):
        low, high = (forecasts.bounds[f"{side}_{interval}"][0] for side in ("lower", "upper"))
        label = f"{interval} % interval"
        axes.fill_between(MONTHS[LENGTH:], low, high, color=PURPLE, alpha=alpha, linewidth=0, label=label)
    save(figure)


if __name__ == "__main__":
    main()
