"""Backup and restore of the forecast database with pg_dump and pg_restore from the embedded package."""

import os
import subprocess
from pathlib import Path

from sqlalchemy import URL, text

from forecasting.domain.errors import EnvironmentFailure, InputError
from forecasting.storage.db.database import Database
from forecasting.storage.db.programs import binaries


def program(name: str) -> str:
    """Return the path of a packaged program such as pg_dump; its version 18 works with every server from 14 on."""
    return str(binaries() / name)


def back_up(database: Database, file: Path) -> None:
    """Write the schema milkrun into a file in the custom format of pg_dump, as it is at one moment; runs can go on.

    The file gets its name when it is complete. Raises InputError where it exists already.
    """
    if file.exists():
        raise InputError(f"{file} exists: choose another name, so that no backup is lost.")
    unfinished = file.with_name(f"{file.name}.unfinished")
    _run(
        database,
        "pg_dump",
        "--format=custom",
        "--schema=milkrun",
        "--no-owner",
        "--no-privileges",
        "--file",
        unfinished,
    )
    unfinished.rename(file)


def restore(database: Database, file: Path) -> None:
    """Read a backup into a database without schema milkrun, in one transaction.

    Raises InputError where there is no such file, or where the database has Milkrun's tables: nothing is overwritten.
    """
    if not file.is_file():
        raise InputError(f"There is no file {file}.")
    with database.reading() as connection:
        if connection.scalar(text("SELECT to_regclass('milkrun.run')")) is not None:
            raise InputError(
                f"The database at {database.place} has Milkrun's tables already: restore into an empty one, "
                "and point DATABASE_URL (or MILKRUN_HOME) at it."
            )
    _run(database, "pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", file)


def _run(database: Database, name: str, *arguments: object) -> None:
    url = database.engine.url
    command = [program(name), *map(str, arguments), "--dbname", _url_without_password(url)]
    result = subprocess.run(  # noqa: S603 - a packaged program
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PGPASSWORD": str(url.password or url.query.get("password") or "")},
    )
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines()
        raise EnvironmentFailure(f"{name} failed: {lines[0] if lines else 'no reason given'}")


def _url_without_password(url: URL) -> str:
    """Return the URL without its password, which would be visible in the list of processes."""
    return (
        URL.create("postgresql", url.username, host=url.host, port=url.port, database=url.database, query=url.query)
        .difference_update_query(["password"])
        .render_as_string()
    )
