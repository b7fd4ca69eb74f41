"""Connections: which database, with which limits, and what its failures are called."""

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError

from forecasting.domain.errors import EnvironmentFailure, InputError, MilkrunError, PassingFailure, StatementRefused
from forecasting.domain.settings import Settings
from forecasting.storage.db import embedded

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
_TRUSTED = 1.0  # seconds that a connection is taken to be alive after its last use
_QUESTIONS = 12  # what became of a transaction: asked for about fifteen seconds, as a server restarts
_TRANSIENT = ("40001", "40P01", "55P03", "57P01", "57P02", "57P03", "08000", "08001", "08003", "08004", "08006")


@dataclass(frozen=True)
class Database:
    """An open database: pass it to every function of storage."""

    engine: Engine
    place: str

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open one snapshot that sees a single moment and cannot write.

        Raises EnvironmentFailure when the server fails, StatementRefused when it refuses a statement.
        """
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        try:
            with self.engine.connect() as connection:
                yield connection.execution_options(**options)
        except DBAPIError as failure:
            raise to_milkrun_error(failure, self.place) from None

    def write(self, transaction: Callable[[Connection], Result], *, attempts: int = 5) -> Result:
        """Run a whole transaction; repeat it whole when the server failed in passing.

        Where only the answer to COMMIT was lost, the server is asked what became of it, and nothing is done twice.
        Raises EnvironmentFailure when it still fails after `attempts`, StatementRefused at once when it refuses.
        """
        for attempt in range(attempts):
            number = None
            try:
                with self.engine.begin() as connection:
                    result = transaction(connection)
                    number = connection.scalar(text("SELECT pg_current_xact_id_if_assigned()::text"))
                return result
            except DBAPIError as failure:
                if not _is_transient(failure):
                    raise to_milkrun_error(failure, self.place) from None
                if number is not None and self._was_committed(number, failure):
                    return result
                if attempt == attempts - 1:
                    raise to_milkrun_error(failure, self.place) from None
                time.sleep(0.1 * 2**attempt)
        raise AssertionError("unreachable")

    def _was_committed(self, number: str, failure: DBAPIError) -> bool:
        """Say whether the transaction of that number was committed; raises the failure's name where nobody can tell."""
        for attempt in range(_QUESTIONS):
            with contextlib.suppress(DBAPIError), self.engine.connect() as connection:
                status = connection.scalar(text("SELECT pg_xact_status(CAST(:number AS xid8))"), {"number": number})
                if status in ("committed", "aborted"):
                    return bool(status == "committed")
            time.sleep(0.05 * 2 ** min(attempt, 5))
        raise to_milkrun_error(failure, self.place)


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


def close_all() -> None:
    """Close every database that this process has open, when it is about to end without unwinding."""
    if _opening.acquire(timeout=1):  # whoever interrupted the opening of one goes without
        for opened in _opened.values():
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
            place = str(settings.home)
        engine = create_engine(url)
        stack.callback(engine.dispose)
        _check_reachable(engine, place)
        return _Opened(Database(engine, place), stack.pop_all())


def create_engine(url: URL) -> Engine:
    """Make an engine with Milkrun's session settings; nothing is connected yet."""
    engine = sqlalchemy.create_engine(
        url,
        hide_parameters=True,
        connect_args={"connect_timeout": 5, "application_name": f"milkrun {os.getpid()}"},
    )

    @event.listens_for(engine, "connect")
    def _set_session(driver_connection: Any, _record: object) -> None:
        with driver_connection.cursor() as cursor:
            cursor.execute("; ".join(f"SET {name} = '{value}'" for name, value in _SESSION.items()))
        driver_connection.commit()

    @event.listens_for(engine, "checkin")
    def _note_use(_driver_connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ask_if_alive(driver_connection: Any, record: Any, _proxy: object) -> None:
        """Exchange a connection that is dead; one that was used a moment ago is not asked unless its server has spoken."""
        used = record.info.get("used")
        if used is None or (time.monotonic() - used < _TRUSTED and not _has_spoken(driver_connection)):
            return
        try:
            engine.dialect.do_ping(driver_connection)
        except engine.dialect.loaded_dbapi.Error:
            raise DisconnectionError from None

    return engine


def _has_spoken(driver_connection: Any) -> bool:
    """Say whether anything came over an idle connection: a server speaks unasked when it ends it."""
    poll = select.poll()
    poll.register(driver_connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _external_url(text_url: str) -> URL:
    """Read DATABASE_URL; its text never appears in an error, since it may hold a password."""
    url: URL | None
    try:
        url = make_url(text_url.replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError):
        url = None
    if url is None or is_torn(url):
        raise InputError(
            "DATABASE_URL cannot be read: write it as postgresql://user:password@host:port/database, "
            "with special characters of the password percent-encoded."
        ) from None
    if url.get_backend_name() != "postgresql":
        raise InputError(f"DATABASE_URL names {url.get_backend_name()}: Milkrun keeps its tables in PostgreSQL.")
    return url.set(drivername="postgresql+psycopg2")


def is_torn(url: URL) -> bool:
    """Say whether an @ stands where none belongs: the rest of a password that was not percent-encoded."""
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
    """Say what failed by its SQLSTATE and constraint; the driver's own text may quote rows or passwords.

    Returns StatementRefused where repeating cannot help, PassingFailure where it may at once, else EnvironmentFailure.
    """
    state = _sqlstate(failure)
    if state is None:
        return PassingFailure(
            f"The database at {place} cannot be reached or dropped the connection: "
            "check that it runs, that its disk is not full, and that DATABASE_URL names it, its user and its password, then "
            "repeat the command."
        )
    diagnostics = getattr(failure.orig, "diag", None)
    constraint = getattr(diagnostics, "constraint_name", None)
    where = f", constraint {constraint}" if constraint else ""
    summary = _SUMMARIES.get(state[:2], "it refused a statement")
    passing = PassingFailure if state in _TRANSIENT else EnvironmentFailure
    kind = StatementRefused if state[:2] in _FINAL else passing
    return kind(f"The database at {place}: {summary} (SQLSTATE {state}{where}). The transaction was undone.")


_FINAL = ("22", "23", "42")


_SUMMARIES = {
    "08": "the connection broke",
    "28": "it refused the user or the password",
    "3D": "there is no such database",
    "22": "it cannot compute with a value",
    "23": "a row breaks a rule of its table",
    "42": "a table or a right is missing (is it migrated, and is this the writer role?)",
    "53": "it ran out of disk, memory or connections",
    "55": "another session holds a lock",
    "57": "it was shut down or cancelled the statement",
}
