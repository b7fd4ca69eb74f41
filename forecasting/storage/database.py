"""Connections: which database, with which limits, and how its tables come to be."""

import contextlib
import io
import importlib.resources
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, TypeVar

import numpy as np
import sqlalchemy
from alembic.config import Config
from sqlalchemy import URL, Connection, Engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from forecasting.errors import EnvironmentFailure, InputError
from forecasting.settings import Settings
from forecasting.storage import embedded

Result = TypeVar("Result")

# One number per thing that is locked; any fixed numbers do as long as nobody else uses them.
LOAD_LOCK = 7_145_201
PUBLISH_LOCK = 7_145_202
MIGRATE_LOCK = 7_145_203

_SESSION = {
    "TimeZone": "UTC",
    "statement_timeout": "300s",
    "lock_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
    "client_connection_check_interval": "1s",
}
_TRANSIENT = ("40001", "40P01", "55P03", "57P01", "57P02", "57P03", "08000", "08001", "08003", "08004", "08006")


@dataclass(frozen=True)
class Database:
    """An open database: pass it to every function of storage."""

    engine: Engine
    place: str

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open one snapshot that sees a single moment and cannot write."""
        with self.engine.connect().execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        ) as connection:
            yield connection

    def write(self, transaction: Callable[[Connection], Result], *, attempts: int = 5) -> Result:
        """Run a whole transaction; repeat it whole when the server failed in passing.

        Raises EnvironmentFailure when it still fails after `attempts`.
        """
        for attempt in range(attempts):
            try:
                with self.engine.begin() as connection:
                    return transaction(connection)
            except DBAPIError as failure:
                if not _is_transient(failure) or attempt == attempts - 1:
                    raise _named(failure, self.place) from None
                time.sleep(0.1 * 2**attempt)
        raise AssertionError("unreachable")


@contextlib.contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """Open the database of the settings: DATABASE_URL, or the embedded PostgreSQL under `home`.

    The embedded server is started when it does not run, and stopped when its last user leaves. Whoever opens the same
    database again in this process, while it is open, shares its connections.
    Raises EnvironmentFailure when it cannot be reached and InputError when the URL is unusable.
    """
    with _opening:
        opened = _opened.get(settings) or _open(settings)
        opened.users += 1
        _opened[settings] = opened
    try:
        yield opened.database
    finally:
        with _opening:
            opened.users -= 1
            if opened.users == 0:
                del _opened[settings]
                opened.stack.close()


@dataclass
class _Opened:
    """A database that this process has open, and how many use it."""

    database: Database
    stack: contextlib.ExitStack
    users: int = 0


_opened: dict[Settings, _Opened] = {}
_opening = threading.Lock()


def _open(settings: Settings) -> _Opened:
    with contextlib.ExitStack() as stack:
        if settings.database_url:
            url = _external_url(settings.database_url)
            place = f"{url.host or 'local'}:{url.port or 5432}/{url.database}"
        else:
            url = stack.enter_context(embedded.running_server(settings.home))
            place = f"embedded in {settings.home}"
        engine = create_engine(url)
        stack.callback(engine.dispose)
        _check_reachable(engine, place)
        return _Opened(Database(engine, place), stack.pop_all())


def create_engine(url: URL) -> Engine:
    """Make an engine with Milkrun's session settings; nothing is connected yet."""
    engine = sqlalchemy.create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "application_name": f"milkrun {os.getpid()}"},
    )

    @event.listens_for(engine, "connect")
    def _set_session(driver_connection: Any, _record: object) -> None:
        with driver_connection.cursor() as cursor:
            cursor.execute("; ".join(f"SET {name} = '{value}'" for name, value in _SESSION.items()))
        driver_connection.commit()

    return engine


def copy_in(connection: Connection, table: str, columns: list[str], csv: IO[bytes]) -> None:
    """Copy CSV rows from a binary file object into a table, inside the connection's transaction."""
    with _copying(connection) as cursor:
        cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)", csv, size=1 << 16)


def copy_out(connection: Connection, query: str, into: IO[bytes]) -> None:
    """Copy the rows of a query, as CSV without a header, into a binary file object."""
    with _copying(connection) as cursor:
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv)", into)


def copy_out_binary(connection: Connection, query: str, types: dict[str, str]) -> np.ndarray:
    """Copy the rows of a query into a structured array; types: NumPy's name of each column's type, none may be NULL.

    In PostgreSQL's binary COPY format a row of fixed-width columns has a fixed width itself: 2 bytes for the number of
    columns, then 4 bytes of length before each. So the stream is read as it is, without any parsing.
    """
    stream = io.BytesIO()
    with _copying(connection) as cursor:
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", stream)
    fields = [("columns", ">i2")]
    for name, kind in types.items():
        fields += [(f"{name} length", ">i4"), (name, f">{kind}")]
    row = np.dtype(fields)
    header, trailer = 19, 2
    rows = np.frombuffer(stream.getbuffer(), row, (stream.tell() - header - trailer) // row.itemsize, header)
    return rows[list(types)]


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the tables to a revision, one process at a time (migrations/env.py takes the lock)."""
    from alembic import command

    with database.engine.connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        try:
            if revision == "base" or revision.startswith("-"):
                command.downgrade(config, revision)
            else:
                command.upgrade(config, revision)
        except DBAPIError as failure:
            raise _named(failure, database.place) from None


def ensure_migrated(database: Database) -> None:
    """Migrate when the tables are older than this release; a glance at one row when they are not."""
    from alembic.script import ScriptDirectory

    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if current_revision(database) != head:
        migrate(database)


def current_revision(database: Database) -> str | None:
    """Return the revision of the tables, None where there are none."""
    with database.reading() as connection:
        if connection.scalar(text("SELECT to_regclass('milkrun.alembic_version')")) is None:
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM milkrun.alembic_version"))
        return revision


def alembic_config() -> Config:
    """Return the configuration of the migrations that are installed with this release."""
    config = Config()
    config.set_main_option("script_location", str(importlib.resources.files("migrations")))
    return config


def _external_url(text_url: str) -> URL:
    """Read DATABASE_URL; its text never appears in an error, since it may hold a password."""
    try:
        url = make_url(text_url.replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError):
        raise InputError(
            "DATABASE_URL cannot be read: write it as postgresql://user:password@host:port/database, "
            "with special characters of the password percent-encoded."
        ) from None
    if url.get_backend_name() != "postgresql":
        raise InputError(f"DATABASE_URL names {url.get_backend_name()}: Milkrun keeps its tables in PostgreSQL.")
    return url.set(drivername="postgresql+psycopg2")


def _check_reachable(engine: Engine, place: str) -> None:
    try:
        with engine.connect() as connection:
            version = int(connection.scalar(text("SHOW server_version_num")) or 0)
    except DBAPIError as failure:
        raise _named(failure, place) from None
    if version < 140000:
        raise EnvironmentFailure(f"PostgreSQL at {place} is version {version // 10000}: Milkrun needs 14 or newer.")


def _sqlstate(failure: DBAPIError) -> str | None:
    return getattr(failure.orig, "pgcode", None)


def _is_transient(failure: DBAPIError) -> bool:
    return failure.connection_invalidated or _sqlstate(failure) in _TRANSIENT


def _named(failure: DBAPIError, place: str) -> EnvironmentFailure:
    """Say what failed by its SQLSTATE and constraint; the driver's own text may quote rows or passwords."""
    state = _sqlstate(failure)
    if state is None:
        return EnvironmentFailure(
            f"The database at {place} cannot be reached or dropped the connection: "
            "check that it runs and that DATABASE_URL names it, then repeat the command."
        )
    diagnostics = getattr(failure.orig, "diag", None)
    constraint = getattr(diagnostics, "constraint_name", None)
    where = f", constraint {constraint}" if constraint else ""
    summary = _SUMMARIES.get(state[:2], "it refused a statement")
    return EnvironmentFailure(
        f"The database at {place} failed: {summary} (SQLSTATE {state}{where}). Nothing was changed."
    )


_SUMMARIES = {
    "08": "the connection broke",
    "28": "it refused the user or the password",
    "3D": "there is no such database",
    "42": "a table or a right is missing (is it migrated, and is this the writer role?)",
    "53": "it ran out of disk, memory or connections",
    "55": "another session holds a lock",
    "57": "it was shut down or cancelled the statement",
}


@contextlib.contextmanager
def _copying(connection: Connection) -> Iterator[Any]:
    """Give the driver's own cursor; its errors become SQLAlchemy's, as those of every other statement."""
    driver = connection.dialect.loaded_dbapi
    with connection.connection.cursor() as cursor:  # type: ignore[attr-defined]
        try:
            yield cursor
        except driver.Error as failure:
            lost = connection.dialect.is_disconnect(failure, None, None)
            raise DBAPIError.instance("COPY", None, failure, driver.Error, True, lost, connection.dialect) from None
