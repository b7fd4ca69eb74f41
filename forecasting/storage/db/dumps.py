"""Backup and restore of the forecast database with pg_dump, pg_restore and psql from the embedded package."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import IO, cast

from sqlalchemy import URL, text

from forecasting.domain.errors import EnvironmentFailure, InputError
from forecasting.storage.db.database import Database
from forecasting.storage.db.programs import binaries


def program(name: str) -> str:
    """Return the path of a packaged program such as pg_dump; its version 18 works with every server from 14 on."""
    return str(binaries() / name)


def back_up(database: Database, file: Path) -> None:
    """Write the schema milkrun into a file in the custom format of pg_dump, as it is at one moment; runs can go on.

    The file gets its name when it is complete, and only its owner can read it. Raises InputError where it exists already.
    """
    if file.exists():
        raise InputError(f"{file} exists: choose another name, so that no backup is lost.")
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    # What a link points at, such as one that another user has made, stays as it is.
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
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
    """Read a backup into a database without schema milkrun, in one transaction, on a server of any version from 14 on.

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
    read_backup = [program("pg_restore"), "--no-owner", "--no-privileges", "--file", "-", str(file)]
    run_statements = [program("psql"), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname"]
    with (
        tempfile.TemporaryFile() as reader_errors,
        tempfile.TemporaryFile() as psql_errors,
        subprocess.Popen(read_backup, stdout=subprocess.PIPE, stderr=reader_errors) as reader,  # noqa: S603 - packaged
        subprocess.Popen(  # noqa: S603 - packaged
            [*run_statements, _url_without_password(database.engine.url)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=psql_errors,
            env=_environment(database.engine.url),
        ) as psql,
    ):
        output, target = cast(IO[bytes], reader.stdout), cast(IO[bytes], psql.stdin)
        with contextlib.suppress(BrokenPipeError):
            target.write(b"BEGIN;\n")
            _copy_statements(output, target)
            # Without its COMMIT nothing stays: neither of a damaged backup, nor after a kill of this process.
            if reader.wait() == 0:
                target.write(b"COMMIT;\n")
        with contextlib.suppress(BrokenPipeError):
            target.close()
        output.close()
        _require_success("psql", psql.wait(), psql_errors)
        _require_success("pg_restore", reader.wait(), reader_errors)


def _copy_statements(statements: IO[bytes], target: IO[bytes]) -> None:
    """Copy the statements of pg_restore but for a setting that servers before 17 do not know."""
    for line in statements:
        if line.startswith(b"SET transaction_timeout"):
            break
        target.write(line)
    shutil.copyfileobj(statements, target)


def _run(database: Database, name: str, *arguments: object) -> None:
    url = database.engine.url
    command = [program(name), *map(str, arguments), "--dbname", _url_without_password(url)]
    with tempfile.TemporaryFile() as errors:
        result = subprocess.run(  # noqa: S603 - a packaged program
            command, stdout=subprocess.DEVNULL, stderr=errors, check=False, env=_environment(url)
        )
        _require_success(name, result.returncode, errors)


def _environment(url: URL) -> dict[str, str]:
    return {**os.environ, "PGPASSWORD": str(url.password or url.query.get("password") or "")}


def _require_success(name: str, code: int, errors: IO[bytes]) -> None:
    if code != 0:
        errors.seek(0)
        lines = errors.read(10_000).decode(errors="replace").strip().splitlines()
        raise EnvironmentFailure(f"{name} failed: {lines[0] if lines else 'no reason given'}")


def _url_without_password(url: URL) -> str:
    """Return the URL for pg_dump and psql: without the SQLAlchemy driver, which they do not know, and without its passwords.

    A password would be visible in the list of processes. The packaged programs have neither TLS nor OAuth, and no use for the
    other two.
    """
    return (
        URL.create("postgresql", url.username, host=url.host, port=url.port, database=url.database, query=url.query)
        .difference_update_query(["password", "sslpassword", "oauth_client_secret"])
        .render_as_string()
    )
