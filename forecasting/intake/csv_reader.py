"""CSV files, read block by block: every cell as its unchanged text, every row with the line that it starts on."""

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
from forecasting.intake.columns import ColumnPositions, malformed_rows, to_rows

_BLOCK_BYTES = 4 << 20
_DELIMITERS = ",;\t|"
_DECIMAL_COMMA = {"pattern": r"^( *[-+]?[0-9]*),([0-9]+(?:[eE][-+]?[0-9]+)? *)$", "replacement": r"\1.\2"}


@dataclass(frozen=True)
class Header:
    """The header of a CSV file: column names, delimiter, and the number of lines before the first row of data."""

    names: tuple[str, ...]
    delimiter: str
    lines: int


def read_header(path: Path, first_bytes: bytes, encoding: str) -> Header:
    """Read the header from the first bytes of a file.

    The delimiter is the one of , ; tab | that occurs most often in the header.
    Raises InputError for a file that is not text, has only one column, or has another encoding.
    """
    if first_bytes.startswith((b"\xff\xfe", b"\xfe\xff")) and encoding == "utf-8":
        raise InputError(f"{path} is UTF-16: give --encoding utf-16, or save it as UTF-8.")
    try:
        text = first_bytes.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")
    except LookupError:
        raise InputError(f"There is no encoding {encoding!r}: the usual ones are utf-8, latin-1 and cp1252.") from None
    lines = io.StringIO(text, newline="")
    first_line = next((line for line in io.StringIO(text) if line.strip()), "")
    if "\ufffd" in first_line and b"\x00" not in first_bytes:
        raise InputError(
            f"{path} line 1 is not in the encoding {encoding}: give --encoding (such as latin-1 or cp1252)."
        )
    if any(ord(character) < 32 and character not in "\t\r\n" for character in first_line):
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
    path: Path, header: Header, columns: ColumnPositions, *, quoted: bool, encoding: str
) -> Iterator[pyarrow.RecordBatch]:
    """Read the rows as chunks of schema staging.CHUNK; a row with too few or too many fields has that as its problem.

    quoted: whether the file has quotes, so that fields may contain line breaks.
    Raises InputError where the file cannot be read as CSV in this encoding.
    """
    malformed: list[Any] = []
    try:
        batches = _open(path, header, columns, malformed, quoted=quoted, encoding=encoding)
        yield from _with_lines(batches, malformed, header, columns)
    except pyarrow.ArrowInvalid as failure:
        raise _csv_error(path, encoding, str(failure)) from None
    except UnicodeError:
        raise InputError(f"{path} is not in the encoding {encoding}: give the right one with --encoding.") from None


def _open(
    path: Path, header: Header, columns: ColumnPositions, malformed: list[Any], *, quoted: bool, encoding: str
) -> Iterable[pyarrow.RecordBatch]:
    """Open the rows as batches of text columns, each named by its position.

    malformed: a list that receives the rows with the wrong number of fields while the batches are read.
    """
    names = [str(position) for position in range(len(header.names))]
    # The line of a row depends on line breaks inside quotes before it, in any column: with quotes all columns are read.
    included = names if quoted else [str(position) for position in columns.positions]

    def skip_malformed(row: Any) -> str:
        malformed.append(row)
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
            invalid_row_handler=skip_malformed,
        ),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pyarrow.string()), include_columns=included, strings_can_be_null=False
        ),
    )
    return batches


def _with_lines(
    batches: Iterable[pyarrow.RecordBatch], malformed: list[Any], header: Header, columns: ColumnPositions
) -> Iterator[pyarrow.RecordBatch]:
    """Turn batches into chunks. The line of a row is its number among the rows plus the line breaks inside quotes before it."""
    next_row, earlier_breaks = header.lines + 1, 0
    for batch in batches:
        cells = {int(name): cell for name, cell in zip(batch.schema.names, batch.columns, strict=True)}
        malformed_numbers = {row.number for row in malformed}
        numbers = np.arange(next_row, next_row + batch.num_rows + len(malformed_numbers))
        valid = numbers[~np.isin(numbers, list(malformed_numbers))][: batch.num_rows]
        numbers = numbers[: valid[-1] + 1 - next_row] if len(valid) else numbers[:0]
        breaks = np.zeros(len(numbers), dtype=np.int64)
        for column in cells.values():
            breaks[valid - next_row] += np.asarray(pyarrow.compute.count_substring(column, "\n"))
        malformed_here = [row for row in malformed if row.number <= next_row + len(numbers) - 1]
        for row in malformed_here:
            breaks[row.number - next_row] = row.text.count("\n")
        lines = numbers + earlier_breaks + np.cumsum(breaks) - breaks
        if malformed_here:
            yield _malformed_batch(malformed_here, [int(lines[row.number - next_row]) for row in malformed_here])
            del malformed[: len(malformed_here)]
        yield to_rows(columns, _with_decimal_points(cells, header, columns), lines[valid - next_row])
        next_row, earlier_breaks = next_row + len(numbers), earlier_breaks + int(breaks.sum())
    if malformed:
        offsets = earlier_breaks + np.cumsum([0, *(row.text.count("\n") for row in malformed[:-1])])
        yield _malformed_batch(
            malformed, [row.number + int(offset) for row, offset in zip(malformed, offsets, strict=True)]
        )


def _malformed_batch(rows: list[Any], lines: list[int]) -> pyarrow.RecordBatch:
    problems = [
        f"wrong_columns: the header has {row.expected_columns} fields, this row {row.actual_columns}" for row in rows
    ]
    return malformed_rows(lines, [row.text for row in rows], problems)


def _with_decimal_points(
    cells: dict[int, pyarrow.Array], header: Header, columns: ColumnPositions
) -> dict[int, pyarrow.Array]:
    """Turn 12,5 into 12.5 where a semicolon separates the columns. 1.234,5 is not changed and will be rejected."""
    if header.delimiter != ";":
        return cells
    return cells | {
        position: pyarrow.compute.replace_substring_regex(cells[position], **_DECIMAL_COMMA)
        for position in columns.values
    }


def require_utf8(path: Path) -> None:
    """Raise InputError that names the first line that is not UTF-8."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                raise InputError(
                    f"{path} line {number} is not UTF-8: give --encoding (such as latin-1 or cp1252)."
                ) from None


def _csv_error(path: Path, encoding: str, arrow_message: str) -> InputError:
    if "straddling" in arrow_message or "block" in arrow_message:
        return InputError(
            f"{path}: a row is longer than {_BLOCK_BYTES >> 20} MB: look for a quote that is never closed."
        )
    return InputError(f"{path} cannot be read as CSV in {encoding}: {arrow_message.splitlines()[0][:200]}")
