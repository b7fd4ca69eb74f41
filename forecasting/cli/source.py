"""milkrun source: where runs pull observations from."""

import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from forecasting.cli.database import url_finder
from forecasting.cli.load import column_roles
from forecasting.cli.options import column_options, format_options
from forecasting.cli.output import print_rows, print_settings, printable
from forecasting.domain.errors import EXIT_DONE, EXIT_ENVIRONMENT, InputError

if TYPE_CHECKING:
    from forecasting.intake.source_settings import SourceSettings

SHOWN_ROWS = 5


@click.group()
def source() -> None:
    """Say where runs pull observations from; a source is a TOML file in the folder `sources` of MILKRUN_HOME."""


@source.command()
@click.argument("name")
@click.option(
    "--url-from", metavar="VARIABLE", help="Variable with the URL of a database, or a Prefect block TYPE/NAME."
)
@click.option("--table", help="Table or view to read, with its schema if it needs one.")
@click.option("--query", help="Query to read instead of a table.")
@click.option("--path", help="File or pattern of files instead of a database, local or at a URL that fsspec reads.")
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of CSV files.")
@column_options
@click.option("--optional", is_flag=True, help="A run goes on where this source fails.")
@click.option("--overlap", default=6, show_default=True, metavar="MONTHS", help="Newest months that are read again.")
@click.option("--no-test", is_flag=True, help="Write the file without reading the source first.")
def add(name: str, where: tuple[str, ...], optional: bool, no_test: bool, **options: Any) -> None:
    """Add a source NAME; it is read once first, so that a mistake shows at once."""
    from forecasting.domain.settings import Settings
    from forecasting.domain.settings_files import write_settings
    from forecasting.intake.columns import ColumnRoles
    from forecasting.intake.file_patterns import absolute_path
    from forecasting.intake.source_settings import SourceSettings

    role_names = {field.name for field in dataclasses.fields(ColumnRoles)} - {"where"}
    roles = column_roles(where, **{option: options.pop(option) for option in role_names})
    options["path"] = options["path"] and absolute_path(options["path"])
    settings = SourceSettings(name, **options, roles=roles, required=not optional)
    if not no_test:
        click.echo(printable(_test(settings)))
    path = Settings.from_environment().sources_folder / f"{name}.toml"
    write_settings(settings.as_json(), path, "source")
    click.echo(f"Stored in {path}. The next run pulls it; milkrun plan says what it would read.")


@source.command("list")
@format_options
def list_sources(output_format: str) -> None:
    """List the sources, and how the newest pull of each ended."""
    from forecasting.domain.settings import Settings
    from forecasting.intake.source_settings import read_sources
    from forecasting.storage.db.schema import open_migrated_database
    from forecasting.storage.pulls import read_newest_pulls

    settings = Settings.from_environment()
    sources = read_sources(settings.sources_folder)
    with open_migrated_database(settings) as database, database.reading() as connection:
        newest = read_newest_pulls(connection)
    columns = ["source", "required", "reads", "newest_month", "rows_read", "pulled_at", "error"]
    rows = []
    for each in sources:
        pull = newest.get(each.name)
        result = [pull.newest_month, pull.rows_read, pull.ended_at, pull.error] if pull else [None] * 4
        rows.append([each.name, each.required, _place(each), *result])
    print_rows(columns, rows, output_format)


def _place(settings: "SourceSettings") -> str:
    from forecasting.intake.file_patterns import public_pattern

    if settings.path is not None:
        return public_pattern(settings.path)
    return f"{settings.url_from}, {f'table {settings.table}' if settings.table else f'query {settings.query}'}"


@source.command()
@click.argument("name")
def show(name: str) -> None:
    """Show the settings of the source NAME, as its file has them."""
    from forecasting.domain.settings import Settings
    from forecasting.intake.source_settings import find_source

    folder = Settings.from_environment().sources_folder
    print_settings(folder / f"{name}.toml", find_source(name, folder).as_json())


@source.command()
@click.argument("name")
def test(name: str) -> None:
    """Read the source NAME without storing anything, and show its first rows."""
    from forecasting.domain.settings import Settings
    from forecasting.intake.source_settings import find_source

    click.echo(printable(_test(find_source(name, Settings.from_environment().sources_folder))))


def _test(settings: "SourceSettings") -> str:
    """Return what the first rows of a source say. Raises InputError where it cannot be read, or where it has no row."""
    from forecasting.intake.source_settings import open_source

    with url_finder([settings.url_from]) as find_url:
        source_rows = open_source(settings, find_url=find_url)
        first_batch = next((batch for batch in source_rows if batch.num_rows), None)
    if first_batch is None:
        raise InputError(f"{source_rows.name} holds no observation.")
    rows = first_batch.slice(0, SHOWN_ROWS).select(["series", "month", "value"]).to_pylist()
    lines = [f"  {row['series']}, {row['month']}: {row['value']}" for row in rows]
    return "\n".join([f"{source_rows.name} can be read. Its first observations, as text:", *lines])


@source.command()
@click.argument("names", nargs=-1)
@click.option("--full", is_flag=True, help="Read all months, and not only the newest ones.")
def pull(names: tuple[str, ...], full: bool) -> int:
    """Pull the sources NAMES, or all, without a run."""
    from forecasting.domain.errors import MilkrunError
    from forecasting.domain.settings import Settings, user_name
    from forecasting.intake.pulls import PullContext, pull_source, record_failure
    from forecasting.intake.source_settings import find_source, read_sources
    from forecasting.storage.db.schema import open_migrated_database

    settings = Settings.from_environment()
    folder = settings.sources_folder
    sources = [find_source(name, folder) for name in names] if names else read_sources(folder)
    if not sources:
        raise InputError(f"There is no source in {folder}: milkrun source add makes one.")
    results = []
    with url_finder(each.url_from for each in sources) as find_url, open_migrated_database(settings) as database:
        context = PullContext(datetime.now(UTC), settings.timezone, user_name(), None, find_url)
        for each in sources:
            try:
                results.append(pull_source(database, each, context, full=full))
            except MilkrunError as failure:
                results.append(record_failure(database, each, context, failure, 0.0))
            click.echo(printable(results[-1].sentence), err=results[-1].error is not None)
    return EXIT_ENVIRONMENT if any(result.error for result in results) else EXIT_DONE


@source.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove the source NAME; its observations and the record of its pulls stay."""
    from forecasting.domain.settings import Settings
    from forecasting.domain.settings_files import find_settings_file

    find_settings_file(name, Settings.from_environment().sources_folder, "source").unlink()
    click.echo(f"Source {name} is removed: runs pull it no more. Its observations stay.")
