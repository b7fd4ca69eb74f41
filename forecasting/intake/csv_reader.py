"""CSV files, read block by block: every cell as the text that stands there, every row with the line it starts on."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute
import pyarrow.csv

from forecasting.domain.errors import InputError
from forecasting.intake.columns import ColumnPositions, broken_rows, to_rows

_BLOCK_BYTES = 4 << 20
_DELIMITERS = ",;\t|"
_DECIMAL_COMMA = {"pattern": r"^( *[-+]?[0-9]*),([0-9]+(?:[eE][-+]?[0-9]+)? *)$", "replacement": r"\1.\2"}


@dataclass(frozen=True)
class Header:
    """The column names of a CSV file, what separates them, and how many lines come before the first row."""

    names: tuple[str, ...]
    delimiter: str
    lines: int


def read_header(path: Path, start: bytes, encoding: str) -> Header:
    """Read the header from the first bytes of a file; the delimiter is the one of , ; tab | that occurs most in it.

    Raises InputError for a file that is not text, has one column only, or is in another encoding.
    """
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) and encoding == "utf-8":
        raise InputError(f"{path} is UTF-16: give --encoding utf-16, or save it as UTF-8.")
    try:
        beginning = start.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")
    except LookupError:
        raise InputError(f"There is no encoding {encoding!r}: the usual ones are utf-8, latin-1 and cp1252.") from None
    lines = io.StringIO(beginning, newline="")
    first_line = next((line for line in io.StringIO(beginning) if line.strip()), "")
    if "\ufffd" in first_line and b"\x00" not in start:
        raise InputError(
            f"{path} line 1 is not in the encoding {encoding}: give --encoding (such as latin-1 or cp1252)."
        )
    if any(ord(letter) < 32 and letter not in "\t\r\n" for letter in first_line):
        raise InputError(f"{path} is not text: only CSV and Parquet files can be loaded.")
    unquoted = "".join(first_line.split('"')[::2])
    delimiter = max(_DELIMITERS, key=unquoted.count)
    if delimiter not in unquoted:
        raise InputError(
            f"{path}: the first line has one column only, {first_line.strip()[:80]!r}. It has to name the columns, "
            "separated by a comma, a semicolon, a tab or |."
        )
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        names = next((row for row in reader if any(cell.strip() for cell in row)), None)
    except csv.Error:  # a field longer than any name
        names = None
    if names is None:
        raise InputError(f"{path}: there is no line that names the columns, or a quote in it is never closed.")
    return Header(tuple(names), delimiter, reader.line_num)


def read_rows(
    path: Path, header: Header, arrangement: ColumnPositions, *, quoted: bool, encoding: str
) -> Iterator[pyarrow.RecordBatch]:
    """Read the rows as chunks of schema staging.CHUNK; rows with too few or too many fields come with that problem.

    `quoted` says whether the file holds any quote, so that fields may hold line breaks.
    Raises InputError naming the line of what cannot be read.
    """
    broken: list[Any] = []
    try:
        reader = _open(path, header, arrangement, broken, quoted=quoted, encoding=encoding)
        yield from _numbered(reader, broken, header, arrangement)
    except pyarrow.ArrowInvalid as failure:
        raise _failure(path, encoding, str(failure)) from None
    except UnicodeError:
        raise InputError(f"{path} is not in the encoding {encoding}: give the right one with --encoding.") from None


def _open(
    path: Path, header: Header, arrangement: ColumnPositions, broken: list[Any], *, quoted: bool, encoding: str
) -> Iterable[pyarrow.RecordBatch]:
    """Open the rows as batches of text columns named by position; rows of the wrong width are put into `broken`."""
    names = [str(position) for position in range(len(header.names))]
    # Line breaks inside quotes are counted in every column, read or not, to know the line of the rows that follow.
    wanted = names if quoted else [str(position) for position in arrangement.columns]

    def set_aside(row: Any) -> str:
        broken.append(row)
        return "skip"

    batches: Iterable[pyarrow.RecordBatch] = pyarrow.csv.open_csv(
        path,
        pyarrow.csv.ReadOptions(
            use_threads=False, block_size=_BLOCK_BYTES, column_names=names, skip_rows=header.lines, encoding=encoding
        ),
        pyarrow.csv.ParseOptions(
            delimiter=header.delimiter,
            newlines_in_values=quoted,
            ignore_empty_lines=False,
            invalid_row_handler=set_aside,
        ),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pyarrow.string()), include_columns=wanted, strings_can_be_null=False
        ),
    )
    return batches


def _numbered(
    batches: Iterable[pyarrow.RecordBatch], broken: list[Any], header: Header, arrangement: ColumnPositions
) -> Iterator[pyarrow.RecordBatch]:
    """Tell the line of every row: its place among the rows, plus the line breaks inside quotes before it."""
    next_row, breaks_so_far = header.lines + 1, 0
    for batch in batches:
        cells = {int(name): cell for name, cell in zip(batch.schema.names, batch.columns, strict=True)}
        set_aside = {row.number for row in broken}
        rows = np.arange(next_row, next_row + batch.num_rows + len(set_aside))
        whole = rows[~np.isin(rows, list(set_aside))][: batch.num_rows]
        rows = rows[: whole[-1] + 1 - next_row] if len(whole) else rows[:0]
        breaks = np.zeros(len(rows), dtype=np.int64)
        for cell in cells.values():
            breaks[whole - next_row] += np.asarray(pyarrow.compute.count_substring(cell, "\n"))
        passed = [row for row in broken if row.number <= next_row + len(rows) - 1]
        for row in passed:
            breaks[row.number - next_row] = row.text.count("\n")
        lines = rows + breaks_so_far + np.cumsum(breaks) - breaks
        if passed:
            yield _broken(passed, [int(lines[row.number - next_row]) for row in passed])
            del broken[: len(passed)]
        yield to_rows(arrangement, _with_decimal_points(cells, header, arrangement), lines[whole - next_row])
        next_row, breaks_so_far = next_row + len(rows), breaks_so_far + int(breaks.sum())
    if broken:
        inside = np.cumsum([0, *(row.text.count("\n") for row in broken[:-1])])
        yield _broken(
            broken, [row.number + breaks_so_far + int(more) for row, more in zip(broken, inside, strict=True)]
        )


def _broken(rows: list[Any], lines: list[int]) -> pyarrow.RecordBatch:
    problems = [
        f"wrong_columns: the header has {row.expected_columns} fields, this row {row.actual_columns}" for row in rows
    ]
    return broken_rows(lines, [row.text for row in rows], problems)


def _with_decimal_points(
    cells: dict[int, pyarrow.Array], header: Header, arrangement: ColumnPositions
) -> dict[int, pyarrow.Array]:
    """Read 12,5 as 12.5 where a semicolon separates the columns; 1.234,5 stays as it is and is rejected."""
    if header.delimiter != ";":
        return cells
    return cells | {
        position: pyarrow.compute.replace_substring_regex(cells[position], **_DECIMAL_COMMA)
        for position in arrangement.values
    }


def require_utf8(path: Path) -> None:
    """Raise InputError naming the first line that is not UTF-8."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                raise InputError(
                    f"{path} line {number} is not UTF-8: give --encoding (such as latin-1 or cp1252)."
                ) from None


def _failure(path: Path, encoding: str, text: str) -> InputError:
    if "straddling" in text or "block" in text:
        return InputError(
            f"{path}: a row is longer than {_BLOCK_BYTES >> 20} MB: look for a quote that is never closed."
        )
    return InputError(f"{path} cannot be read as CSV in {encoding}: {text.splitlines()[0][:200]}")
