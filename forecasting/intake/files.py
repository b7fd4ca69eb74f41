"""Files as sources: the format of a file, and its rows as text in chunks of bounded size."""

import codecs
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.compute
import pyarrow.parquet

from forecasting.domain.errors import InputError
from forecasting.intake import csv_reader
from forecasting.intake.columns import ColumnPositions, ColumnRoles, find_columns, is_text, require_short_cells, to_rows
from forecasting.intake.staging import AS_WRITTEN, MonthRules

_CELLS_AT_ONCE = 500_000
_BATCH_BYTES, _ROW_GROUP_BYTES = (
    64 << 20,
    512 << 20,
)  # of the texts of a batch; of a column of a row group, when unpacked
_DAMAGE = (pyarrow.ArrowException, OSError, UnicodeDecodeError)  # raised by a damaged Parquet file
_OTHER_FORMATS = {
    b"PK\x03\x04": "an Excel workbook or a zip archive: save it as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save it as CSV",
    b"\x1f\x8b": "compressed with gzip: unpack it",
    b"SQLite format 3": "an SQLite database: read it with milkrun pull --from sqlite:///FILE --table NAME",
}


@dataclass(frozen=True)
class Source:
    """Rows of a file or a database, as chunks of schema staging.CHUNK. Each iteration reads them from the start.

    reader: returns the chunks. sha256: digest of the file, None for a database. rules: how its moments become months.
    """

    name: str
    reader: Callable[[], Iterable[pyarrow.RecordBatch]]
    sha256: str | None = None
    rules: MonthRules = AS_WRITTEN

    def __iter__(self) -> Iterator[pyarrow.RecordBatch]:
        return iter(self.reader())


@dataclass(frozen=True)
class _FileBytes:
    """What one pass over the bytes of a file gives: digest, version, whether it has quotes and is UTF-8, its first block."""

    sha256: str
    version: tuple[int, ...]
    quoted: bool
    utf8: bool
    first_block: bytes


def open_file(path: Path, roles: ColumnRoles, *, encoding: str = "utf-8") -> Source:
    """Open a CSV or Parquet file. The header is read at once, the rows when the source is iterated.

    Raises InputError that names the file, the column or the line, and the remedy.
    """
    scan = _scan(path)
    for magic, remedy in _OTHER_FORMATS.items():
        if scan.first_block.startswith(magic):
            raise InputError(f"{path} is {remedy}.")
    if scan.first_block.startswith(b"PAR1"):
        reader = _parquet_reader(path, roles)
    else:
        header = csv_reader.read_header(path, scan.first_block, encoding)
        if not scan.utf8 and codecs.lookup(encoding).name == "utf-8":
            csv_reader.require_utf8(path)
        columns = find_columns(roles, header.names, path.name)
        reader = partial(csv_reader.read_rows, path, header, columns, quoted=scan.quoted, encoding=encoding)
    name = ascii(path.name)[1:-1] if not path.name.isprintable() else path.name
    return Source(name, partial(_read_one_version, path, scan.version, reader), scan.sha256, roles.rules)


def _read_one_version(
    path: Path, version: tuple[int, ...], reader: Callable[[], Iterable[pyarrow.RecordBatch]]
) -> Iterator[pyarrow.RecordBatch]:
    """Yield the rows of a file; raises InputError where it is another one, or was written to, since `version` was taken.

    Header and digest come from a first pass, the rows from a second one: together they must be of one file.
    """
    yield from reader()
    if _version(path.stat()) != version:
        raise InputError(f"{path} was replaced or changed while it was read: repeat the command when it is complete.")


def _version(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _scan(path: Path) -> _FileBytes:
    digest, quoted, utf8, first_block = hashlib.sha256(), False, True, b""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        if path.exists() and not path.is_dir() and not path.is_file():
            raise InputError(f"{path} is a pipe or a device, which can be read only once: write a file of it first.")
        with path.open("rb") as file:
            version = _version(os.fstat(file.fileno()))
            while block := file.read(4 << 20):
                digest.update(block)
                quoted = quoted or b'"' in block
                first_block = first_block or block
                utf8 = utf8 and _decodes(decoder, block)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder: name one CSV or Parquet file.") from None
    except OSError as failure:
        raise InputError(f"{path} cannot be read: {failure.strerror}.") from None
    if not first_block.strip():
        raise InputError(f"{path} is empty: there is nothing to load.")
    return _FileBytes(digest.hexdigest(), version, quoted, utf8 and _decodes(decoder, b"", final=True), first_block)


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def _parquet_reader(path: Path, roles: ColumnRoles) -> Callable[[], Iterator[pyarrow.RecordBatch]]:
    """Return what gives the rows of a Parquet file, in batches; raises InputError where its columns have no known roles."""
    try:
        schema = pyarrow.parquet.read_schema(path)
    except _DAMAGE as failure:
        raise _parquet_error(path, failure) from None
    columns = find_columns(roles, schema.names, path.name)
    for position in columns.positions:
        if pyarrow.types.is_nested(schema.field(position).type):
            raise InputError(f"{path}: column {schema.names[position]!r} holds lists or records, not single values.")
    return partial(_parquet_rows, path, columns, schema, roles.time_zone)


def _parquet_rows(
    path: Path, columns: ColumnPositions, schema: pyarrow.Schema, time_zone: str | None
) -> Iterator[pyarrow.RecordBatch]:
    positions = columns.positions
    line = 2  # as in a text file, whose first line is the header
    try:
        texts = [schema.names[position] for position in positions if is_text(schema.field(position).type)]
        with pyarrow.parquet.ParquetFile(path, read_dictionary=texts) as file:
            _require_small_columns(path, file.metadata, [schema.names[position] for position in positions])
            for batch in file.iter_batches(
                batch_size=max(1, _CELLS_AT_ONCE // len(columns.values)),
                columns=[schema.names[position] for position in positions],
            ):
                batch.validate(full=True)  # raises where text is not UTF-8
                row_bytes = sum(
                    require_short_cells(column, f"{path}: column {name!r}")
                    for name, column in zip(batch.schema.names, batch.columns, strict=True)
                )
                row_count = max(1, _BATCH_BYTES // max(1, row_bytes))
                for start in range(0, batch.num_rows, row_count):
                    part = batch.slice(start, row_count)
                    by_name = dict(zip(part.schema.names, part.columns, strict=True))
                    cells = {position: as_text(by_name[schema.names[position]], time_zone) for position in positions}
                    yield to_rows(columns, cells, np.arange(line, line + part.num_rows))
                    line += part.num_rows
    except _DAMAGE as failure:
        raise _parquet_error(path, failure) from None


def _require_small_columns(path: Path, metadata: pyarrow.parquet.FileMetaData, names: Sequence[str]) -> None:
    """Raise InputError where a part of a column is so large when it is unpacked that memory could end."""
    for row_group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(row_group.column, range(row_group.num_columns)):
            size = column.total_uncompressed_size
            if column.path_in_schema in names and size > _ROW_GROUP_BYTES:
                raise InputError(
                    f"{path}: a row group of column {column.path_in_schema!r} unpacks to {size >> 20:,} MB; "
                    f"{_ROW_GROUP_BYTES >> 20} MB are the most: write the file with smaller row groups."
                )


def as_text(column: pyarrow.Array, time_zone: str | None = None) -> pyarrow.Array:
    """Turn a column into text: numbers keep all digits, timestamps with a time zone become local times.

    time_zone: where they are local; None: in the time zone of the column.
    """
    kind = column.type
    if pyarrow.types.is_dictionary(kind):
        return as_text(column.dictionary_decode(), time_zone)
    if pyarrow.types.is_timestamp(kind) and kind.tz is not None:
        local = column.cast(pyarrow.timestamp(kind.unit, time_zone)) if time_zone else column
        column = pyarrow.compute.local_timestamp(local)
    if pyarrow.types.is_float16(kind):
        column = column.cast(pyarrow.float32())
    if pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind) or pyarrow.types.is_fixed_size_binary(kind):
        return pyarrow.array([repr(cell) for cell in column.to_pylist()], pyarrow.string())
    return pyarrow.compute.fill_null(column.cast(pyarrow.string()), "")


def _parquet_error(path: Path, failure: Exception) -> InputError:
    return InputError(f"{path} is a damaged Parquet file: {str(failure).splitlines()[0][:200]}")
