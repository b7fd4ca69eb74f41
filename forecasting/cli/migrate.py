"""milkrun migrate, backup, restore: the upkeep of the forecast database."""

from pathlib import Path

import click


@click.command()
def migrate() -> None:
    """Bring the tables to this release; every command does so by itself where its role may."""
    from forecasting.domain.settings import Settings
    from forecasting.storage.db.schema import current_revision, open_migrated_database

    with open_migrated_database(Settings.from_environment()) as database:
        click.echo(f"The tables at {database.place} are at revision {current_revision(database)}.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write the forecast database into a FILE, in one snapshot, while runs go on (pg_dump's custom format)."""
    from forecasting.domain.settings import Settings
    from forecasting.storage.db.database import open_database
    from forecasting.storage.db.dumps import back_up

    with open_database(Settings.from_environment()) as database:
        back_up(database, file)
    click.echo(f"{file}: {file.stat().st_size:,} bytes. Restore it into an empty database with milkrun restore.")


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


COMMANDS: list[click.Command] = [migrate, backup, restore]
