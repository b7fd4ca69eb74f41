"""milkrun pull: observations from another database."""

from typing import Any

import click

from forecasting.cli.database import configured_database
from forecasting.cli.load import column_roles, load_source
from forecasting.cli.options import intake_options
from forecasting.domain.errors import InputError


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
@intake_options
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
    from forecasting.storage.views.sql import query_url

    if (table is None) == (query is None):
        raise InputError("Give either --table or --query.")
    selection = Selection(table, query, None if since is None else Month.parse(since))
    roles = column_roles(**columns)
    with configured_database() as database:
        source = open_database_source(query_url(database) if url == "own" else url, selection, roles)
        load_source(database, source, strict=strict, dry_run=dry_run, as_json=as_json)
