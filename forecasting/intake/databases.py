"""Foreign databases as sources: any that SQLAlchemy reaches, read only, streamed, and never with a password in a text."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import sqlalchemy
from sqlalchemy import URL, Connection, Engine, TextClause, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.sql import column, select, table
from sqlalchemy.sql.expression import FromClause

from forecasting.domain.errors import EnvironmentFailure, InputError
from forecasting.domain.months import Month
from forecasting.intake.columns import ColumnLayout, ColumnPositions, find_columns, to_rows
from forecasting.intake.files import Source
from forecasting.storage.db.database import is_torn
from forecasting.storage.views.sql import require_one_statement

_ROWS_AT_ONCE = 50_000
_PACKAGES = {
    "MySQLdb": "mysqlclient (or PyMySQL, with a URL that starts with mysql+pymysql://)",
    "pymysql": "PyMySQL",
    "cx_Oracle": "oracledb (with a URL that starts with oracle+oracledb://)",
    "duckdb": "duckdb-engine",
    "snowflake": "snowflake-sqlalchemy",
    "bigquery": "sqlalchemy-bigquery",
}
_ONLY_READ = {
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET TRANSACTION READ ONLY",
    "mariadb": "SET TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = on",
}


@dataclass(frozen=True)
class Selection:
    """What to read from a database: a table (with its schema, if it needs one) or a query, from a month on."""

    table: str | None = None
    query: str | None = None
    since: Month | None = None


def open_database_source(url: str | URL, selection: Selection, layout: ColumnLayout) -> Source:
    """Open a table or a query of a database as a source; its rows are read when they are asked for.

    Raises InputError for a URL, table or column that does not exist, EnvironmentFailure when it cannot be reached.
    """
    parsed = _source_url(url) if isinstance(url, str) else url
    what = f"table {selection.table}" if selection.table else f"query {' '.join((selection.query or '').split())}"
    name = f"{_public(parsed)} {_without_secrets(what, parsed)}"[:1000]
    engine = _engine(parsed)
    with _named_failures(parsed), _connected(engine, parsed) as connection:
        source, header = _described(connection, selection, _public(parsed))
    arrangement = find_columns(layout, header, _public(parsed))
    return Source(name, partial(_rows, engine, parsed, selection, source, header, arrangement))


def _rows(
    engine: Engine,
    url: URL,
    selection: Selection,
    source: FromClause,
    header: Sequence[str],
    arrangement: ColumnPositions,
) -> Iterator[pyarrow.RecordBatch]:
    positions = arrangement.columns
    statement = select(*(source.c[header[position]] for position in positions))
    row = 2  # as in a file, whose first line is the header
    with _named_failures(url), _connected(engine, url) as connection:
        if selection.since is not None:
            month = source.c[header[arrangement.month]]
            statement = statement.where(month >= _bound(connection, month, selection.since))
        streamed = connection.execution_options(stream_results=True, max_row_buffer=_ROWS_AT_ONCE).execute(statement)
        for part in streamed.partitions(max(1, _ROWS_AT_ONCE // len(arrangement.values))):
            cells = {
                position: pyarrow.array(["" if cell is None else str(cell) for cell in cells], pyarrow.string())
                for position, cells in zip(positions, zip(*part, strict=True), strict=True)
            }
            yield to_rows(arrangement, cells, np.arange(row, row + len(part)))
            row += len(part)


def _bound(connection: Connection, month: Any, since: Month) -> object:
    """Return `since` in the type that the month column has: a date, or text, which sorts as months do."""
    example = connection.scalar(select(month).where(month.is_not(None)).limit(1))
    return str(since) if example is None or isinstance(example, str) else since.first_day


def _described(connection: Connection, selection: Selection, place: str) -> tuple[FromClause, list[str]]:
    """Return what to select from, and the names of its columns; types are left open, so that nothing is converted."""
    if selection.query is not None:
        require_one_statement(selection.query)
        query = text(selection.query.strip().rstrip(";").replace(":", "\\:") + "\n")  # a comment may end it
        with connection.execute(_as_subquery(query)) as result:
            header = list(result.keys())
        return query.columns(*map(column, header)).subquery("source"), header
    schema, _, name = (selection.table or "").rpartition(".")
    inspector = sqlalchemy.inspect(connection)
    try:
        header = [found["name"] for found in inspector.get_columns(name, schema or None)]
    except NoSuchTableError:
        existing = [*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)]
        known = ", ".join(sorted(existing)[:12]) or "none"
        raise InputError(f"{place} has no table {selection.table!r}. Tables there: {known}.") from None
    return table(name, *map(column, header), schema=schema or None), header


def _as_subquery(query: TextClause) -> Any:
    return select(text("*")).select_from(query.columns().subquery("source")).where(text("1 = 0"))


@contextlib.contextmanager
def _connected(engine: Engine, url: URL) -> Iterator[Connection]:
    """Open a connection whose transaction cannot write, where the database knows such."""
    backend = url.get_backend_name()
    try:
        connection = engine.connect()
    except SQLAlchemyError:
        raise EnvironmentFailure(
            f"{_public(url)} cannot be reached: check that it runs, and its host, port, database, user and password."
        ) from None
    with connection:
        if backend in _ONLY_READ:
            connection.exec_driver_sql(_ONLY_READ[backend])
        yield connection


@contextlib.contextmanager
def _named_failures(url: URL) -> Iterator[None]:
    """Turn the errors of a source into ours; the message of its database is kept, its parameters and secrets are not."""
    try:
        yield
    except DBAPIError as failure:
        message = _without_secrets(str(failure.orig).strip().split("\n", 1)[0], url)
        if failure.connection_invalidated:
            raise EnvironmentFailure(f"{_public(url)} dropped the connection: repeat the command.") from None
        raise InputError(f"{_public(url)} refused the query: {message}") from None
    except SQLAlchemyError as failure:
        raise InputError(f"{_public(url)} cannot be read: {_without_secrets(str(failure), url)[:200]}") from None


def _engine(url: URL) -> Engine:
    limits: dict[str, object] = {"connect_timeout": 5} if url.get_backend_name() in ("postgresql", "mysql") else {}
    try:
        return sqlalchemy.create_engine(url, hide_parameters=True, poolclass=sqlalchemy.NullPool, connect_args=limits)
    except ModuleNotFoundError as missing:
        package = _PACKAGES.get(missing.name or "", missing.name)
        raise InputError(f"Sources of {url.drivername} need the Python package {package}: install it.") from None
    except NoSuchModuleError:
        backend = url.get_backend_name()
        package = _PACKAGES.get(backend, f"an SQLAlchemy dialect for {backend}")
        raise InputError(f"Sources of {url.drivername} need the Python package {package}: install it.") from None


def _source_url(url: str) -> URL:
    """Read the URL of a source; its text never appears in an error, since it may hold a password."""
    try:
        parsed = make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg2://", url))
    except (ArgumentError, ValueError):
        parsed = None
    sqlite = parsed is not None and parsed.get_backend_name() == "sqlite"
    if parsed is None or (not sqlite and is_torn(parsed)):
        raise InputError(
            "The URL of the source cannot be read: write it as postgresql://user:password@host:port/database or "
            "sqlite:///FILE, with special characters of the password percent-encoded."
        )
    return _read_only_sqlite(parsed) if sqlite else parsed


def _read_only_sqlite(url: URL) -> URL:
    """Open an SQLite file so that it is neither made when it is missing nor written to."""
    name = url.database or ""
    if name.startswith("file:"):
        return url
    if not Path(name).is_file():
        raise InputError(f"There is no SQLite file {name!r}: sqlite:///FILE is relative, sqlite:////FILE is absolute.")
    return url.set(database=Path(name).absolute().as_uri(), query={"mode": "ro", "uri": "true"})


def _public(url: URL) -> str:
    """Render a URL without its password and its query, which may hold one as well."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite {re.sub('^file:(//)?', '', url.database or '')}"
    return URL.create(
        url.drivername.split("+")[0], url.username, None, url.host, url.port, url.database
    ).render_as_string()


_SECRET = re.compile(
    r"((?:password|passwd|pwd|secret|token)\s*(?:=|=>|:)\s*)('[^']*'|\"[^\"]*\"|[^\s'\",;&]+)", re.IGNORECASE
)


def _without_secrets(shown: str, url: URL) -> str:
    telling = (
        str(value) for key, value in url.query.items() if re.search("pass|pwd|secret|token|key", key, re.IGNORECASE)
    )
    for secret in filter(None, (url.password, *telling)):
        shown = shown.replace(secret, "***")
    return _SECRET.sub(r"\1***", shown)
