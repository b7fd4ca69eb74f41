"""Queries of users: one statement, read only, with a time limit, streamed."""

import contextlib
import math
import threading
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import DBAPIError

from forecasting.domain.errors import EnvironmentFailure, InputError
from forecasting.storage.db.database import Database, create_engine

_QUERY_ROLE = "milkrun_query"  # of an embedded database; it reads tables and has no other right
_ROWS_AT_ONCE, _BYTES_AT_ONCE = 1_000, 8 << 20  # that are fetched together; rows may be longer than those before them
_CURSOR = "milkrun_query"
NO_CURSOR = "42P11"  # SQLSTATE of a text that no cursor takes
ONE_STATEMENT = "Give one statement at a time, and one that only reads."


@contextlib.contextmanager
def run_query(
    database: Database, query: str, *, seconds: int = 60
) -> Iterator[tuple[Sequence[str], Iterator[Sequence[Any]]]]:
    """Run one statement that reads; give its column names and an iterator of its rows, which are fetched while iterating.

    Tables of schema milkrun need no prefix. The transaction is read only; on an embedded database its login has no right to
    write either. Raises InputError with the message of PostgreSQL for an error in the query.
    """
    if not query.strip():
        raise InputError('There is no query: give one, such as milkrun sql "select * from latest_forecast".')
    with _query_session(database) as connection, _query_errors(query, seconds):
        _limit(connection, seconds)
        give_up_rights(connection)
        deadline = _Deadline(connection, seconds)
        with deadline.running():
            open_query(connection, query)
            first = connection.exec_driver_sql(f"FETCH 1 FROM {_CURSOR}")
        yield tuple(first.keys()), _fetch(connection, first.all(), deadline)


def open_query(connection: Connection, query: str) -> None:
    """Let PostgreSQL's own parser open a cursor for a text that is exactly one statement that gives rows.

    A cursor of PL/pgSQL takes no other text. It lasts until the end of the transaction. Raises DBAPIError with SQLSTATE NO_CURSOR
    for several statements and for one that gives no rows, else with the error of the query.
    """
    connection.execute(text("SELECT set_config('milkrun.query', :query, true)"), {"query": query})
    connection.exec_driver_sql(
        f"DO $do$ DECLARE statement refcursor := '{_CURSOR}';"
        " BEGIN OPEN statement FOR EXECUTE current_setting('milkrun.query'); END $do$"
    )


def give_up_rights(connection: Connection) -> None:
    """Let a superuser's transaction act as a role that reads tables and has no other right.

    A query could take the rights back by calling set_config: this keeps from mistakes, and from nobody who means harm.
    """
    connection.exec_driver_sql(
        "SELECT set_config('role', 'pg_read_all_data', true) FROM pg_roles WHERE rolname = session_user AND rolsuper"
    )


def query_url(database: Database) -> URL:
    """Return the address at which queries of users log in: that of an embedded database has no right to write."""
    if not database.is_embedded:
        return database.engine.url
    with database.reading() as connection:
        has_role = connection.scalar(text("SELECT to_regrole(:role) IS NOT NULL"), {"role": _QUERY_ROLE})
    if not has_role:
        database.write(lambda connection: connection.execute(text(_MAKE_QUERY_ROLE)))
    return database.engine.url.set(username=_QUERY_ROLE)


@contextlib.contextmanager
def _query_session(database: Database) -> Iterator[Connection]:
    """Open a transaction that only reads, in a session of its own: what a query locks ends with the session."""
    engine = create_engine(query_url(database), database.time_zone)
    try:
        with Database(engine, database.place).reading() as connection:
            yield connection
    finally:
        engine.dispose()


_MAKE_QUERY_ROLE = f"""
    DO $do$ BEGIN
        CREATE ROLE {_QUERY_ROLE} LOGIN;
        GRANT pg_read_all_data TO {_QUERY_ROLE};
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- another query has made it meanwhile
    END $do$"""


class _Deadline:
    """The time that a query may take, all its statements together, without the time of who reads the rows.

    A query can lift `statement_timeout` by set_config; it cannot lift this limit, which another thread enforces by a request to
    cancel.
    """

    def __init__(self, connection: Connection, seconds: float) -> None:
        self._driver_connection: Any = connection.connection.driver_connection
        self._seconds_left = seconds

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Let the time run for the length of the context."""
        timer = threading.Timer(max(0.0, self._seconds_left), self._driver_connection.cancel)
        timer.daemon = True
        start = time.monotonic()
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._seconds_left -= time.monotonic() - start


def _fetch(connection: Connection, rows: Sequence[Sequence[Any]], deadline: _Deadline) -> Iterator[Sequence[Any]]:
    """Yield the first row and those behind it; batches are small where rows are long, so that memory stays small."""
    row_count = 1
    while rows:
        yield from (tuple(map(_plain, row)) for row in rows)
        longest = max(sum(len(value) if isinstance(value, str | bytes) else 16 for value in row) for row in rows)
        row_count = min(_ROWS_AT_ONCE, 4 * row_count, max(1, _BYTES_AT_ONCE // max(1, longest)))
        with deadline.running():
            rows = connection.exec_driver_sql(f"FETCH {row_count} FROM {_CURSOR}").all()


def _limit(connection: Connection, seconds: int) -> None:
    # A user who reads the rows in a pager may take long between two pages.
    limits = {
        "search_path": "milkrun, public",
        "statement_timeout": f"{seconds}s",
        "idle_in_transaction_session_timeout": "1h",
    }
    for name, limit in limits.items():
        connection.execute(text("SELECT set_config(:name, :limit, true)"), {"name": name, "limit": limit})


@contextlib.contextmanager
def _query_errors(query: str, seconds: int) -> Iterator[None]:
    try:
        yield
    except DBAPIError as failure:
        state = getattr(failure.orig, "pgcode", None)
        if state is None or state.startswith(("08", "53", "57P")):
            raise EnvironmentFailure("The database failed during the query: repeat the command.") from None
        if state == "57014":
            raise InputError(
                f"The query took longer than {seconds} s: narrow it, or give more time with --timeout."
            ) from None
        raise InputError(_explain_error(failure, query)) from None


def _explain_error(failure: DBAPIError, query: str) -> str:
    """Return PostgreSQL's message, and the line of the query with a mark below the position of the error."""
    diagnostics: Any = getattr(failure.orig, "diag", None)
    if diagnostics.sqlstate == NO_CURSOR:
        return ONE_STATEMENT
    lines = [f"PostgreSQL says: {diagnostics.message_primary}"]
    if diagnostics.internal_position:
        lines += _mark_position(query, int(diagnostics.internal_position) - 1)
    details = (("Detail", diagnostics.message_detail), ("Hint", diagnostics.message_hint))
    return "\n".join(lines + [f"{label}: {sentence}" for label, sentence in details if sentence])


def _mark_position(query: str, position: int) -> list[str]:
    before = query[: max(0, position)]
    label = f"line {before.count(chr(10)) + 1}: "
    start = before.rfind("\n") + 1
    line = query[start:].split("\n", 1)[0].replace("\t", " ")
    return [label + line, " " * (len(label) + len(before) - start) + "^"]


def _plain(value: Any) -> Any:
    """Turn numeric into int or float, and numbers that JSON does not have (NaN, infinity) into text."""
    if isinstance(value, Decimal):
        if value.is_finite():
            return int(value) if value == value.to_integral_value() else float(value)
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(Decimal(value))
    return value
