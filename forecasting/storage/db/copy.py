"""PostgreSQL's COPY, the quickest way in and out, inside the transaction of a connection."""

import contextlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import numpy as np
from sqlalchemy import BigInteger, Column, Connection, Date, Double, Integer, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError

# The binary COPY format: a header, then rows, then a trailer. A row is its number of columns in 2 bytes, then for each
# column its length in 4 bytes, -1 for NULL, and its bytes, numbers with their highest byte first.
_HEADER, _TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_NUMBERS = {BigInteger: ">i8", Integer: ">i4", SmallInteger: ">i2", Double: ">f8"}
_JSON = json.JSONEncoder(allow_nan=False, separators=(",", ":"))  # made once: that takes as long as a small object
_FLOAT8 = 701  # the number of double precision among the types, which arrays name
_FIRST_DATE = np.datetime64("2000-01-01", "D")  # the day that the format counts from


def array_of(values: Iterable[object]) -> str:
    """Write numbers or digests as a literal of PostgreSQL's: the queries of COPY take no parameters."""
    return f"'{{{','.join(map(str, values))}}}'"


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

    In the binary format rows of fixed-width columns have a fixed width themselves: the stream is read as it is, without
    any parsing.
    """
    stream = io.BytesIO()
    with _copying(connection) as cursor:
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", stream)
    fields = [("columns", ">i2")]
    for name, kind in types.items():
        fields += [(f"{name} length", ">i4"), (name, f">{kind}")]
    row = np.dtype(fields)
    count = (stream.tell() - len(_HEADER) - len(_TRAILER)) // row.itemsize
    return np.frombuffer(stream.getbuffer(), row, count, len(_HEADER))[list(types)]


def copy_in_binary(connection: Connection, table: Table, columns: dict[str, Any]) -> None:
    """Copy rows into a table, inside the connection's transaction; nothing is done where there are none.

    columns: the values of each column by name, as a list in which None is NULL, or as an array in which masked is NULL; of
    a column of arrays as an array (rows, length), in which a row is NULL whose first place is masked.
    """
    wired = {name: _wired(table.c[name], values) for name, values in columns.items()}
    fields: list[tuple[str, Any]] = [("columns", ">i2")]
    for name, (values, _) in wired.items():
        fields += [(f"{name} length", ">i4"), (name, values.dtype)]
    rows = np.empty(len(next(iter(wired.values()))[0]) if wired else 0, np.dtype(fields))
    if not len(rows):
        return
    rows["columns"] = len(wired)
    sent = np.ones((len(rows), rows.itemsize), dtype=bool)
    for name, (values, lengths) in wired.items():
        rows[name], rows[f"{name} length"] = values, lengths
        start, width = rows.dtype.fields[name][1], values.itemsize  # type: ignore[index]  # it has fields
        sent[:, start : start + width] = np.arange(width) < lengths[:, None]
    body = rows.tobytes() if sent.all() else rows.view(np.uint8).reshape(len(rows), -1)[sent].tobytes()
    names = ", ".join(wired)
    with _copying(connection) as cursor:
        cursor.copy_expert(
            f"COPY {table.schema}.{table.name} ({names}) FROM STDIN (FORMAT binary)",
            io.BytesIO(b"".join((_HEADER, body, _TRAILER))),
            size=1 << 16,
        )


def _wired(column: Column[Any], values: Sequence[Any] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn a column's values into what the format holds: an array (rows,), and the length of each row's bytes or -1."""
    kind = type(column.type)
    if isinstance(values, np.ndarray):
        missing, values = np.ma.getmaskarray(values), np.ma.getdata(values)
    else:
        missing = np.array([value is None for value in values], dtype=bool)
    if kind is ARRAY:
        wired = _arrays(np.asarray(values))
        return wired, np.where(missing[:, 0], -1, wired.itemsize)
    if kind in (Text, JSONB):
        if kind is Text:  # many rows say the same few things
            encoded = {value: str(value).encode() for value in set(values)}
            wired = np.array([encoded[value] for value in values], dtype=bytes)
        else:  # the binary form of jsonb is its text behind the number of its version
            wired = np.array([b"\x01" + _JSON.encode(value).encode() for value in values], dtype=bytes)
        return wired, np.where(missing, -1, np.strings.str_len(wired))
    if kind is Date:
        wired = (np.asarray(values, dtype="datetime64[D]") - _FIRST_DATE).astype(">i4")
    else:
        wired = np.where(missing, 0, values).astype(_NUMBERS[kind])
    return wired, np.where(missing, -1, wired.itemsize)


def _arrays(values: np.ndarray) -> np.ndarray:
    """Turn numbers (rows, length) into one-dimensional arrays without NULLs: a head, then each number behind its length."""
    head = np.array([1, 0, _FLOAT8, values.shape[1], 1], ">i4")
    row = np.dtype([("head", ">i4", 5), ("cells", [("length", ">i4"), ("value", ">f8")], values.shape[1])])
    wired = np.empty(len(values), row)
    wired["head"], wired["cells"]["length"], wired["cells"]["value"] = head, 8, values
    return wired.view(f"V{row.itemsize}")


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
