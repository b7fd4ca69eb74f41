"""Queries of users: one statement, read only, with a time limit, streamed."""

import contextlib
import math
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from forecasting.domain.errors import EnvironmentFailure, InputError
from forecasting.storage.db.database import Database

_TOKENS = re.compile(
    r"""(?P<blank>--[^\n]*|/\*.*?(?:\*/|$)|\s+)
    |[eE]'(?:[^'\\]|\\.|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)
    |\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|$)
    |(?P<end>;)|(?P<word>\w[\w$]*)|.""",
    re.DOTALL | re.VERBOSE,
)
_STREAMED = ("select", "with", "values", "table", "")


@contextlib.contextmanager
def run_query(
    database: Database, query: str, *, seconds: int = 60
) -> Iterator[tuple[Sequence[str], Iterator[Sequence[Any]]]]:
    """Run one statement that reads; give its column names and an iterator of its rows, which are fetched while iterating.

    Tables of schema milkrun need no prefix. Raises InputError with the message of PostgreSQL for an error in the query.
    """
    first_word = require_one_statement(query)
    with database.reading() as connection, _query_errors(query, seconds):
        _limit(connection, seconds)
        require_one_statement_by_server(connection, query)
        options = {"no_parameters": True, "stream_results": first_word in _STREAMED, "max_row_buffer": 10_000}
        result = connection.execution_options(**options).exec_driver_sql(query)
        if result.returns_rows:
            yield tuple(result.keys()), (tuple(map(_plain, row)) for row in result)
        else:
            yield (), iter(())


def require_one_statement(query: str) -> str:
    """Return the first word of a query in lower case; raises InputError when it has no statement or more than one.

    One statement only, because a second one could leave the read-only transaction.
    """
    words: list[str] = []
    has_ended = False
    for token in _TOKENS.finditer(query):
        if token["blank"]:
            continue
        if has_ended and not token["end"]:
            raise InputError("Give one statement at a time: there is more after the semicolon.")
        has_ended = has_ended or token["end"] is not None
        words.append((token["word"] or "").lower())
    if not any(words):
        raise InputError('There is no query: give one, such as milkrun sql "select * from latest_forecast".')
    return words[0]


def require_one_statement_by_server(connection: Connection, query: str) -> None:
    """Let PostgreSQL's own parser refuse a text that is not exactly one statement that gives rows; no row is read.

    A cursor of PL/pgSQL takes one statement only. Raises DBAPIError with SQLSTATE 42P11 for several statements and for one that
    gives no rows, else with the error of the query.
    """
    connection.execute(text("SELECT set_config('milkrun.query', :query, true)"), {"query": query})
    connection.exec_driver_sql(
        "DO $check$ DECLARE statement refcursor;"
        " BEGIN OPEN statement FOR EXECUTE current_setting('milkrun.query'); CLOSE statement; END $check$"
    )


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
    if diagnostics.sqlstate == "42P11":
        return "Give one statement at a time, and one that only reads."
    lines = [f"PostgreSQL says: {diagnostics.message_primary}"]
    if diagnostics.internal_position:
        lines += _mark_position(query, int(diagnostics.internal_position) - 1)
    elif diagnostics.statement_position:
        statement: bytes = getattr(getattr(failure.orig, "cursor", None), "query", b"") or b""
        # The driver puts a streamed query into a DECLARE statement, and the position counts from the start of that.
        prefix = max(0, statement.decode("utf-8", "replace").find(query))
        lines += _mark_position(query, int(diagnostics.statement_position) - 1 - prefix)
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
