"""milkrun restore: the forecast database from a file of milkrun backup."""

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Read a backup FILE into an empty database, whole or not at all."""
    from forecasting.domain.settings import Settings
    from forecasting.storage.db import dumps
    from forecasting.storage.db.database import open_database
    from forecasting.storage.db.schema import current_revision, ensure_migrated

    with open_database(Settings.from_environment()) as database:
        dumps.restore(database, file)
        ensure_migrated(database)
        click.echo(f"{file} is restored into {database.place}, at revision {current_revision(database)}.")
