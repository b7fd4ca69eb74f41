"""Databases other than Milkrun's own: any that SQLAlchemy supports. No message shows a password."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from forecasting.domain.errors import InputError, PassingFailure
from forecasting.storage.db.database import has_misplaced_at

_PACKAGES = {
    "MySQLdb": "mysqlclient (or PyMySQL, with a URL that starts with mysql+pymysql://)",
    "pymysql": "PyMySQL",
    "cx_Oracle": "oracledb (with a URL that starts with oracle+oracledb://)",
    "duckdb": "duckdb-engine",
    "snowflake": "snowflake-sqlalchemy",
    "bigquery": "sqlalchemy-bigquery",
}
_READ_ONLY_STATEMENTS = {
    "postgresql": "SET TRANSACTION READ ONLY; SET LOCAL TimeZone = 'UTC'",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = on",
}

_CONNECT_ARGUMENTS: dict[str, dict[str, object]] = {  # by driver
    "psycopg2": {"connect_timeout": 5},
    "pymysql": {"connect_timeout": 5},
    "mysqldb": {"connect_timeout": 5, "multi_statements": False},
}
_READ_ONLY_ARGUMENTS: dict[str, dict[str, object]] = {"duckdb_engine": {"read_only": True}}


@dataclass(frozen=True)
class OtherDatabase:
    """A database other than Milkrun's own. name: its address for messages, without a password; is_read_only: for sources."""

    url: URL
    engine: Engine
    name: str
    is_read_only: bool

    @contextlib.contextmanager
    def connecting(self) -> Iterator[Connection]:
        """Open a connection; its transaction only reads, where that is asked for and the database has such transactions.

        Raises PassingFailure where the database is out of reach, InputError, with the message of the database and without
        parameters and secrets, for what it refuses.
        """
        try:
            connection = self.engine.connect()
        except SQLAlchemyError:
            raise PassingFailure(
                f"{self.name} cannot be reached: check that it runs, and its host, port, database, user and password."
            ) from None
        try:
            with connection:
                if self.is_read_only and (statement := _READ_ONLY_STATEMENTS.get(self.url.get_backend_name())):
                    connection.exec_driver_sql(statement)
                yield connection
        except DBAPIError as failure:
            if failure.connection_invalidated:
                raise PassingFailure(f"{self.name} dropped the connection: repeat the command.") from None
            message = self.without_secrets(str(failure.orig).strip().split("\n", 1)[0])
            raise InputError(f"{self.name} refused a statement: {message}") from None
        except (ValueError, OverflowError) as failure:  # of drivers, such as for a date after the year 9999
            raise InputError(f"{self.name} has a value that Python cannot hold: {str(failure)[:100]}.") from None
        except SQLAlchemyError as failure:
            raise InputError(f"{self.name} cannot be used: {self.without_secrets(str(failure))[:200]}") from None

    def without_secrets(self, message: str) -> str:
        """Return a message without the passwords of the URL, and without what looks like one."""
        query_secrets = (
            str(value)
            for key, value in self.url.query.items()
            if re.search("pass|pwd|secret|token|key", key, re.IGNORECASE)
        )
        for secret in filter(None, (self.url.password, *query_secrets)):
            message = message.replace(secret, "***")
        return hide_secrets(message)


def hide_secrets(text: str) -> str:
    """Return a text without what looks like a password."""
    return _SECRET.sub(r"\1***", _PASSWORD_IN_ADDRESS.sub(r"\1***@", text))


def open_other_database(url: str | URL, *, is_read_only: bool) -> OtherDatabase:
    """Return a database by its URL; it is connected when it is used.

    Raises InputError for a URL that cannot be read, without showing it, and where a Python package is missing.
    """
    parsed = _parse_url(url, is_read_only=is_read_only) if isinstance(url, str) else url
    try:
        driver = parsed.get_driver_name()
        arguments = _CONNECT_ARGUMENTS.get(driver, {}) | (_READ_ONLY_ARGUMENTS.get(driver, {}) if is_read_only else {})
        engine = sqlalchemy.create_engine(
            parsed, hide_parameters=True, poolclass=sqlalchemy.NullPool, connect_args=arguments
        )
    except ModuleNotFoundError as missing:
        package = _PACKAGES.get(missing.name or "", missing.name)
        raise InputError(f"Databases of {parsed.drivername} need the Python package {package}: install it.") from None
    except NoSuchModuleError:
        backend = parsed.get_backend_name()
        package = _PACKAGES.get(backend, f"an SQLAlchemy dialect for {backend}")
        raise InputError(f"Databases of {parsed.drivername} need the Python package {package}: install it.") from None
    return OtherDatabase(parsed, engine, _public(parsed), is_read_only)


_PASSWORD_IN_ADDRESS = re.compile(r"(://[^\s:/@'\"]*:)[^\s@'\"]+@")


def url_of_parts(parts: Mapping[str, Any]) -> str:
    """Return the URL of a database from its parts; parts: driver, and username, password, host, port, database and query."""
    names = ("username", "password", "host", "port", "database", "query")
    port = parts.get("port")
    url = URL.create(str(parts["driver"]), **{name: parts[name] for name in names if name != "port" and name in parts})
    return url.set(port=int(port) if port else None).render_as_string(hide_password=False)


def _parse_url(url: str, *, is_read_only: bool) -> URL:
    """Parse a URL. Its text never appears in an error, because it may contain a password."""
    try:
        parsed = make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg2://", url))
    except (ArgumentError, ValueError):
        parsed = None
    sqlite = parsed is not None and parsed.get_backend_name() == "sqlite"
    if parsed is None or (not sqlite and has_misplaced_at(parsed)):
        raise InputError(
            "The URL of the database cannot be read: write it as postgresql://user:password@host:port/database or "
            "sqlite:///FILE, with special characters of the password percent-encoded."
        )
    return _read_only_sqlite(parsed) if sqlite and is_read_only else parsed


def _read_only_sqlite(url: URL) -> URL:
    """Return a URL that opens an SQLite file read only and does not create it; raises InputError when it is missing."""
    name = url.database or ""
    if name.startswith("file:"):
        return url.update_query_dict({"mode": "ro", "uri": "true"})
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
