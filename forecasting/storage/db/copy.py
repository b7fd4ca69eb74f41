"""COPY, the fastest way to write and read many rows of PostgreSQL, inside the transaction of a connection."""

import contextlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import numpy as np
from sqlalchemy import BigInteger, Column, Connection, Date, Double, Integer, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError

# The binary COPY format: a header, rows and a trailer. A row is the number of its columns in 2 bytes, then for each column
# the length of its value in 4 bytes (-1 for NULL) and the bytes of the value. Numbers are big-endian. (PostgreSQL manual, COPY)
_HEADER, _TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_NUMBERS = {BigInteger: ">i8", Integer: ">i4", SmallInteger: ">i2", Double: ">f8"}
_JSON = json.JSONEncoder(allow_nan=False, separators=(",", ":"))  # creating one is as slow as encoding with it
_FLOAT8 = 701  # the object id of the type double precision, which an array contains
_DAY_ZERO = np.datetime64("2000-01-01", "D")  # dates are days since this one


def array_of(values: Iterable[object]) -> str:
    """Return an SQL literal for an array of numbers or digests, because a query of COPY takes no parameters."""
    return f"'{{{','.join(map(str, values))}}}'"


def copy_in(connection: Connection, table: str, columns: list[str], csv: IO[bytes]) -> None:
    """Copy CSV rows from a binary file object into a table, inside the connection's transaction."""
    with _copying(connection) as cursor:
        cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)", csv, size=1 << 16)


def copy_out(connection: Connection, query: str, csv: IO[bytes]) -> None:
    """Copy the rows of a query, as CSV without a header, into a binary file object."""
    with _copying(connection) as cursor:
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv)", csv)


def copy_out_binary(connection: Connection, query: str, types: dict[str, str]) -> np.ndarray:
    """Copy the rows of a query into a structured array (rows,).

    types: by column name, NumPy's name of its type, such as f8. No value may be NULL: then all rows have the same width, and
    the stream is an array already.
    """
    stream = io.BytesIO()
    with _copying(connection) as cursor:
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", stream)
    fields = [("column count", ">i2")]
    for name, type_name in types.items():
        fields += [(f"{name} length", ">i4"), (name, f">{type_name}")]
    row = np.dtype(fields)
    count = (stream.tell() - len(_HEADER) - len(_TRAILER)) // row.itemsize
    return np.frombuffer(stream.getbuffer(), row, count, len(_HEADER))[list(types)]


def copy_in_binary(connection: Connection, table: Table, columns: dict[str, Any]) -> None:
    """Copy rows into a table, inside the transaction of the connection; do nothing where there are no rows.

    columns: by name, the values of a column: a list in which None is NULL, or an array (rows,) in which masked values are
    NULL. A column of arrays is an array (rows, length); a row is NULL where its first value is masked.
    """
    encoded = {name: _encode(table.c[name], values) for name, values in columns.items()}
    fields: list[tuple[str, Any]] = [("column count", ">i2")]
    for name, (values, _) in encoded.items():
        fields += [(f"{name} length", ">i4"), (name, values.dtype)]
    row_count = len(next(iter(encoded.values()))[0]) if encoded else 0
    if not row_count:
        return
    rows = np.empty(row_count, np.dtype(fields))
    rows["column count"] = len(encoded)
    # Values shorter than their field, and NULLs, leave padding bytes in a row: these are not sent.
    is_sent = np.ones((row_count, rows.itemsize), dtype=bool)
    for name, (values, lengths) in encoded.items():
        rows[name], rows[f"{name} length"] = values, lengths
        start, width = rows.dtype.fields[name][1], values.itemsize  # type: ignore[index]  # it has fields
        is_sent[:, start : start + width] = np.arange(width) < lengths[:, None]
    body = rows.tobytes() if is_sent.all() else rows.view(np.uint8).reshape(row_count, -1)[is_sent].tobytes()
    names = ", ".join(encoded)
    with _copying(connection) as cursor:
        cursor.copy_expert(
            f"COPY {table.schema}.{table.name} ({names}) FROM STDIN (FORMAT binary)",
            io.BytesIO(b"".join((_HEADER, body, _TRAILER))),
            size=1 << 16,
        )


def _encode(column: Column[Any], values: Sequence[Any] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Encode the values of a column in the binary format: their bytes, and the number of bytes of each, -1 for NULL.

    Both are arrays (rows,); a value that is shorter than the itemsize of the first array is padded.
    """
    column_type = type(column.type)
    if isinstance(values, np.ndarray):
        missing, values = np.ma.getmaskarray(values), np.ma.getdata(values)
    else:
        missing = np.array([value is None for value in values], dtype=bool)
    if column_type is ARRAY:
        encoded = _encode_arrays(np.asarray(values))
        return encoded, np.where(missing[:, 0], -1, encoded.itemsize)
    if column_type in (Text, JSONB):
        if column_type is Text:  # few different values in many rows
            bytes_by_value = {value: str(value).encode() for value in set(values)}
            encoded = np.array([bytes_by_value[value] for value in values], dtype=bytes)
        else:  # a value of jsonb is a version number and the text
            encoded = np.array([b"\x01" + _JSON.encode(value).encode() for value in values], dtype=bytes)
        return encoded, np.where(missing, -1, np.strings.str_len(encoded))
    if column_type is Date:
        encoded = (np.asarray(values, dtype="datetime64[D]") - _DAY_ZERO).astype(">i4")
    else:
        encoded = np.where(missing, 0, values).astype(_NUMBERS[column_type])
    return encoded, np.where(missing, -1, encoded.itemsize)


def _encode_arrays(values: np.ndarray) -> np.ndarray:
    """Encode numbers (rows, length) as one array per row: a head, then the length and the bytes of each number.

    head: number of dimensions, 0 for no NULLs, type, number of values, index of the first value.
    """
    head = np.array([1, 0, _FLOAT8, values.shape[1], 1], ">i4")
    row = np.dtype([("head", ">i4", 5), ("cells", [("length", ">i4"), ("value", ">f8")], values.shape[1])])
    encoded = np.empty(len(values), row)
    encoded["head"], encoded["cells"]["length"], encoded["cells"]["value"] = head, 8, values
    return encoded.view(f"V{row.itemsize}")


@contextlib.contextmanager
def _copying(connection: Connection) -> Iterator[Any]:
    """Give a cursor of the driver; its errors become errors of SQLAlchemy, as for every other statement."""
    driver = connection.dialect.loaded_dbapi
    with connection.connection.cursor() as cursor:  # type: ignore[attr-defined]
        try:
            yield cursor
        except driver.Error as failure:
            disconnected = connection.dialect.is_disconnect(failure, None, None)
            raise DBAPIError.instance(
                "COPY", None, failure, driver.Error, True, disconnected, connection.dialect
            ) from None
