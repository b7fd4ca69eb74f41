"""Queries of analysts: one statement, read only, with a time limit, streamed."""

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

_PIECES = re.compile(
    r"""(?P<skipped>--[^\n]*|/\*.*?(?:\*/|$)|\s+)
    |[eE]'(?:[^'\\]|\\.|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)
    |\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|$)
    |(?P<end>;)|(?P<word>\w+)|.""",
    re.DOTALL | re.VERBOSE,
)
_STREAMED = ("select", "with", "values", "table", "")


@contextlib.contextmanager
def run_query(
    database: Database, query: str, *, seconds: int = 60
) -> Iterator[tuple[Sequence[str], Iterator[Sequence[Any]]]]:
    """Run one statement that reads; give its column names and its rows, which are fetched as they are taken.

    Tables of schema milkrun need no prefix. Raises InputError with PostgreSQL's message for a mistake in the query.
    """
    first_word = require_one_statement(query)
    with database.reading() as connection, _named_mistakes(query, seconds):
        _limit(connection, seconds)
        options = {"no_parameters": True, "stream_results": first_word in _STREAMED, "max_row_buffer": 10_000}
        result = connection.execution_options(**options).exec_driver_sql(query)
        if result.returns_rows:
            yield tuple(result.keys()), (tuple(map(_plain, row)) for row in result)
        else:
            yield (), iter(())


def require_one_statement(query: str) -> str:
    """Return the first word of a query, in lower case; a second statement could end the transaction that cannot write.

    Raises InputError when there is no statement or more than one.
    """
    words: list[str] = []
    ended = False
    for piece in _PIECES.finditer(query):
        if piece["skipped"]:
            continue
        if ended and not piece["end"]:
            raise InputError("Give one statement at a time: there is more after the semicolon.")
        ended = ended or piece["end"] is not None
        words.append((piece["word"] or "").lower())
    if not any(words):
        raise InputError('There is no query: give one, such as milkrun sql "select * from latest_forecast".')
    return words[0]


def _limit(connection: Connection, seconds: int) -> None:
    # Whoever reads the rows through a pager may take a while between two pages.
    limits = {
        "search_path": "milkrun, public",
        "statement_timeout": f"{seconds}s",
        "idle_in_transaction_session_timeout": "1h",
    }
    for name, limit in limits.items():
        connection.execute(text("SELECT set_config(:name, :limit, true)"), {"name": name, "limit": limit})


@contextlib.contextmanager
def _named_mistakes(query: str, seconds: int) -> Iterator[None]:
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
        raise InputError(_explained(failure, query)) from None


def _explained(failure: DBAPIError, query: str) -> str:
    """Show PostgreSQL's message, and the line of the query with a mark below the place it points at."""
    diagnostics: Any = getattr(failure.orig, "diag", None)
    lines = [f"PostgreSQL says: {diagnostics.message_primary}"]
    if diagnostics.statement_position:
        sent: bytes = getattr(getattr(failure.orig, "cursor", None), "query", b"") or b""
        # A streamed query is sent inside a DECLARE, and the position counts from there.
        prefix = max(0, sent.decode("utf-8", "replace").find(query))
        lines += _marked(query, int(diagnostics.statement_position) - 1 - prefix)
    more = (("Detail", diagnostics.message_detail), ("Hint", diagnostics.message_hint))
    return "\n".join(lines + [f"{label}: {sentence}" for label, sentence in more if sentence])


def _marked(query: str, place: int) -> list[str]:
    before = query[: max(0, place)]
    label = f"line {before.count(chr(10)) + 1}: "
    start = before.rfind("\n") + 1
    line = query[start:].split("\n", 1)[0].replace("\t", " ")
    return [label + line, " " * (len(label) + len(before) - start) + "^"]


def _plain(value: Any) -> Any:
    """Make numbers plain: numeric becomes int or float; what no number can be in JSON becomes its name."""
    if isinstance(value, Decimal):
        if value.is_finite():
            return int(value) if value == value.to_integral_value() else float(value)
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(Decimal(value))
    return value
