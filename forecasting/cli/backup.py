"""milkrun backup: the forecast database as a file."""

from pathlib import Path

import click


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
