"""Databases as sources: any that SQLAlchemy supports. They are read only and streamed; no message shows a password."""

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pyarrow
import sqlalchemy
from sqlalchemy import URL, Connection, Result, Row, Select, TextClause, func, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import column, select, table
from sqlalchemy.sql.expression import FromClause

from forecasting.domain.errors import InputError
from forecasting.domain.months import Month
from forecasting.intake.columns import ColumnPositions, ColumnRoles, check_cell_bytes, find_columns, to_rows
from forecasting.intake.files import Source
from forecasting.storage.db.other_databases import OtherDatabase, open_other_database
from forecasting.storage.views.sql import NO_CURSOR, ONE_STATEMENT, give_up_rights, open_query

_ROWS_AT_ONCE = 50_000
_ROWS_BUFFERED = 1_000  # a server may send so many before the length of one is checked


@dataclass(frozen=True)
class Selection:
    """What to read from a database: a table, such as `schema.table`, or a query. since: the first month, None for all."""

    table: str | None = None
    query: str | None = None
    since: Month | None = None


def open_database_source(url: str | URL, selection: Selection, roles: ColumnRoles) -> Source:
    """Open a table or a query of a database as a source; its rows are read when the source is iterated.

    Raises InputError for a URL, table or column that does not exist, PassingFailure for a database out of reach.
    """
    other = open_other_database(url, is_read_only=True)
    selected = f"table {selection.table}" if selection.table else f"query {' '.join((selection.query or '').split())}"
    name = f"{other.name} {other.without_secrets(selected)}"[:1000]
    with other.connecting() as connection, _one_statement():
        rows, header = _rows_and_header(connection, selection, other.name)
    columns = find_columns(roles, header, other.name)
    return Source(
        name,
        partial(_read_rows, other, selection, rows, header, columns, roles.time_zone),
        rules=replace(roles.rules, since=selection.since),
    )


def _read_rows(
    other: OtherDatabase,
    selection: Selection,
    rows: FromClause,
    header: Sequence[str],
    columns: ColumnPositions,
    time_zone: str | None,
) -> Iterator[pyarrow.RecordBatch]:
    positions = columns.positions
    statement = select(*(rows.c[header[position]] for position in positions))
    line = 2  # as in a file, whose first line is the header
    with other.connecting() as connection, _one_statement():
        if selection.query is not None and other.url.get_backend_name() == "postgresql":
            give_up_rights(connection)
        if selection.since is not None:
            month = rows.c[header[columns.month]]
            first = _first_cell(connection, month, selection.since, time_zone)
            bound = func.trim(month) if isinstance(first, str) else month  # blanks around text are no part of it
            statement = statement if first is None else statement.where(bound >= first)
        gives_row_by_row = other.url.get_backend_name() == "sqlite"
        if not gives_row_by_row:
            connection = connection.execution_options(stream_results=True, max_row_buffer=_ROWS_BUFFERED)
        result = connection.execute(statement)
        labels = [f"{other.name}: column {header[position]!r}" for position in positions]
        parts = _checked_rows(result, labels) if gives_row_by_row else result.partitions(_ROWS_BUFFERED)
        for columns_of_text in _batches(parts, max(1, _ROWS_AT_ONCE // len(columns.values)), labels):
            count = len(columns_of_text[0])
            yield to_rows(columns, dict(zip(positions, columns_of_text, strict=True)), np.arange(line, line + count))
            line += count


def _checked_rows(result: Result[Any], labels: Sequence[str]) -> Iterator[Sequence[Row[Any]]]:
    """Yield rows in parts; the length of cells is checked before another row is gathered."""
    part: list[Row[Any]] = []
    for row in result:
        for cell, label in zip(row, labels, strict=True):
            if isinstance(cell, str | bytes):
                check_cell_bytes(len(cell), label)
        part.append(row)
        if len(part) == _ROWS_BUFFERED:
            yield part
            part = []
    if part:
        yield part


def _batches(
    row_parts: Iterable[Sequence[Row[Any]]], size: int, labels: Sequence[str]
) -> Iterator[list[pyarrow.Array]]:
    """Yield the columns of the rows as text, in batches of at most `size` rows and one part more.

    Raises InputError where a cell is too long.
    """
    parts: list[list[pyarrow.Array]] = [[] for _ in labels]
    count = 0
    for rows in row_parts:
        for part, cells, label in zip(parts, zip(*rows, strict=True), labels, strict=True):
            part.append(pyarrow.array(_as_texts(cells, label), pyarrow.string()))
        count += len(rows)
        if count >= size:
            yield [pyarrow.concat_arrays(part) for part in parts]
            parts, count = [[] for _ in labels], 0
    if count:
        yield [pyarrow.concat_arrays(part) for part in parts]


def _as_texts(cells: Sequence[Any], label: str) -> list[str]:
    """Return cells as text, moments with their offset from UTC; raises InputError where one is too long."""
    longest = max((len(cell) for cell in cells if isinstance(cell, str | bytes)), default=0)
    check_cell_bytes(longest, label)
    return ["" if cell is None else str(cell) for cell in cells]


@contextlib.contextmanager
def _one_statement() -> Iterator[None]:
    """Raise InputError where PostgreSQL refuses to open a query, because it is no query or more than one statement."""
    try:
        yield
    except DBAPIError as failure:
        if getattr(failure.orig, "pgcode", None) == NO_CURSOR:
            raise InputError(ONE_STATEMENT) from None
        raise


def _first_cell(connection: Connection, month: Any, since: Month, time_zone: str | None) -> object:
    """Return what no cell of the month column from `since` on is less than; None where its order is not that of months.

    The cells may be dates, moments, which are read from a day before because of their time zone, or text that begins with the
    year.
    """
    example = connection.scalar(select(month).where(month.is_not(None)).limit(1))
    if isinstance(example, datetime):
        margin = timedelta(days=0 if example.tzinfo is None else 1)
        return datetime.combine(since.first_day, datetime.min.time(), example.tzinfo) - margin
    if isinstance(example, date):
        return since.first_day
    if isinstance(example, str) and re.match(r" *\d{4}-", example):
        return str(since if time_zone is None else since - 1)
    return None


def _rows_and_header(connection: Connection, selection: Selection, address: str) -> tuple[FromClause, list[str]]:
    """Return the table or subquery to select from, and its column names. Columns have no types: no value is converted."""
    if selection.query is not None:
        if connection.dialect.name == "postgresql":
            give_up_rights(connection)
            open_query(connection, selection.query)
        elif ";" in selection.query.strip().rstrip(";"):
            # Only the server's own parser knows what a text holds: what may be two statements is refused.
            raise InputError(
                f"{address}: a query may hold no semicolon, since behind it a second statement could stand."
            )
        query = text(selection.query.strip().rstrip(";").replace(":", "\\:") + "\n")  # a comment may end it
        with connection.execute(_select_no_rows(query)) as result:
            header = list(result.keys())
        return query.columns(*map(column, header)).subquery("source"), header
    schema, _, name = (selection.table or "").rpartition(".")
    nameless = table(name, schema=schema or None)
    try:
        with connection.execute(select(text("*")).select_from(nameless).where(text("1 = 0"))) as result:
            header = list(result.keys())
    except DBAPIError:
        connection.rollback()
        inspector = sqlalchemy.inspect(connection)
        names = {*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)}
        if name in names:
            raise
        first_names = ", ".join(sorted(names)[:12]) or "none"
        raise InputError(f"{address} has no table {selection.table!r}. Tables there: {first_names}.") from None
    return table(name, *map(column, header), schema=schema or None), header


def _select_no_rows(query: TextClause) -> Select[Any]:
    """Return a statement that gives the column names of a query, but no row."""
    return select(text("*")).select_from(query.columns().subquery("source")).where(text("1 = 0"))
