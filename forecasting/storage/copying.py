"""PostgreSQL's COPY, the quickest way in and out, inside the transaction of a connection."""

import contextlib
import io
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


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
