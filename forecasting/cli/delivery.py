"""milkrun delivery: where published runs are written to."""

from functools import partial
from typing import TYPE_CHECKING

import click

from forecasting.cli.database import url_finder
from forecasting.cli.options import format_options
from forecasting.cli.output import print_rows, print_settings, printable
from forecasting.domain.errors import EXIT_DONE, EXIT_ENVIRONMENT, InputError

if TYPE_CHECKING:
    from forecasting.operations.deliveries import DeliverySettings


@click.group()
def delivery() -> None:
    """Say where published runs are written to; a delivery is a TOML file in the folder `deliveries` of MILKRUN_HOME."""


@delivery.command()
@click.argument("name")
@click.option(
    "--url-from", metavar="VARIABLE", help="Variable with the URL of a database, or a Prefect block TYPE/NAME."
)
@click.option("--table", help="Table that gets the forecasts; it is made where it is missing.")
@click.option("--rmse-table", help="Table that gets the RMSE history. [the table, with _rmse at its end]")
@click.option("--path", help="Folder of Parquet files instead of a database, or a URL that fsspec writes to.")
def add(name: str, url_from: str | None, table: str | None, rmse_table: str | None, path: str | None) -> None:
    """Add a delivery NAME: each live run is written there after it is published, beginning with the newest."""
    from forecasting.domain.settings import Settings
    from forecasting.domain.settings_files import write_settings
    from forecasting.intake.file_patterns import absolute_path
    from forecasting.operations.deliveries import DeliverySettings

    settings = DeliverySettings(name, url_from, table, rmse_table, path and absolute_path(path))
    if url_from is not None:
        _connect(settings)
    file = Settings.from_environment().deliveries_folder / f"{name}.toml"
    write_settings(settings.as_json(), file, "delivery")
    click.echo(f"Stored in {file}. The next run delivers to it; milkrun delivery send does so at once.")


def _connect(settings: "DeliverySettings") -> None:
    """Open a connection to the database of a delivery; raises the errors of `deliver` where that fails."""
    from forecasting.storage.db.other_databases import open_other_database

    url_from = str(settings.url_from)
    with url_finder([url_from]) as find_url:
        other = open_other_database(find_url(url_from), is_read_only=False)
    with other.connecting():
        click.echo(f"{other.name} can be reached.")


@delivery.command("list")
@format_options
def list_deliveries(output_format: str) -> None:
    """List the deliveries, and how the newest attempt of each ended."""
    from forecasting.domain.settings import Settings
    from forecasting.operations.deliveries import read_deliveries, undelivered_runs
    from forecasting.storage.db.schema import open_migrated_database
    from forecasting.storage.deliveries import read_newest_deliveries

    settings = Settings.from_environment()
    rows = []
    with open_migrated_database(settings) as database:
        with database.reading() as connection:
            newest = read_newest_deliveries(connection)
        for each in read_deliveries(settings.deliveries_folder):
            attempt = newest.get(each.name)
            result = [attempt.run_id, attempt.ended_at, attempt.error] if attempt else [None] * 3
            rows.append([each.name, each.place, len(undelivered_runs(database, each)), *result])
    print_rows(["delivery", "place", "runs_to_deliver", "newest_run", "ended_at", "error"], rows, output_format)


@delivery.command()
@click.argument("name")
def show(name: str) -> None:
    """Show the settings of the delivery NAME, as its file has them."""
    from forecasting.domain.settings import Settings
    from forecasting.operations.deliveries import find_delivery

    folder = Settings.from_environment().deliveries_folder
    print_settings(folder / f"{name}.toml", find_delivery(name, folder).as_json())


@delivery.command()
@click.argument("names", nargs=-1)
def send(names: tuple[str, ...]) -> int:
    """Deliver now what the deliveries NAMES, or all, lack."""
    from forecasting.domain.settings import Settings, user_name
    from forecasting.operations.deliveries import (
        deliver,
        deliver_missing,
        find_delivery,
        read_deliveries,
    )
    from forecasting.storage.db.schema import open_migrated_database

    settings = Settings.from_environment()
    folder = settings.deliveries_folder
    deliveries = [find_delivery(name, folder) for name in names] if names else read_deliveries(folder)
    if not deliveries:
        raise InputError(f"There is no delivery in {folder}: milkrun delivery add makes one.")
    has_failed = False
    with url_finder(each.url_from for each in deliveries) as find_url, open_migrated_database(settings) as database:
        for each in deliveries:
            deliver_one = partial(deliver, database, each, made_by=user_name(), find_url=find_url)
            results = list(deliver_missing(database, each, deliver_one, made_by=user_name()))
            if not results:
                click.echo(f"{each.name} has every published run.")
            for result in results:
                click.echo(printable(result.sentence), err=result.error is not None)
                has_failed = has_failed or result.error is not None
    return EXIT_ENVIRONMENT if has_failed else EXIT_DONE


@delivery.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove the delivery NAME; what it has delivered stays."""
    from forecasting.domain.settings import Settings
    from forecasting.domain.settings_files import find_settings_file

    find_settings_file(name, Settings.from_environment().deliveries_folder, "delivery").unlink()
    click.echo(f"Delivery {name} is removed: runs are written there no more. What it has stays.")
