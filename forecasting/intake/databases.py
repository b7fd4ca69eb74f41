"""Databases as sources: any that SQLAlchemy supports. They are read only and streamed; no message shows a password."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow
import sqlalchemy
from sqlalchemy import URL, Connection, Engine, Result, Row, TextClause, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.sql import column, select, table
from sqlalchemy.sql.expression import FromClause

from forecasting.domain.errors import InputError, PassingFailure
from forecasting.domain.months import Month
from forecasting.intake.columns import ColumnPositions, ColumnRoles, check_cell_bytes, find_columns, to_rows
from forecasting.intake.files import Source
from forecasting.storage.db.database import has_misplaced_at
from forecasting.storage.views.sql import NO_CURSOR, ONE_STATEMENT, give_up_rights, open_query

_ROWS_AT_ONCE = 50_000
_PACKAGES = {
    "MySQLdb": "mysqlclient (or PyMySQL, with a URL that starts with mysql+pymysql://)",
    "pymysql": "PyMySQL",
    "cx_Oracle": "oracledb (with a URL that starts with oracle+oracledb://)",
    "duckdb": "duckdb-engine",
    "snowflake": "snowflake-sqlalchemy",
    "bigquery": "sqlalchemy-bigquery",
}
_READ_ONLY_STATEMENTS = {
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = on",
}

_CONNECT_ARGUMENTS: dict[str, dict[str, object]] = {  # by driver
    "psycopg2": {"connect_timeout": 5},
    "pymysql": {"connect_timeout": 5},
    "mysqldb": {"connect_timeout": 5, "multi_statements": False},
    "duckdb_engine": {"read_only": True},
}


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
    parsed = _parse_url(url) if isinstance(url, str) else url
    selected = f"table {selection.table}" if selection.table else f"query {' '.join((selection.query or '').split())}"
    name = f"{_public(parsed)} {_without_secrets(selected, parsed)}"[:1000]
    engine = _engine(parsed)
    with _source_errors(parsed), _connected(engine, parsed) as connection:
        rows, header = _rows_and_header(connection, selection, _public(parsed))
    columns = find_columns(roles, header, _public(parsed))
    return Source(
        name,
        partial(_read_rows, engine, parsed, selection, rows, header, columns, roles.time_zone),
        rules=replace(roles.rules, since=selection.since),
    )


def _read_rows(
    engine: Engine,
    url: URL,
    selection: Selection,
    rows: FromClause,
    header: Sequence[str],
    columns: ColumnPositions,
    time_zone: str | None,
) -> Iterator[pyarrow.RecordBatch]:
    positions = columns.positions
    statement = select(*(rows.c[header[position]] for position in positions))
    line = 2  # as in a file, whose first line is the header
    zone = ZoneInfo(time_zone) if time_zone else None
    with _source_errors(url), _connected(engine, url) as connection:
        if selection.since is not None:
            month = rows.c[header[columns.month]]
            first = _first_cell(connection, month, selection.since, time_zone)
            statement = statement if first is None else statement.where(month >= first)
        result = connection.execution_options(stream_results=True, max_row_buffer=_ROWS_AT_ONCE).execute(statement)
        labels = [f"{_public(url)}: column {header[position]!r}" for position in positions]
        for batch in _batches(result, max(1, _ROWS_AT_ONCE // len(columns.values)), labels):
            cells = {
                position: pyarrow.array([_as_text(cell, zone) for cell in column], pyarrow.string())
                for position, column in zip(positions, zip(*batch, strict=True), strict=True)
            }
            yield to_rows(columns, cells, np.arange(line, line + len(batch)))
            line += len(batch)


def _as_text(cell: Any, zone: ZoneInfo | None) -> str:
    """Return a cell as text; zone: where a moment that knows its offset is given a date, None: as the driver gives it."""
    if cell is None:
        return ""
    if zone is not None and isinstance(cell, datetime) and cell.tzinfo is not None:
        cell = cell.astimezone(zone).replace(tzinfo=None)
    return str(cell)


def _batches(result: Result[Any], size: int, labels: Sequence[str]) -> Iterator[list[Row[Any]]]:
    """Yield the rows in batches; raises InputError at the first cell that is too long, before more of them are gathered."""
    batch: list[Row[Any]] = []
    for row in result:
        for cell, label in zip(row, labels, strict=True):
            if isinstance(cell, str | bytes):
                check_cell_bytes(len(cell), label)
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _first_cell(connection: Connection, month: Any, since: Month, time_zone: str | None) -> object:
    """Return what no cell of the month column from `since` on is less than; None where its order is not that of months.

    The cells may be dates, moments, which are read from a day before because of their time zone, or text that begins with the
    year.
    """
    example = connection.scalar(select(month).where(month.is_not(None)).limit(1))
    if isinstance(example, datetime):
        return datetime.combine(since.first_day, datetime.min.time(), example.tzinfo) - timedelta(days=1)
    if isinstance(example, date):
        return since.first_day
    if isinstance(example, str) and re.match(r"\d{4}-", example):
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
        with connection.execute(_as_subquery(query)) as result:
            header = list(result.keys())
        return query.columns(*map(column, header)).subquery("source"), header
    schema, _, name = (selection.table or "").rpartition(".")
    inspector = sqlalchemy.inspect(connection)
    try:
        header = [description["name"] for description in inspector.get_columns(name, schema or None)]
    except NoSuchTableError:
        names = [*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)]
        first_names = ", ".join(sorted(names)[:12]) or "none"
        raise InputError(f"{address} has no table {selection.table!r}. Tables there: {first_names}.") from None
    return table(name, *map(column, header), schema=schema or None), header


def _as_subquery(query: TextClause) -> Any:
    return select(text("*")).select_from(query.columns().subquery("source")).where(text("1 = 0"))


@contextlib.contextmanager
def _connected(engine: Engine, url: URL) -> Iterator[Connection]:
    """Open a connection; its transaction is read only where the database has such transactions."""
    backend = url.get_backend_name()
    try:
        connection = engine.connect()
    except SQLAlchemyError:
        raise PassingFailure(
            f"{_public(url)} cannot be reached: check that it runs, and its host, port, database, user and password."
        ) from None
    with connection:
        if backend in _READ_ONLY_STATEMENTS:
            connection.exec_driver_sql(_READ_ONLY_STATEMENTS[backend])
        yield connection


@contextlib.contextmanager
def _source_errors(url: URL) -> Iterator[None]:
    """Turn errors of SQLAlchemy into Milkrun's: with the message of the database, without parameters and secrets."""
    try:
        yield
    except DBAPIError as failure:
        message = _without_secrets(str(failure.orig).strip().split("\n", 1)[0], url)
        if getattr(failure.orig, "pgcode", None) == NO_CURSOR:
            raise InputError(ONE_STATEMENT) from None
        if failure.connection_invalidated:
            raise PassingFailure(f"{_public(url)} dropped the connection: repeat the command.") from None
        raise InputError(f"{_public(url)} refused the query: {message}") from None
    except SQLAlchemyError as failure:
        raise InputError(f"{_public(url)} cannot be read: {_without_secrets(str(failure), url)[:200]}") from None


def _engine(url: URL) -> Engine:
    try:
        arguments = _CONNECT_ARGUMENTS.get(url.get_driver_name(), {})
        return sqlalchemy.create_engine(
            url, hide_parameters=True, poolclass=sqlalchemy.NullPool, connect_args=arguments
        )
    except ModuleNotFoundError as missing:
        package = _PACKAGES.get(missing.name or "", missing.name)
        raise InputError(f"Sources of {url.drivername} need the Python package {package}: install it.") from None
    except NoSuchModuleError:
        backend = url.get_backend_name()
        package = _PACKAGES.get(backend, f"an SQLAlchemy dialect for {backend}")
        raise InputError(f"Sources of {url.drivername} need the Python package {package}: install it.") from None


def url_of_parts(parts: Mapping[str, Any]) -> str:
    """Return the URL of a database from its parts; parts: driver, and username, password, host, port, database and query."""
    names = ("username", "password", "host", "port", "database", "query")
    port = parts.get("port")
    url = URL.create(str(parts["driver"]), **{name: parts[name] for name in names if name != "port" and name in parts})
    return url.set(port=int(port) if port else None).render_as_string(hide_password=False)


def _parse_url(url: str) -> URL:
    """Parse the URL of a source. Its text never appears in an error, because it may contain a password."""
    try:
        parsed = make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg2://", url))
    except (ArgumentError, ValueError):
        parsed = None
    sqlite = parsed is not None and parsed.get_backend_name() == "sqlite"
    if parsed is None or (not sqlite and has_misplaced_at(parsed)):
        raise InputError(
            "The URL of the source cannot be read: write it as postgresql://user:password@host:port/database or "
            "sqlite:///FILE, with special characters of the password percent-encoded."
        )
    return _read_only_sqlite(parsed) if sqlite else parsed


def _read_only_sqlite(url: URL) -> URL:
    """Return a URL that opens an SQLite file read only and does not create it; raises InputError when it is missing."""
    name = url.database or ""
    if name.startswith("file:"):
        return url
    if not Path(name).is_file():
        raise InputError(f"There is no SQLite file {name!r}: sqlite:///FILE is relative, sqlite:////FILE is absolute.")
    return url.set(database=Path(name).absolute().as_uri(), query={"mode": "ro", "uri": "true"})


def _public(url: URL) -> str:
    """Render a URL without its password and without its query, which may contain one as well."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite {re.sub('^file:(//)?', '', url.database or '')}"
    return URL.create(
        url.drivername.split("+")[0], url.username, None, url.host, url.port, url.database
    ).render_as_string()


_SECRET = re.compile(
    r"((?:password|passwd|pwd|secret|token)\s*(?:=|=>|:)\s*)('[^']*'|\"[^\"]*\"|[^\s'\",;&]+)", re.IGNORECASE
)


def _without_secrets(message: str, url: URL) -> str:
    query_secrets = (
        str(value) for key, value in url.query.items() if re.search("pass|pwd|secret|token|key", key, re.IGNORECASE)
    )
    for secret in filter(None, (url.password, *query_secrets)):
        message = message.replace(secret, "***")
    return _SECRET.sub(r"\1***", message)
