"""milkrun sql: a query on the forecast database."""

from typing import Any

import click

from forecasting.cli.database import configured_database
from forecasting.cli.options import format_options
from forecasting.cli.output import print_rows
from forecasting.domain.errors import InputError


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
    with configured_database() as database, run_query(database, statement, seconds=timeout) as (columns, rows):
        if columns:
            print_rows(columns, rows, output_format)
