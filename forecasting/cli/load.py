"""milkrun load, pull, sql: data in, queries out."""

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from forecasting.cli.output import format_options, print_rows
from forecasting.domain.errors import InputError

if TYPE_CHECKING:
    from forecasting.intake.columns import ColumnLayout
    from forecasting.intake.files import Source
    from forecasting.intake.loads import LoadResult
    from forecasting.storage.db.database import Database

Function = TypeVar("Function", bound=Callable[..., Any])

_INTAKE_OPTIONS = (
    click.option(
        "--form",
        type=click.Choice(["long", "wide"]),
        help="One row per observation, or one column per series. [found from the columns]",
    ),
    click.option("--series-column", help="Column with the name of the series. [series, unique_id, id or name]"),
    click.option("--month-column", help="Column with the month. [month, ds or date]"),
    click.option("--value-column", help="Column with the value. [value or y]"),
    click.option("--unit-column", help="Column with the unit. [unit]"),
    click.option("--series", metavar="NAME", help="The one series of a source without a column for it."),
    click.option("--unit", help="The unit of every value."),
    click.option("--where", multiple=True, metavar="COLUMN=TEXT", help="Take only these rows; may be repeated."),
    click.option("--strict", is_flag=True, help="Store nothing if any row is rejected."),
    click.option("--dry-run", is_flag=True, help="Check everything and report; store nothing."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as a JSON object."),
)


def _intake_options(command: Function) -> Function:
    for option in reversed(_INTAKE_OPTIONS):
        command = option(command)
    return command


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@_intake_options
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of a CSV file.")
def load(file: Path, encoding: str, strict: bool, dry_run: bool, as_json: bool, **columns: Any) -> None:
    """Load observations from a CSV or Parquet FILE.

    Loading a file again adds nothing; a changed value is kept beside the old one, as a new vintage.
    Rows that cannot be accepted are stored with their line and the reason, and never stop the others.
    """
    from forecasting.intake.files import open_file

    source = open_file(file, _layout(**columns), encoding=encoding)
    with _database() as database:
        _take_in(database, source, strict=strict, dry_run=dry_run, as_json=as_json)


@click.command()
@click.option(
    "--from",
    "url",
    required=True,
    envvar="MILKRUN_SOURCE_URL",
    show_envvar=True,
    metavar="URL",
    help="SQLAlchemy URL of the source, or `own` for Milkrun's own database.",
)
@click.option("--table", help="Table or view to read, with its schema if it needs one.")
@click.option("--query", help="Query to read instead of a table.")
@click.option("--since", metavar="MONTH", help="Read only months from this one on.")
@_intake_options
def pull(
    url: str,
    table: str | None,
    query: str | None,
    since: str | None,
    strict: bool,
    dry_run: bool,
    as_json: bool,
    **columns: Any,
) -> None:
    """Pull observations from a table or a query of a database.

    The source is only read. Values already known add nothing, so a pull may be repeated as often as wanted. Put a URL
    with a password into the environment variable, where the list of processes does not show it.
    """
    from forecasting.domain.months import Month
    from forecasting.intake.databases import Selection, open_database_source

    if (table is None) == (query is None):
        raise InputError("Give either --table or --query.")
    selection = Selection(table, query, None if since is None else Month.parse(since))
    layout = _layout(**columns)
    with _database() as database:
        source = open_database_source(database.engine.url if url == "own" else url, selection, layout)
        _take_in(database, source, strict=strict, dry_run=dry_run, as_json=as_json)


@click.command()
@click.argument("query", required=False)
@click.option("--file", type=click.File(), help="Read the query from a file; - is the standard input.")
@click.option("--timeout", type=click.IntRange(min=1), default=60, show_default=True, help="Seconds it may take.")
@format_options
def sql(query: str | None, file: Any, timeout: int, output_format: str) -> None:
    """Run a QUERY on the forecast database, which it cannot change, and print its rows."""
    from forecasting.storage.views.sql import run_query

    if (query is None) == (file is None):
        raise InputError("Give either a query or --file.")
    statement = query if query is not None else file.read()
    with _database() as database, run_query(database, statement, seconds=timeout) as (names, rows):
        if names:
            print_rows(names, rows, output_format)


COMMANDS: list[click.Command] = [load, pull, sql]


@contextlib.contextmanager
def _database() -> "Iterator[Database]":
    from forecasting.domain.settings import Settings
    from forecasting.storage.db.schema import open_migrated_database

    with open_migrated_database(Settings.from_environment()) as database:
        yield database


def _layout(where: tuple[str, ...], **columns: str | None) -> "ColumnLayout":
    from forecasting.intake.columns import ColumnLayout

    wrong = next((condition for condition in where if "=" not in condition), None)
    if wrong is not None:
        raise InputError(f"--where {wrong!r} cannot be read: write it as COLUMN=TEXT, such as split=train.")
    pairs = tuple((column, wanted) for column, _, wanted in (condition.partition("=") for condition in where))
    return ColumnLayout(where=pairs, **columns)


def _take_in(database: "Database", source: "Source", *, strict: bool, dry_run: bool, as_json: bool) -> None:
    from forecasting.domain.months import Month
    from forecasting.intake.loads import load_observations

    result = load_observations(
        database,
        source,
        source=source.name,
        today=Month.containing(datetime.now(UTC)),
        sha256=source.sha256,
        strict=strict,
        dry_run=dry_run,
    )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(result) | {"newest_month": _month(result)}, indent=2))
    else:
        click.echo(_summary(result, source.name))
    if not result.rows_rejected:
        return
    rejections = _rejections(result)
    if strict and not dry_run:
        raise InputError(f"Nothing was stored (--strict): {rejections}")
    if result.rows_rejected == result.rows_read:
        raise InputError(f"No row was accepted. {rejections}")
    click.echo(f"Warning: {rejections}", err=True)


def _summary(result: "LoadResult", source: str) -> str:
    stored = "not stored" if result.load_id is None else f"stored as load {result.load_id}"
    counts = (
        (result.rows_added, "added (new months or changed values)"),
        (result.rows_unchanged, "unchanged"),
        (result.rows_collapsed, "collapsed (the same value twice)"),
        (result.rows_rejected, "rejected"),
    )
    lines = [f"{source}: {result.rows_read:,} observations read, {stored}."]
    lines += [f"  {count:>12,} {meaning}" for count, meaning in counts]
    lines += [f"New series: {result.new_series:,}. Newest month: {_month(result) or 'none'}."]
    return "\n".join(lines)


def _rejections(result: "LoadResult") -> str:
    lines = [f"{result.rows_rejected:,} of {result.rows_read:,} rows were rejected:"]
    lines += [f"  line {row.line}: {row.raw}\n    {row.reason}" for row in result.rejected]
    if result.rows_rejected > len(result.rejected):
        lines += [f"  … and {result.rows_rejected - len(result.rejected):,} more."]
    if result.load_id is not None:
        query = f"select * from rejected_row where load_id = {result.load_id}"  # noqa: S608 - shown, not run
        lines += [f'All of them: milkrun sql "{query}"']
    return "\n".join(lines)


def _month(result: "LoadResult") -> str | None:
    return None if result.newest_month is None else str(result.newest_month)
