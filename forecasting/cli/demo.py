"""milkrun demo, plot: see it work on the milk series; draw a series."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecasting.cli.output import print_rows
from forecasting.cli.rounds import prefect_for_commands
from forecasting.errors import InputError

if TYPE_CHECKING:
    from forecasting.storage.database import Database

FIRST_ORIGIN = "1974-12"


@click.command()
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("milkrun-demo"),
    show_default=True,
    help="Folder of the demo and its own database; DATABASE_URL is not touched.",
)
def demo(home: Path) -> None:
    """Run the monthly round on the milk series: once at 1974-12, then month by month through 1975.

    Each month of 1975 is loaded as it would have arrived, then forecast. The demo begins anew each time.
    """
    from forecasting.settings import Settings
    from forecasting.storage.database import open_database

    os.environ["MILKRUN_HOME"] = str(home.absolute())
    os.environ.pop("DATABASE_URL", None)
    with open_database(Settings.from_environment()) as database:
        _begin_anew(database)
        with prefect_for_commands():
            _run_months(database, home)
        _show(database)
        picture = _draw(database, "milk", home / "milk.png")
    _tell_what_next(home, picture)


def _begin_anew(database: "Database") -> None:
    from forecasting.storage.database import ensure_migrated, migrate
    from forecasting.storage.panels import series_names

    ensure_migrated(database)
    with database.reading() as connection:
        others = sorted(set(series_names(connection)) - {"milk"})
    if others:
        raise InputError(
            f"The folder holds a database with other series ({others[0]}): the demo empties its database at each start, "
            "so give it a folder of its own with --home."
        )
    migrate(database, "base")
    migrate(database)


def _run_months(database: "Database", home: Path) -> None:
    """Load the months up to 1974-12 and run, then do the same for each month of 1975."""
    import importlib.resources

    lines = importlib.resources.files("forecasting.examples").joinpath("milk.csv").read_text().splitlines()
    header, months = lines[0], lines[1:]
    known = [line for line in months if line[:7] <= FIRST_ORIGIN]
    arrivals = [known, *([line] for line in months[len(known) :])]
    click.echo(f"Loading the milk series (pounds per cow) up to {FIRST_ORIGIN} and starting Prefect: about 20 seconds.")
    rows = []
    for arrived in arrivals:
        file = home / "arrivals" / f"{arrived[-1][:7]}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join([header, *arrived]) + "\n")
        rows.append(_run_month(database, file))
        click.echo(f"  {rows[-1][0]}: {len(arrived):3d} new, network {rows[-1][1]}", err=not sys.stdout.isatty())
    click.echo()
    click.echo("What each monthly run decided")
    print_rows(["origin", "network", "reason", "why"], rows)


def _run_month(database: "Database", file: Path) -> list[str]:
    from flows.monthly import monthly_forecast
    from forecasting.cli.data import load_file
    from forecasting.storage.runs import read_outcomes

    load_file(database, file, unit="pounds per cow")
    summary = monthly_forecast(series=["milk"])
    with database.reading() as connection:
        [outcome] = read_outcomes(connection, summary.run.run_id)
    decided = {"retrain": "retrained", "reuse": "reused"}[outcome.decision]
    return [str(summary.run.origin), decided, outcome.decision_reason, outcome.detail]
