"""milkrun demo: a year of runs on the milk series."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecasting.cli.output import print_rows
from forecasting.cli.plot import draw_chart
from forecasting.cli.prefect_session import prefect_for_commands
from forecasting.domain.errors import InputError

if TYPE_CHECKING:
    from forecasting.storage.db.database import Database

FIRST_ORIGIN = "1974-12"
UNIT = "pounds per cow"
MARKER = "this-is-the-demo"

_DECISION_QUERY = "SELECT decision, decision_reason, detail FROM run_outcome ORDER BY run_id DESC LIMIT 1"
_ANY_SERIES_QUERY = "SELECT name FROM series LIMIT 1"
_OTHER_SERIES_QUERY = "SELECT name FROM series WHERE name <> 'milk' LIMIT 1"
_COMPARISON_QUERY = """
    SELECT to_char(m.month, 'YYYY-MM') AS month, m.actual, round(m.forecast::numeric, 1)::float AS monthly,
           round(f.lower_80::numeric, 1)::float AS lower_80, round(f.upper_80::numeric, 1)::float AS upper_80,
           m.seasonal_naive, round(c.forecast::numeric, 1)::float AS classic
    FROM forecast_versus_actual m
    JOIN forecast_versus_actual c USING (series, month, horizon)
    JOIN forecast_history f ON f.run_id = m.run_id AND f.series = m.series AND f.month = m.month
    WHERE m.horizon = 1 AND m.recipe = 'monthly' AND c.recipe = 'classic' ORDER BY month"""
_RMSE_QUERY = """
    SELECT recipe, split, n AS months, rmse, baseline_rmse AS seasonal_naive_rmse, naive_rmse, skill,
           to_char(run_origin, 'YYYY-MM') AS found_at
    FROM latest_rmse WHERE series = 'milk' AND horizon = 1
    ORDER BY recipe DESC, array_position(ARRAY['train', 'test', 'live'], split)"""
_FORECAST_QUERY = """
    SELECT to_char(month, 'YYYY-MM') AS month, horizon, round(value::numeric, 1)::float AS forecast,
           round(lower_80::numeric, 1)::float AS lower_80, round(upper_80::numeric, 1)::float AS upper_80, seasonal_naive
    FROM latest_forecast WHERE series = 'milk' ORDER BY horizon"""


@click.command()
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("milkrun-demo"),
    show_default=True,
    help="Folder of the demo and its own database; DATABASE_URL is not touched.",
)
def demo(home: Path) -> None:
    """Make the monthly runs on the milk series: at 1974-12, then month by month through 1975.

    Each month of 1975 is loaded as it would have arrived, then forecast. A demo empties the database of the one before.
    """
    from forecasting.domain.settings import Settings
    from forecasting.storage.db.database import open_database

    home = home.absolute()
    os.environ["MILKRUN_HOME"] = str(home)
    unset = "DATABASE_URL= " if os.environ.pop("DATABASE_URL", None) else ""
    for name in ("MILKRUN_SOURCES", "MILKRUN_DELIVERIES"):
        os.environ.pop(name, None)
    with open_database(Settings.from_environment()) as database:
        _empty_database(database, home / MARKER)
        with prefect_for_commands(log_lines=False):
            _run_months(database, home)
        _print_results(database)
        chart_file = home / "milk.png"
        draw_chart(database, "milk", chart_file)
    _print_next_commands(f"{unset}MILKRUN_HOME={shlex.quote(os.path.relpath(home))}", chart_file)


def _empty_database(database: "Database", marker: Path) -> None:
    """Empty the database of the demo. Raises InputError where it has series that no demo loaded.

    marker: a file that a demo leaves in its folder; where it exists, a series named milk is the demo's own.
    """
    from forecasting.storage.db.schema import ensure_migrated, migrate

    ensure_migrated(database)
    _, rows = _read(database, _OTHER_SERIES_QUERY if marker.exists() else _ANY_SERIES_QUERY)
    if rows:
        raise InputError(
            f"The database in {marker.parent} holds series of yours, such as {rows[0][0]!r}, and the demo empties its "
            "database at each start: give it another folder, with --home or make demo DEMO_HOME=/some/folder."
        )
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text("The database of this folder belongs to the demo, which empties it at each start.\n")
    migrate(database, "base")
    migrate(database)


def _run_months(database: "Database", home: Path) -> None:
    """Load the months up to 1974-12 and run, then do the same for each month of 1975."""
    import importlib.resources

    milk_file = importlib.resources.files("forecasting.examples").joinpath("milk.csv")
    header, *month_lines = milk_file.read_text().splitlines()
    first_lines = [line for line in month_lines if line[:7] <= FIRST_ORIGIN]
    click.echo(f"The milk series in {UNIT}, as known at {FIRST_ORIGIN}, then month by month.")
    click.echo("Prefect and TensorFlow start first: about 20 seconds.\n")
    for lines_of_month in (first_lines, *([line] for line in month_lines[len(first_lines) :])):
        file = home / "arrivals" / f"{lines_of_month[-1][:7]}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join([header, *lines_of_month]) + "\n")
        decision, reason, detail = _run_month(database, file)
        click.echo(f"  {file.stem}: {len(lines_of_month):3d} loaded, {decision} ({reason}): {detail}")


def _run_month(database: "Database", file: Path) -> Sequence[Any]:
    """Load a file and run both recipes; returns decision, reason and detail of the default recipe."""
    from flows.monthly import monthly_forecast
    from forecasting.domain.months import Month
    from forecasting.intake.columns import ColumnRoles
    from forecasting.intake.files import open_file
    from forecasting.intake.loads import load_observations

    source = open_file(file, ColumnRoles(unit=UNIT))
    load_observations(database, source, source=source.name, sha256=source.sha256, today=Month.parse(file.stem))
    for recipe in ("classic", "monthly"):  # of two runs from one origin, the one published last is the newest forecast
        monthly_forecast(recipe=recipe)
    _, [row] = _read(database, _DECISION_QUERY)
    return row


def _print_results(database: "Database") -> None:
    for title, query in (
        (f"Forecasts of 1975, one month ahead, and what happened ({UNIT})", _COMPARISON_QUERY),
        ("RMSE one month ahead; skill = 1 - rmse / rmse of the seasonal naive", _RMSE_QUERY),
        ("The newest forecast", _FORECAST_QUERY),
    ):
        click.echo()
        print_rows(*_read(database, query), title=title)
    click.echo(
        "monthly is the default recipe: networks that learn what a seasonal path misses, with intervals. classic is the\n"
        "published tutorial's network: it sees one month and knows no season, so that the seasonal naive beats it."
    )


def _read(database: "Database", query: str) -> tuple[Sequence[str], list[Sequence[Any]]]:
    from forecasting.storage.views.sql import run_query

    with run_query(database, query) as (columns, rows):
        return columns, list(rows)


def _print_next_commands(environment_prefix: str, chart_file: Path) -> None:
    program = shlex.quote(os.path.relpath(Path(sys.executable).with_name("milkrun")))
    click.echo(f"\nThe picture: {chart_file}\n\nTry next:")
    for command in (
        """sql "select month, value from latest_forecast where series = 'milk'\"""",
        "plan --every-series",
        "run --retrain always",
    ):
        click.echo(f"  {environment_prefix} {program} {command}")
