"""Connections to the database: with session limits, whole transactions, and failures as errors of Milkrun."""

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError

from forecasting.domain.errors import EnvironmentFailure, InputError, MilkrunError, PassingFailure, StatementRefused
from forecasting.domain.settings import Settings
from forecasting.storage.db import embedded

Result = TypeVar("Result")

# Keys of advisory locks: any fixed numbers that no other program uses in this database.
LOAD_LOCK = 7_145_201
PUBLISH_LOCK = 7_145_202
MIGRATE_LOCK = 7_145_203

# Of each transaction, and not of the session: a pooler may give the session to somebody else after the transaction.
_TRANSACTION_SETTINGS = {
    "TimeZone": "UTC",
    "statement_timeout": "300s",
    "lock_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
    "client_connection_check_interval": "1s",
    "extra_float_digits": "1",  # numbers that are read as text keep all their digits
}
_PING_AFTER = 1.0  # seconds since its last use after which a connection is tested before use
_STATUS_ATTEMPTS = 12  # to read the status of a transaction: about fifteen seconds, long enough for a restart
_TRANSIENT = ("40001", "40P01", "55P03", "57P01", "57P02", "57P03", "08000", "08001", "08003", "08004", "08006")


@dataclass(frozen=True)
class Database:
    """An open database.

    place: its address for messages, without a password. is_embedded: its server is Milkrun's own. time_zone: where months
    begin and end.
    """

    engine: Engine
    place: str
    is_embedded: bool = False
    time_zone: str = "UTC"

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a read-only transaction that sees the database as it was at one moment.

        Raises EnvironmentFailure when the server fails, StatementRefused when it refuses a statement.
        """
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        try:
            with self.engine.connect() as connection:
                yield connection.execution_options(**options)
        except DBAPIError as failure:
            raise to_milkrun_error(failure, self.place) from None

    def read(self, transaction: Callable[[Connection], Result]) -> Result:
        """Run a transaction that only reads, and in which each statement sees what was committed before it.

        Runs on a read replica too; repeats and raises as `write` does.
        """
        return self.write(transaction, is_read_only=True)

    def write(
        self, transaction: Callable[[Connection], Result], *, attempts: int = 5, is_read_only: bool = False
    ) -> Result:
        """Run a transaction; after a transient failure of the server, run the whole transaction again.

        Where the connection broke during COMMIT, the server is asked for the status of the transaction: it is never run
        twice with effect. Raises EnvironmentFailure after `attempts` failures, StatementRefused when the server refuses a
        statement.
        """
        for attempt in range(attempts):
            transaction_id = None
            try:
                with (
                    self.engine.connect() as connection,
                    connection.execution_options(postgresql_readonly=is_read_only).begin(),
                ):
                    result = transaction(connection)
                    transaction_id = connection.scalar(text("SELECT pg_current_xact_id_if_assigned()::text"))
                return result
            except DBAPIError as failure:
                if not _is_transient(failure):
                    raise to_milkrun_error(failure, self.place) from None
                if transaction_id is not None and self._was_committed(transaction_id, failure):
                    return result
                if attempt == attempts - 1:
                    raise to_milkrun_error(failure, self.place) from None
                time.sleep(0.1 * 2**attempt)
        raise AssertionError("unreachable")

    def _was_committed(self, transaction_id: str, failure: DBAPIError) -> bool:
        """Return whether a transaction was committed; raises `failure` as an error of Milkrun where that stays unknown."""
        for attempt in range(_STATUS_ATTEMPTS):
            with contextlib.suppress(DBAPIError), self.engine.connect() as connection:
                status = connection.scalar(text("SELECT pg_xact_status(CAST(:id AS xid8))"), {"id": transaction_id})
                if status in ("committed", "aborted"):
                    return bool(status == "committed")
            time.sleep(0.05 * 2 ** min(attempt, 5))
        raise to_milkrun_error(failure, self.place)


@contextlib.contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """Open the database of the settings: DATABASE_URL, or the embedded PostgreSQL under `home`.

    The embedded server is started when it does not run, and stopped when its last user closes it. A second call in the same
    process, while the database is open, shares its connections.
    Raises EnvironmentFailure when the database cannot be reached, InputError when the URL is invalid.
    """
    with _open_lock:
        entry = _open_databases.get(settings) or _open(settings)
        entry.user_count += 1
        _open_databases[settings] = entry
    try:
        yield entry.database
    finally:
        with _open_lock:
            entry.user_count -= 1
            if entry.user_count == 0:
                del _open_databases[settings]
                entry.resources.close()


def close_all() -> None:
    """Close every open database of this process, which is about to end without running its `finally` blocks."""
    if _open_lock.acquire(timeout=1):  # not available when the process is interrupted while it opens a database
        for entry in _open_databases.values():
            entry.resources.close()


@dataclass
class _OpenDatabase:
    """An open database of this process, what closes it, and the number of its users."""

    database: Database
    resources: contextlib.ExitStack
    user_count: int = 0


_open_databases: dict[Settings, _OpenDatabase] = {}
_open_lock = threading.Lock()


def _open(settings: Settings) -> _OpenDatabase:
    with contextlib.ExitStack() as stack:
        if settings.database_url:
            url = _external_url(settings.database_url)
            place = _place_of(url)
            engine = create_engine(url, settings.timezone)
        else:
            url = stack.enter_context(embedded.running_server(settings.home))
            place = str(settings.home)
            engine = create_engine(url, settings.timezone)
            _restart_before_connections(engine, settings.home)
        stack.callback(engine.dispose)
        _check_reachable(engine, place)
        return _OpenDatabase(Database(engine, place, not settings.database_url, settings.timezone), stack.pop_all())


def create_engine(url: URL, time_zone: str = "UTC") -> Engine:
    """Create an engine whose transactions have Milkrun's limits; it connects at its first use.

    time_zone: where months begin and end, for the views.
    """
    engine = sqlalchemy.create_engine(
        url,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            "application_name": f"milkrun {os.getpid()}",
            "client_encoding": "utf8",  # of COPY as well, whatever PGCLIENTENCODING or the role say
        },
    )

    settings = _TRANSACTION_SETTINGS | {"milkrun.time_zone": time_zone}
    settings_statement = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in settings.items())

    @event.listens_for(engine, "begin")
    def _apply_transaction_settings(connection: Connection) -> None:
        connection.exec_driver_sql(settings_statement)

    @event.listens_for(engine, "checkin")
    def _store_time_of_use(_driver_connection: Any, record: Any) -> None:
        record.info["last_use"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _replace_if_broken(driver_connection: Any, record: Any, _proxy: object) -> None:
        """Replace a broken connection; one that was used a moment ago and received nothing since counts as alive."""
        last_use = record.info.get("last_use")
        if last_use is None or (time.monotonic() - last_use < _PING_AFTER and not _has_input(driver_connection)):
            return
        try:
            engine.dialect.do_ping(driver_connection)
        except engine.dialect.loaded_dbapi.Error:
            raise DisconnectionError from None

    return engine


def _restart_before_connections(engine: Engine, home: Path) -> None:
    """Start the embedded server again where it was killed, such as by the end of the container that started it."""

    @event.listens_for(engine, "do_connect")
    def _connect(dialect: Any, _record: object, arguments: Any, options: Any) -> Any:
        try:
            return dialect.connect(*arguments, **options)
        except dialect.loaded_dbapi.OperationalError:
            embedded.ensure_running(home)
            return dialect.connect(*arguments, **options)


def _has_input(driver_connection: Any) -> bool:
    """Return whether an idle connection has received bytes: the server sends some when it ends the connection."""
    poll = select.poll()
    poll.register(driver_connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _external_url(text_url: str) -> URL:
    """Parse DATABASE_URL. Its text never appears in an error, because it may contain a password."""
    url: URL | None
    try:
        url = make_url(text_url.replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError):
        url = None
    if url is None or has_misplaced_at(url):
        raise InputError(
            "DATABASE_URL cannot be read: write it as postgresql://user:password@host:port/database, "
            "with special characters of the password percent-encoded."
        ) from None
    if url.get_backend_name() != "postgresql":
        raise InputError(f"DATABASE_URL names {url.get_backend_name()}: Milkrun keeps its tables in PostgreSQL.")
    return url.set(drivername="postgresql+psycopg2")


def _place_of(url: URL) -> str:
    """Return host, port and database as libpq takes them: from the URL, its query or the environment."""
    host = url.host or url.query.get("host") or os.environ.get("PGHOST") or "local"
    port = url.port or url.query.get("port") or os.environ.get("PGPORT") or 5432
    return f"{host}:{port}/{url.database}"


def has_misplaced_at(url: URL) -> bool:
    """Return whether host, database or query contain an @: then a password was not percent-encoded, and part of it is there."""
    return "@" in f"{url.host}{url.database}{dict(url.query)}"


def _check_reachable(engine: Engine, place: str) -> None:
    try:
        with engine.connect() as connection:
            version = int(connection.scalar(text("SHOW server_version_num")) or 0)
    except DBAPIError as failure:
        raise to_milkrun_error(failure, place) from None
    if version < 140000:
        raise EnvironmentFailure(f"PostgreSQL at {place} is version {version // 10000}: Milkrun needs 14 or newer.")


def _sqlstate(failure: DBAPIError) -> str | None:
    return getattr(failure.orig, "pgcode", None)


def _is_transient(failure: DBAPIError) -> bool:
    return failure.connection_invalidated or _sqlstate(failure) in _TRANSIENT


def to_milkrun_error(failure: DBAPIError, place: str) -> MilkrunError:
    """Turn a failure into an error of Milkrun that names SQLSTATE and constraint, but no row and no password.

    Returns StatementRefused where a repetition cannot help, PassingFailure where it can help at once, else
    EnvironmentFailure.
    """
    state = _sqlstate(failure)
    if state is None:
        # The driver gives a text and no SQLSTATE where a connection fails. The text itself may show a password.
        reason = next((reason for part, reason in _CONNECTION_FAILURES if part in str(failure.orig)), _NO_CONNECTION)
        return PassingFailure(f"The database at {place} {reason}, then repeat the command.")
    diagnostics = getattr(failure.orig, "diag", None)
    constraint = getattr(diagnostics, "constraint_name", None)
    of_constraint = f", constraint {constraint}" if constraint else ""
    summary = _SUMMARIES.get(state[:2], "it refused a statement")
    server_error = PassingFailure if state in _TRANSIENT else EnvironmentFailure
    error_type = StatementRefused if state[:2] in _REFUSALS else server_error
    return error_type(
        f"The database at {place}: {summary} (SQLSTATE {state}{of_constraint}). The transaction was undone."
    )


_NO_CONNECTION = (
    "cannot be reached or dropped the connection: check that it runs, that its disk is not full, and that DATABASE_URL names "
    "its host and its port"
)
_SERVER_IS_FULL = "has no free connection: wait for its other users, or raise its max_connections"
_CONNECTION_FAILURES = (
    ("too many", _SERVER_IS_FULL),
    ("remaining connection slots", _SERVER_IS_FULL),
    ("password", "refused the user or the password: correct both in DATABASE_URL"),
    ("authentication failed", "refused the user: correct it in DATABASE_URL, or allow it in pg_hba.conf"),
    (
        "pg_hba.conf",
        "has no rule that lets this user in from here: add one to its pg_hba.conf, or correct DATABASE_URL",
    ),
    ("role ", "does not know the user: create it, or correct it in DATABASE_URL"),
    ("database ", "does not exist on its server: create it, or correct its name in DATABASE_URL"),
    ("translate host name", "cannot be reached, since no address is known for its host: correct it in DATABASE_URL"),
    ("starting up", "is starting: wait for it"),
    ("shutting down", "is shutting down: start it"),
)

_REFUSALS = ("22", "23", "42")  # classes of SQLSTATE

_SUMMARIES = {
    "08": "the connection broke",
    "0A": "it cannot do this; on a read replica only commands that read work, so let DATABASE_URL name the primary",
    "25": "it only reads: let DATABASE_URL name the primary, and not a read replica",
    "28": "it refused the user or the password",
    "3D": "there is no such database",
    "22": "it cannot compute with a value",
    "23": "a row breaks a rule of its table",
    "42": "a table or a right is missing (is it migrated, and is this the writer role?)",
    "53": "it ran out of disk, memory or connections",
    "55": "another session holds a lock",
    "57": "it was shut down or cancelled the statement",
}
