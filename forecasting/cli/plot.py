"""milkrun plot: the chart of one series."""

import hashlib
import json
import math
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecasting.cli.database import configured_database
from forecasting.domain.errors import InputError

if TYPE_CHECKING:
    from forecasting.reports.charts import Line, SeriesChart
    from forecasting.storage.db.database import Database


@click.command()
@click.argument("series")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="PNG or SVG file. [SERIES.png]")
@click.option(
    "--terminal", is_flag=True, help="Draw it here as well, in characters; on a terminal that is the default."
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the lines of the chart as a JSON object, instead of the drawing in characters; the file is written as well.",
)
def plot(series: str, out: Path | None, terminal: bool, as_json: bool) -> None:
    """Draw a SERIES into a PNG or SVG file and print its path.

    Lines: observed (blue), predicted on the training part (orange) and on the test part (green), forecast (purple), and
    seasonal naive (grey).
    """
    path = out or Path(chart_file_name(series))
    if path.suffix not in (".png", ".svg"):
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}: name it .png or .svg.")
    with configured_database() as database:
        chart = draw_chart(database, series, path)
    if chart.missing_predictions_reason:
        click.echo(f"Predictions of past months are missing. {chart.missing_predictions_reason}", err=True)
    if as_json:
        click.echo(json.dumps({"picture": str(path), **_json_lines(chart)}, indent=2))
        return
    if terminal or sys.stdout.isatty():
        import shutil

        from forecasting.reports.terminal_chart import sketch_series

        width = min(shutil.get_terminal_size((100, 24)).columns, 120)
        click.echo(sketch_series(chart, width=width, coloured=sys.stdout.isatty()))
    click.echo(path)


def chart_file_name(series: str) -> str:
    """Return the name of the PNG file of a series; where it cannot be that of the series, a digest tells it from others."""
    stem = re.sub(r"[^\w-]+", "_", series).strip("_").encode()[:100].decode(errors="ignore")
    if stem != series:
        stem = f"{stem}-{hashlib.sha256(series.encode()).hexdigest()[:8]}".lstrip("-")
    return f"{stem}.png"


def draw_chart(database: "Database", series: str, path: Path) -> "SeriesChart":
    """Draw a series into a PNG or SVG file; returns what the chart shows."""
    from forecasting.operations.series_review import review_series
    from forecasting.reports.charts import draw_series

    chart = review_series(database, series)
    draw_series(chart, path)
    return chart


def _json_lines(chart: "SeriesChart") -> dict[str, Any]:
    """Return the lines of a chart as JSON values: for each line its values by month."""
    lines: dict[str, Any] = {
        "series": chart.name,
        "unit": chart.unit,
        "recipe": chart.recipe,
        "observed": _values_by_month(chart.observations),
        "train_predictions": _values_by_month(chart.train_predictions),
        "test_predictions": _values_by_month(chart.test_predictions),
        "forecast": _values_by_month(chart.forecast),
        "seasonal_naive": _values_by_month(chart.seasonal_naive),
    }
    for level, (lower, upper) in chart.intervals.items():
        lines |= {f"lower_{level}": _values_by_month(lower), f"upper_{level}": _values_by_month(upper)}
    return lines


def _values_by_month(line: "Line | None") -> dict[str, float] | None:
    """Return the values of a line by month, YYYY-MM, without the months that have none; None where there is no line."""
    if line is None:
        return None
    return {
        str(line.first + offset): value for offset, value in enumerate(line.values.tolist()) if not math.isnan(value)
    }
