"""milkrun migrate: the tables of the forecast database, at this release."""

import click

from forecasting.cli.database import configured_database


@click.command()
def migrate() -> None:
    """Bring the tables to this release; every command does so by itself where its role may."""
    from forecasting.storage.db.schema import current_revision

    with configured_database() as database:
        click.echo(f"The tables at {database.place} are at revision {current_revision(database)}.")
