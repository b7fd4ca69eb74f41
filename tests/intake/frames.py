"""Random files for tests of the intake, with every kind of damage, and the rows that they contain."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
from hypothesis import strategies as st

from forecasting.intake.columns import ColumnRoles
from tests.intake.reference import SourceRow

# fmt: off
LETTERS = st.characters(exclude_categories=["Cs", "Cn"])
NAMES = st.sampled_from((
    "milk", " milk ", "oil", "café", "cafe\u0301", "'; DROP TABLE series; --", 'a"b', "NULL", "\\N", "x" * 201,
    "", "  ", "mi\x00lk", "\x1b[31mmilk", "mi\u202elk", "\ufdd0", "mi\nlk", "a,b;c\td|e",
)) | st.text(LETTERS, max_size=6)
MONTHS = st.sampled_from((
    "1962-01", "1962-01-31", " 1962/1 ", "1962-02", "1962-02-28T23:59:59Z", "2024-06", "1700-01", "1699-12", "2024-07",
    "2200-12", "2201-01", "1962-13", "1962-02-29", "", " ", "Feb 1962", "02/1962", "infinity",
))
VALUES = st.sampled_from((
    "1", "1.0", " 2 ", "-3", "+0", "-0.0", ".5", "5.", "1e15", "1e-310", "5e-324", "1e300", "1e400", "-1e16", "NaN", "-nan",
    "inf", "-Infinity", "", "  ", "n/a", "1.234,5", "12,5", "1_000", "0x1F", "5 %", "٣", "9" * 50,
)) | st.floats().map(repr)
# fmt: on
UNITS = st.sampled_from(["", "", "", "kg", " kg ", "t", "k\x07g", "u" * 101])

_SPECIAL = '"\r\n,;\t|'


@dataclass(frozen=True)
class Frame:
    """The bytes of a file, its roles and its rows; the rows are None where damage makes them unknown."""

    content: bytes
    roles: ColumnRoles
    rows: tuple[SourceRow, ...] | None
    suffix: str = ".csv"


@dataclass(frozen=True)
class Dialect:
    """The delimiter, line end and quoting of a CSV file; mark: whether it begins with a byte order mark."""

    delimiter: str
    end: str
    quoted: bool
    mark: bool

    def line(self, fields: list[str]) -> str:
        """Write one row; fields with special characters are quoted."""
        return self.delimiter.join(
            '"' + field.replace('"', '""') + '"'
            if self.quoted or any(letter in _SPECIAL for letter in field)
            else field
            for field in fields
        )

    def file(self, lines: list[str]) -> bytes:
        """Join lines into a file."""
        return ("\ufeff" * self.mark + "".join(line + self.end for line in lines)).encode()

    def number(self, text: str) -> str:
        """Return the expected text of a value: with semicolons as delimiters, a decimal comma becomes a point."""
        return text.replace(",", ".") if self.delimiter == ";" and text == "12,5" else text


DIALECTS = st.builds(Dialect, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
# A valid row, a row with too few or too many fields, a blank line, or a line of delimiters only.
SHAPES = st.sampled_from(["whole"] * 12 + ["short", "long", "blank", "bare"])


@st.composite
def long_files(draw: st.DrawFn) -> Frame:
    """Draw a CSV file with one row per observation, its columns in any order."""
    dialect = draw(DIALECTS)
    header = draw(st.permutations(["series", "month", "value", "unit", "note"]))
    lines, rows = [dialect.line(header)], []
    for shape, *cells in draw(st.lists(st.tuples(SHAPES, NAMES, MONTHS, VALUES, UNITS), min_size=1, max_size=10)):
        line = 1 + sum(earlier.count("\n") + 1 for earlier in lines)
        by_column = dict(zip(("series", "month", "value", "unit"), cells, strict=True)) | {"note": ""}
        fields = [by_column[column] for column in header]
        if shape in ("short", "long"):
            fields = ["torn", *fields[:2]] if shape == "short" else [*fields, "more"]
            rows.append(SourceRow(line, "", "", "", problem="wrong_columns"))
        elif shape == "whole" and any(fields):
            rows.append(SourceRow(line, cells[0], cells[1], dialect.number(cells[2]), cells[3]))
        lines.append({"blank": "", "bare": dialect.delimiter * 4}.get(shape, dialect.line(fields)))
    return Frame(dialect.file(lines), ColumnRoles(), tuple(rows))


@st.composite
def wide_files(draw: st.DrawFn) -> Frame:
    """Draw a CSV file with one column per series."""
    dialect = draw(DIALECTS)
    usable = NAMES.filter(lambda name: min(name, default=" ") >= " " and name.strip() != "month")
    names = draw(st.lists(usable, min_size=1, max_size=4, unique_by=str.strip))
    lines, rows = [dialect.line(["month", *names])], []
    for month, *cells in draw(st.lists(st.tuples(MONTHS, *(VALUES for _ in names)), min_size=1, max_size=6)):
        line = len(lines) + 1
        lines.append(dialect.line([month, *cells]))
        rows += [
            SourceRow(line, name.strip(), month, dialect.number(cell))
            for name, cell in zip(names, cells, strict=True)
            if cell.strip()
        ]
    return Frame(dialect.file(lines), ColumnRoles(form="wide", month_column="month"), tuple(rows))


NUMBERS: dict[str, tuple[pyarrow.DataType, st.SearchStrategy[Any], Callable[[Any], str]]] = {
    "double": (pyarrow.float64(), st.floats(), repr),
    "float": (pyarrow.float32(), st.floats(width=32), lambda value: str(np.float32(value))),
    "int": (pyarrow.int64(), st.integers(-(2**63), 2**63 - 1), str),
    "decimal": (pyarrow.decimal128(20, 3), st.integers(-(10**19), 10**19).map(lambda n: Decimal(n).scaleb(-3)), str),
    "text": (pyarrow.string(), VALUES, str),
    "bool": (pyarrow.bool_(), st.booleans(), lambda value: str(value).lower()),
}
STAMPS: dict[str, tuple[pyarrow.DataType, st.SearchStrategy[Any]]] = {
    "date": (pyarrow.date32(), st.dates()),
    "moment": (pyarrow.timestamp("us"), st.datetimes()),
    "text": (pyarrow.string(), MONTHS),
}


@st.composite
def parquet_files(draw: st.DrawFn) -> Frame:
    """Draw a Parquet file whose columns are of any type, with empty cells."""
    kind, value, as_text = NUMBERS[draw(st.sampled_from(sorted(NUMBERS)))]
    stamp, month = STAMPS[draw(st.sampled_from(sorted(STAMPS)))]
    cells = draw(st.lists(st.tuples(st.none() | NAMES, st.none() | month, st.none() | value), min_size=1, max_size=10))
    columns = [
        pyarrow.array(column, of)
        for column, of in zip(zip(*cells, strict=True), (pyarrow.string(), stamp, kind), strict=True)
    ]
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns, names=["series", "month", "value"]), sink)
    rows = [
        SourceRow(line, name or "", "" if when is None else str(when), "" if number is None else as_text(number))
        for line, (name, when, number) in enumerate(cells, start=2)
    ]
    filled_rows = tuple(row for row in rows if row.series or row.month or row.value)
    return Frame(sink.getvalue(), ColumnRoles(), filled_rows, ".parquet")


@st.composite
def damaged_files(draw: st.DrawFn) -> Frame:
    """Draw a file in which bytes were changed, removed, doubled or inserted."""
    frame = draw(st.one_of(long_files(), wide_files(), parquet_files()))
    content = bytearray(frame.content)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(len(content) - 1, 0)))
        end = start + draw(st.integers(0, 12))
        content[start:end] = draw(
            st.sampled_from([b"", b'"', b"\x00", b"\r", b"\n", b"\xff", b",", bytes(content[start:end]) * 2])
            | st.binary(max_size=4)
        )
    return Frame(bytes(content), frame.roles, None, frame.suffix)


FORMS: dict[str, st.SearchStrategy[Frame]] = {
    "long": long_files(),
    "wide": wide_files(),
    "parquet": parquet_files(),
    "damaged": damaged_files(),
}
