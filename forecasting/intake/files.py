"""Files as sources: which kind a file is, and its rows as text in pieces of bounded size."""

import codecs
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.compute
import pyarrow.parquet

from forecasting.domain.errors import InputError
from forecasting.intake import csv_reader as csv_files
from forecasting.intake.columns import ColumnLayout, ColumnPositions, find_columns, to_rows

_CELLS_AT_ONCE = 500_000
_DAMAGE = (pyarrow.ArrowException, OSError, UnicodeDecodeError)  # what reading a damaged Parquet file raises
_OTHER_FORMATS = {
    b"PK\x03\x04": "an Excel workbook or a zip archive: save it as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save it as CSV",
    b"\x1f\x8b": "compressed with gzip: unpack it",
    b"SQLite format 3": "an SQLite database: read it with milkrun pull --from sqlite:///FILE --table NAME",
}


@dataclass(frozen=True)
class Source:
    """Rows that can be read more than once: each iteration reads them anew, as chunks of schema staging.CHUNK."""

    name: str
    read: Callable[[], Iterable[pyarrow.RecordBatch]]
    sha256: str | None = None

    def __iter__(self) -> Iterator[pyarrow.RecordBatch]:
        return iter(self.read())


@dataclass(frozen=True)
class _Survey:
    """What one pass over the bytes of a file tells."""

    sha256: str
    quoted: bool
    utf8: bool
    start: bytes


def open_file(path: Path, layout: ColumnLayout, *, encoding: str = "utf-8") -> Source:
    """Open a CSV or Parquet file: its header is read at once, its rows when they are asked for.

    Raises InputError naming the file, the column or the line, and the remedy.
    """
    survey = _survey(path)
    for magic, remedy in _OTHER_FORMATS.items():
        if survey.start.startswith(magic):
            raise InputError(f"{path} is {remedy}.")
    if survey.start.startswith(b"PAR1"):
        read = _parquet_reader(path, layout)
    else:
        header = csv_files.read_header(path, survey.start, encoding)
        if not survey.utf8 and codecs.lookup(encoding).name == "utf-8":
            csv_files.require_utf8(path)
        arrangement = find_columns(layout, header.names, path.name)
        read = partial(csv_files.read_rows, path, header, arrangement, quoted=survey.quoted, encoding=encoding)
    return Source(path.name, read, survey.sha256)


def _survey(path: Path) -> _Survey:
    digest, quoted, utf8, start = hashlib.sha256(), False, True, b""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(4 << 20):
                digest.update(block)
                quoted = quoted or b'"' in block
                start = start or block
                utf8 = utf8 and _decodes(decoder, block)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder: name one CSV or Parquet file.") from None
    except OSError as failure:
        raise InputError(f"{path} cannot be read: {failure.strerror}.") from None
    if not start.strip():
        raise InputError(f"{path} is empty: there is nothing to load.")
    return _Survey(digest.hexdigest(), quoted, utf8 and _decodes(decoder, b"", final=True), start)


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def _parquet_reader(path: Path, layout: ColumnLayout) -> Callable[[], Iterator[pyarrow.RecordBatch]]:
    try:
        schema = pyarrow.parquet.read_schema(path)
    except _DAMAGE as failure:
        raise _parquet_failure(path, failure) from None
    arrangement = find_columns(layout, schema.names, path.name)
    for position in arrangement.columns:
        if pyarrow.types.is_nested(schema.field(position).type):
            raise InputError(f"{path}: column {schema.names[position]!r} holds lists or records, not single values.")
    return partial(_parquet_rows, path, arrangement, schema)


def _parquet_rows(path: Path, arrangement: ColumnPositions, schema: pyarrow.Schema) -> Iterator[pyarrow.RecordBatch]:
    columns = arrangement.columns
    row = 2  # as in a file of text, whose first line is the header
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(
                batch_size=max(1, _CELLS_AT_ONCE // len(arrangement.values)),
                columns=[schema.names[position] for position in columns],
            ):
                batch.validate(full=True)  # text that is not UTF-8
                named = dict(zip(batch.schema.names, batch.columns, strict=True))
                cells = {position: as_text(named[schema.names[position]]) for position in columns}
                yield to_rows(arrangement, cells, np.arange(row, row + batch.num_rows))
                row += batch.num_rows
    except _DAMAGE as failure:
        raise _parquet_failure(path, failure) from None


def as_text(cells: pyarrow.Array) -> pyarrow.Array:
    """Write single values as text: numbers with every digit they have, moments as written on the local clock."""
    kind = cells.type
    if pyarrow.types.is_dictionary(kind):
        return as_text(cells.dictionary_decode())
    if pyarrow.types.is_timestamp(kind) and kind.tz is not None:
        cells = pyarrow.compute.local_timestamp(cells)
    if pyarrow.types.is_float16(kind):
        cells = cells.cast(pyarrow.float32())
    if pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind) or pyarrow.types.is_fixed_size_binary(kind):
        return pyarrow.array([repr(cell) for cell in cells.to_pylist()], pyarrow.string())
    return pyarrow.compute.fill_null(cells.cast(pyarrow.string()), "")


def _parquet_failure(path: Path, failure: Exception) -> InputError:
    return InputError(f"{path} is a damaged Parquet file: {str(failure).splitlines()[0][:200]}")
