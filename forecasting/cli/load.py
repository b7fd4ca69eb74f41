"""milkrun load: observations from a file."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecasting.cli.database import configured_database
from forecasting.cli.options import intake_options
from forecasting.cli.output import printable
from forecasting.domain.errors import InputError

if TYPE_CHECKING:
    from forecasting.domain.months import Month
    from forecasting.intake.columns import ColumnRoles
    from forecasting.intake.files import Source
    from forecasting.intake.loads import LoadResult
    from forecasting.storage.db.database import Database


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@intake_options
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of a CSV file.")
def load(file: Path, encoding: str, strict: bool, dry_run: bool, as_json: bool, **columns: Any) -> None:
    """Load observations from a CSV or Parquet FILE.

    Loading a file again stores nothing; a changed value is kept beside the old one, as a new vintage.
    Rows that cannot be accepted are stored with their line and the reason, and never stop the others.
    """
    from forecasting.intake.files import open_file

    source = open_file(file, column_roles(**columns), encoding=encoding)
    with configured_database() as database:
        load_source(database, source, strict=strict, dry_run=dry_run, as_json=as_json)


def column_roles(where: tuple[str, ...], **columns: Any) -> "ColumnRoles":
    """Return the roles of a source, from the options of load and pull. Raises InputError for a --where without `=`."""
    from forecasting.domain.settings import is_time_zone
    from forecasting.intake.columns import ColumnRoles

    unreadable = next((condition for condition in where if "=" not in condition), None)
    if unreadable is not None:
        raise InputError(f"--where {unreadable!r} cannot be read: write it as COLUMN=TEXT, such as split=train.")
    conditions = tuple((column, text) for column, _, text in (condition.partition("=") for condition in where))
    time_zone = columns.get("time_zone")
    if time_zone is not None and not is_time_zone(time_zone):
        raise InputError(f"--time-zone {time_zone!r} is not known: write a name such as Europe/Berlin.")
    return ColumnRoles(where=conditions, **columns)


def load_source(database: "Database", source: "Source", *, strict: bool, dry_run: bool, as_json: bool) -> None:
    """Load the observations of a source and print the counts; with as_json as a JSON object.

    Raises InputError where no row was accepted, or where one was rejected and strict forbids that.
    """
    from forecasting.domain.months import due_month
    from forecasting.domain.settings import user_name
    from forecasting.intake.loads import load_observations

    due = due_month(datetime.now(UTC), database.time_zone)
    result = load_observations(
        database,
        source,
        source=source.name,
        today=due + 1,
        sha256=source.sha256,
        strict=strict,
        dry_run=dry_run,
        rules=source.rules,
        made_by=user_name(),
    )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(result) | {"newest_month": _newest_month(result)}, indent=2))
    else:
        click.echo(printable(_count_lines(result, source.name, due)))
    if not result.rows_rejected:
        return
    rejections = _rejection_lines(result)
    if strict and not dry_run:
        raise InputError(f"Nothing was stored (--strict): {rejections}")
    if result.rows_rejected == result.rows_read:
        raise InputError(f"No row was accepted. {rejections}")
    click.echo(f"Warning: {rejections}", err=True)


def _count_lines(result: "LoadResult", source: str, due: "Month") -> str:
    """Return the counts of a load as lines; due: the newest month that is over."""
    storage = f"{'the same as' if result.is_repetition else 'stored as'} load {result.load_id}"
    storage = "not stored" if result.load_id is None else storage
    counts = (
        (result.rows_added, "added (new months or changed values)"),
        (result.rows_unchanged, "unchanged"),
        (result.rows_collapsed, "collapsed (the same value twice, or joined with others of its month)"),
        (result.rows_rejected, "rejected"),
    )
    lines = [f"{source}: {result.rows_read:,} observations read, {storage}."]
    lines += [f"  {count:>12,} {meaning}" for count, meaning in counts]
    lines += [f"New series: {result.new_series:,}. Newest month: {_newest_month(result) or 'none'}."]
    if result.newest_month is not None and result.newest_month > due:
        lines += [
            f"{result.newest_month} is not over: its values are kept, and count from {result.newest_month + 1} on."
        ]
    return "\n".join(lines)


def _rejection_lines(result: "LoadResult") -> str:
    lines = [f"{result.rows_rejected:,} of {result.rows_read:,} rows were rejected:"]
    lines += [f"  line {row.line}: {row.raw}\n    {row.reason}" for row in result.rejected]
    if result.rows_rejected > len(result.rejected):
        lines += [f"  … and {result.rows_rejected - len(result.rejected):,} more."]
    if result.load_id is not None:
        query = f"select * from rejected_row where load_id = {result.load_id}"  # noqa: S608 - shown, not run
        lines += [f'All of them: milkrun sql "{query}"']
    return "\n".join(lines)


def _newest_month(result: "LoadResult") -> str | None:
    return None if result.newest_month is None else str(result.newest_month)
