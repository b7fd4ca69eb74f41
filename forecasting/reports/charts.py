"""Charts of one series, as PNG or SVG."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.dates
import numpy as np
from matplotlib.figure import Figure

from forecasting.domain.months import Month
from forecasting.domain.panel import Values
from forecasting.domain.vocabulary import Split
from forecasting.reports.labels import SPLIT_LABELS

# The first three are the colours of the tutorial. Colour-blind readers can distinguish them; the lines differ in style as well.
BLUE, ORANGE, GREEN, PURPLE, GREY = "#1f77b4", "#ff7f0e", "#2ca02c", "#7b3fa0", "#7f7f7f"


@dataclass(frozen=True)
class Line:
    """Values of consecutive months from `first` on, NaN where there is none; in the unit of the series."""

    first: Month
    values: Values


@dataclass(frozen=True)
class SeriesChart:
    """The lines of the chart of one series. intervals: their lower and upper bounds, by percent.

    missing_predictions_reason: why the networks of the forecast can no longer be read, so that there are no predictions of
    past months; None where they can.
    """

    name: str
    unit: str | None
    recipe: str
    observations: Line
    train_predictions: Line | None = None
    test_predictions: Line | None = None
    forecast: Line | None = None
    seasonal_naive: Line | None = None
    intervals: dict[int, tuple[Line, Line]] = field(default_factory=dict)
    missing_predictions_reason: str | None = None


def draw_series(chart: SeriesChart, path: Path) -> Path:
    """Draw a series with its predictions and its forecast; the suffix of the path (.png, .svg) chooses the format.

    Predictions are one month ahead and stand at the month that they are for.
    """
    figure = Figure(figsize=(11, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    lines: list[tuple[Line | None, str, dict[str, Any]]] = [
        (chart.observations, "observed", {"color": BLUE, "linewidth": 1.6}),
        (chart.train_predictions, f"predicted, {SPLIT_LABELS[Split.TRAIN]}", {"color": ORANGE, "linewidth": 1.3}),
        (chart.test_predictions, f"predicted, {SPLIT_LABELS[Split.TEST]}", {"color": GREEN, "linewidth": 1.3}),
        (chart.seasonal_naive, "seasonal naive", {"color": GREY, "linewidth": 1.2, "linestyle": ":"}),
        (chart.forecast, "forecast", {"color": PURPLE, "linewidth": 1.6, "linestyle": "--"}),
    ]
    for level, (lower, upper) in sorted(chart.intervals.items(), reverse=True):
        label = f"{level} % interval"
        axes.fill_between(
            _days(lower),
            lower.values,
            upper.values,
            color=PURPLE,
            alpha=0.28 if level < 90 else 0.16,
            linewidth=0,
            label=label,
        )
    for line, label, style in lines:
        if line is not None:
            axes.plot(_days(line), line.values, label=label, **style)
    # Names are text, not formulas: a dollar sign in one means dollars.
    title = f"{chart.name}: observed, predicted one month ahead and forecast (recipe {chart.recipe})"
    axes.set_title(title, loc="left", parse_math=False)
    axes.set_xlabel("month")
    axes.set_ylabel(chart.unit or "value", parse_math=False)
    locator = matplotlib.dates.AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(matplotlib.dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=7, frameon=False, fontsize="small", columnspacing=1.4)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    return path


def _days(line: Line) -> np.ndarray:
    return line.first.to_datetime64() + np.arange(len(line.values))
