"""milkrun show, history, plot: one series."""

import json
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecasting.cli.explain import say_change
from forecasting.cli.output import as_objects, format_options, print_rows
from forecasting.domain.errors import InputError

if TYPE_CHECKING:
    from forecasting.reports.charts import Line, SeriesChart
    from forecasting.storage.db.database import Database

_FORECAST_COLUMNS = ("month", "forecast", "lower_80", "upper_80", "lower_95", "upper_95", "seasonal_naive")
_ORDER_COLUMNS = ("kind", "bundle_id", "why", "made_by", "made_at", "run_id")
_RMSE_COLUMNS = (
    "recipe",
    "split",
    "horizon",
    "n",
    "rmse",
    "seasonal_naive_rmse",
    "skill",
    "coverage_80",
    "coverage_95",
)


@click.command()
@click.argument("series")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def show(series: str, as_json: bool) -> None:
    """Show a SERIES: its months, how the newest run ended for it and why, its forecast, why that moved, and its RMSE."""
    from forecasting.storage.promotions import read_promotions
    from forecasting.storage.views.series import read_change, read_health, read_latest_forecast, read_latest_rmse

    with _database() as database, database.reading() as connection:
        health = read_health(connection, series)
        forecast, rmse = read_latest_forecast(connection, series), read_latest_rmse(connection, series)
        moved, changes = read_change(connection, series, None)
        orders = read_promotions(connection, series)
    if as_json:
        found = {
            **health,
            "forecast": as_objects(*forecast),
            "changes": as_objects(moved, changes),
            "rmse": as_objects(*rmse),
            "orders": as_objects(_ORDER_COLUMNS, orders),
        }
        [plain] = as_objects(list(found), [list(found.values())])
        click.echo(json.dumps(plain, indent=2))
        return
    click.echo("\n".join(_about(health)))
    for kind, bundle_id, why, made_by, made_at, run_id in orders:
        click.echo(
            f"After run {run_id}, {made_at:%Y-%m-%d %H:%M} UTC, {kind} by {made_by}: bundle {bundle_id[:12]}; {why}"
        )
    if forecast[1]:
        origin, published_at = (forecast[1][0][forecast[0].index(name)] for name in ("origin", "published_at"))
        title = f"\nForecast from {origin:%Y-%m}, in {health['unit'] or 'its unit'}, published {published_at:%Y-%m-%d %H:%M} UTC"
        print_rows(*_filled_columns(*forecast, _FORECAST_COLUMNS), title=title)
    if changes:
        click.echo(
            f"{say_change(dict(zip(moved, changes[0], strict=True)))} More: milkrun explain {shlex.quote(series)}"
        )
    if rmse[1]:
        title = "\nNewest RMSE; skill = 1 - rmse / rmse of the seasonal naive"
        print_rows(*_filled_columns(*rmse, _RMSE_COLUMNS), title=title)


def _about(health: dict[str, Any]) -> list[str]:
    """Say in sentences how a series stands."""
    unit = f", in {health['unit']}" if health["unit"] else ""
    span = f"{health['months']} months from {health['first_month']:%Y-%m} to {health['last_month']:%Y-%m}"
    lines = [f"{health['series']}: {span}{unit}{'' if health['active'] else '; switched off'}."]
    if health["run_id"] is None:
        return [*lines, "No published run has had it yet: milkrun run forecasts it."]
    reason = "" if health["reason"] == "ok" else f" ({health['reason']})"
    decision = f", {health['decision']} ({health['decision_reason']})" if health["decision"] else ""
    lines.append(f"Run {health['run_id']}, origin {health['run_origin']:%Y-%m}: {health['outcome']}{reason}{decision}.")
    return [*lines, health["detail"]] if health["detail"] else lines


def _filled_columns(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], wanted: Sequence[str]
) -> tuple[list[str], list[Sequence[Any]]]:
    """Keep the wanted columns that hold anything; months as YYYY-MM."""
    places = [columns.index(name) for name in wanted if any(row[columns.index(name)] is not None for row in rows)]
    return [columns[place] for place in places], [[_month(row[place]) for place in places] for row in rows]


def _month(value: Any) -> Any:
    return f"{value:%Y-%m}" if type(value) is date else value


@click.command()
@click.argument("series")
@click.option("--horizon", type=click.IntRange(min=1), default=1, show_default=True, help="Months ahead.")
@click.option("--rmse", is_flag=True, help="The RMSE that each run found, instead of the forecasts.")
@click.option(
    "--kind", type=click.Choice(["live", "backfill"]), default="live", show_default=True, help="Kind of runs."
)
@format_options
def history(series: str, horizon: int, rmse: bool, kind: str, output_format: str) -> None:
    """Show what was forecast of a SERIES, beside what happened; error = forecast - actual."""
    from forecasting.storage.views.series import read_history, read_rmse_trend

    read = read_rmse_trend if rmse else read_history
    with _database() as database, database.reading() as connection:
        columns, rows = read(connection, series, kind=kind, horizon=horizon)
    if output_format == "table":
        shown = [name for name in columns if name not in ("unit", "published_at")]
        columns, rows = _filled_columns(columns, rows, shown) if rows else (shown, [])
    print_rows(columns, rows, output_format, title=f"{series}, {horizon} months ahead" if horizon > 1 else "")


@click.command()
@click.argument("series")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="PNG or SVG file. [SERIES.png]")
@click.option(
    "--terminal", is_flag=True, help="Draw it here as well, in characters; on a terminal that is the default."
)
@click.option("--json", "as_json", is_flag=True, help="Print the lines of the picture as a JSON object.")
def plot(series: str, out: Path | None, terminal: bool, as_json: bool) -> None:
    """Draw a SERIES: observed (blue), predicted on the training (orange) and test part (green), and the forecast."""
    path = out or Path(re.sub(r"[^\w-]+", "_", series).strip("_") + ".png")
    if path.suffix not in (".png", ".svg"):
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}: name it .png or .svg.")
    with _database() as database:
        picture, chart = draw(database, series, path)
    if as_json:
        click.echo(json.dumps({"picture": str(picture), **_lines_of(chart)}, indent=2))
        return
    if terminal or sys.stdout.isatty():
        import shutil

        from forecasting.reports.terminal_chart import sketch_series

        width = min(shutil.get_terminal_size((100, 24)).columns, 120)
        click.echo(sketch_series(chart, width=width, coloured=sys.stdout.isatty()))
    click.echo(picture)


def draw(database: "Database", series: str, path: Path) -> "tuple[Path, SeriesChart]":
    """Draw a series into a file."""
    from forecasting.operations.series_review import review_series
    from forecasting.reports.charts import draw_series

    chart = review_series(database, series)
    return draw_series(chart, path), chart


def _lines_of(chart: "SeriesChart") -> dict[str, Any]:
    """Return what a picture shows: one object of months per line."""
    lines = ("observed", "train_predictions", "test_predictions", "forecast", "seasonal_naive")
    found: dict[str, Any] = {"series": chart.name, "unit": chart.unit, "recipe": chart.recipe}
    found |= {name: _by_month(getattr(chart, name)) for name in lines}
    for level, (lower, upper) in chart.intervals.items():
        found |= {f"lower_{level}": _by_month(lower), f"upper_{level}": _by_month(upper)}
    return found


def _by_month(line: "Line | None") -> dict[str, float] | None:
    if line is None:
        return None
    return {str(line.first + step): value for step, value in enumerate(line.values.tolist()) if value == value}


@contextmanager
def _database() -> "Iterator[Database]":
    from forecasting.domain.settings import Settings
    from forecasting.storage.db.schema import open_migrated_database

    with open_migrated_database(Settings.from_environment()) as database:
        yield database


COMMANDS: list[click.Command] = [show, history, plot]
