"""Columns of a source: which column holds what, and how columns become text rows (series, month, value)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow
import pyarrow.compute

from forecasting.domain.errors import InputError
from forecasting.domain.vocabulary import Aggregate
from forecasting.intake.staging import CHUNK, MonthRules

CELL_BYTES = 1_000  # of the longest cell
MOST_COLUMNS = 100_000  # each takes some 10 kB while a file is read
_MONTH_LETTERS = 60  # that are kept: a month has fewer, and a message shows fewer
MONTH_NAMES = ("month", "ds", "date")
SERIES_NAMES = ("series", "unique_id", "id", "name")
VALUE_NAMES = ("value", "y")
UNIT_NAMES = ("unit",)

Lines = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class ColumnRoles:
    """What the user specifies about the columns of a source. A column that is None is found by its name.

    form: long (one row per observation) or wide (a month column and one column per series). series, unit: one name and one
    unit for the whole source. where: pairs of column and text; only rows whose columns hold exactly these texts are read.
    time_zone, aggregate: as in MonthRules.
    """

    form: str | None = None
    series_column: str | None = None
    month_column: str | None = None
    value_column: str | None = None
    unit_column: str | None = None
    series: str | None = None
    unit: str | None = None
    where: tuple[tuple[str, str], ...] = ()
    time_zone: str | None = None
    aggregate: Aggregate | None = None

    @property
    def rules(self) -> MonthRules:
        """How the moments of the source become months."""
        return MonthRules(self.time_zone, self.aggregate)


AS_FOUND = ColumnRoles()


@dataclass(frozen=True)
class ColumnPositions:
    """The positions of the columns of one source, counted from 0.

    month, series, unit_column: position of the column; None where the source has no such column. values: positions of the
    value columns. names: the series of each value column; empty where the column `series` holds the names. unit: the unit
    of all values. where: pairs of position and text; only rows whose columns hold exactly these texts are read.
    """

    month: int
    values: tuple[int, ...]
    names: tuple[str, ...]
    series: int | None
    unit_column: int | None
    unit: str | None
    where: tuple[tuple[int, str], ...]

    @property
    def positions(self) -> tuple[int, ...]:
        """The positions of all columns that have to be read, in ascending order."""
        required = {self.month, *self.values, *(position for position, _ in self.where)}
        optional = (self.series, self.unit_column)
        return tuple(sorted(required | {position for position in optional if position is not None}))


def find_columns(roles: ColumnRoles, header: Sequence[str], source: str) -> ColumnPositions:
    """Find the columns of a source by its header.

    Raises InputError that names the source, its columns and the option to give, or that it has too many columns.
    """
    if len(header) > MOST_COLUMNS:
        raise InputError(
            f"{source} has {len(header):,} columns; {MOST_COLUMNS:,} are the most: write it in the long form, one row per "
            "observation, or as several files."
        )
    columns = _Header(tuple(name.strip() for name in header), source)
    month = columns.find(roles.month_column, MONTH_NAMES, "month")
    where = tuple((columns.find_named(name, "--where"), cell_text) for name, cell_text in roles.where)
    unit_column = columns.find_named(roles.unit_column, "--unit-column") if roles.unit_column else None
    if unit_column is not None and roles.unit is not None:
        raise InputError("--unit and --unit-column exclude each other: give one of them.")
    used_positions = {month, unit_column, *(position for position, _ in where)}
    if roles.series is not None:
        if roles.series_column is not None or roles.form == "wide":
            raise InputError(
                "--series names the one series of a file: it goes with neither --series-column nor --form wide."
            )
        value = columns.find_value(roles.value_column, used_positions)
        return ColumnPositions(month, (value,), (roles.series,), None, unit_column, roles.unit, where)
    if _is_long(roles, columns):
        series = columns.find(roles.series_column, SERIES_NAMES, "series")
        value = columns.find(roles.value_column, VALUE_NAMES, "value")
        if unit_column is None and roles.unit is None:
            unit_column = columns.find_common(UNIT_NAMES)
        return ColumnPositions(month, (value,), (), series, unit_column, roles.unit, where)
    if unit_column is not None:
        raise InputError("--unit-column goes with the long form only: give --unit for a wide file.")
    return _wide_columns(roles, columns, month, used_positions, where)


def require_short_cells(column: pyarrow.Array, label: str) -> int:
    """Return the bytes of a column's longest text; raises InputError where it is longer than CELL_BYTES.

    label: source and column, for the message.

    A small file can hold a long text once and name it in millions of rows. So the texts of a dictionary are measured before
    they are repeated.
    """
    texts = column.dictionary if pyarrow.types.is_dictionary(column.type) else column
    kind = texts.type
    longest = (pyarrow.compute.max(pyarrow.compute.binary_length(texts)).as_py() or 0) if is_text(kind) else 0
    check_cell_bytes(longest, label)
    return longest


def is_text(kind: pyarrow.DataType) -> bool:
    """Return whether a type holds text or bytes of any length."""
    tests = (
        pyarrow.types.is_string,
        pyarrow.types.is_large_string,
        pyarrow.types.is_binary,
        pyarrow.types.is_large_binary,
    )
    return any(test(kind) for test in tests)


def check_cell_bytes(size: int, label: str) -> None:
    """Raise InputError where a cell of `size` bytes is longer than CELL_BYTES; label: source and column."""
    if size > CELL_BYTES:
        raise InputError(
            f"{label} has a cell of {size:,} bytes; {CELL_BYTES:,} are the most that a name, a month, a unit or a number may "
            "have: choose another column."
        )


def to_rows(columns: ColumnPositions, cells: Mapping[int, pyarrow.Array], lines: Lines) -> pyarrow.RecordBatch:
    """Turn columns of text into rows of schema CHUNK.

    cells: text arrays (rows,) by the position of their column. lines: (rows,) the line of each row in the source. Rows
    without any content are left out, and so are the empty cells of a wide source: they are months without a value.
    """
    cells, lines = _select_rows(columns, cells, lines)
    count, width = len(lines), len(columns.values)
    value = pyarrow.concat_arrays([cells[position] for position in columns.values])
    # A wide source repeats the month for each of its series: a long text in its place would fill the memory.
    month = _repeat(pyarrow.compute.utf8_slice_codeunits(cells[columns.month], 0, _MONTH_LETTERS), width)
    if columns.series is None:
        name_positions = np.repeat(np.arange(width), count)
        series = pyarrow.array(columns.names, pyarrow.string()).take(pyarrow.array(name_positions))
    else:
        series = cells[columns.series]
    rows = pyarrow.RecordBatch.from_arrays(
        [
            pyarrow.array(np.tile(lines, width)),
            series,
            month,
            value,
            _unit_array(columns, cells, count * width),
            pyarrow.nulls(count * width, pyarrow.string()),
        ],
        schema=CHUNK,
    )
    if columns.series is None:
        return rows.filter(pyarrow.compute.not_equal(pyarrow.compute.utf8_trim_whitespace(value), ""))
    return rows


def malformed_rows(lines: Sequence[int], row_texts: Sequence[str], problems: Sequence[str]) -> pyarrow.RecordBatch:
    """Return malformed rows in schema CHUNK: the value is the text of the whole row, the problem is why it is rejected."""
    count = len(lines)
    empty = pyarrow.array([""] * count, pyarrow.string())
    columns = [pyarrow.array(lines, pyarrow.int64()), empty, empty, pyarrow.array(row_texts, pyarrow.string())]
    problem = pyarrow.array(problems, pyarrow.string())
    return pyarrow.RecordBatch.from_arrays([*columns, pyarrow.nulls(count, pyarrow.string()), problem], schema=CHUNK)


@dataclass(frozen=True)
class _Header:
    """The column names of a source, for finding columns and for messages."""

    names: tuple[str, ...]
    source: str

    def find_named(self, name: str, option: str) -> int:
        """Return the position of the column `name`.

        option: the command-line option that gave the name, for the message. Raises InputError unless exactly one column has the
        name.
        """
        if self.names.count(name.strip()) != 1:
            problem = "does not exist" if name.strip() not in self.names else "stands more than once in the header"
            raise InputError(f"{self.source}: column {name!r} of {option} {problem}. Its columns are {self}.")
        return self.names.index(name.strip())

    def find_common(self, candidates: Sequence[str]) -> int | None:
        """Return the position of the first candidate that names exactly one column, whatever its case."""
        lowered = [name.casefold() for name in self.names]
        for candidate in candidates:
            if lowered.count(candidate) == 1:
                return lowered.index(candidate)
        return None

    def find(self, given_name: str | None, common_names: Sequence[str], role: str) -> int:
        """Return the position of the column that the user names (None: by its common names); role: month, series or value."""
        if given_name is not None:
            return self.find_named(given_name, f"--{role}-column")
        position = self.find_common(common_names)
        if position is None:
            raise InputError(
                f"{self.source}: there is no {role} column (looked for {', '.join(common_names)}). "
                f"Its first line gives the columns {self}: name the right one with --{role}-column."
            )
        return position

    def find_value(self, name: str | None, used_positions: set[int | None]) -> int:
        """Return the value column of a source of one series.

        That is the column `name`, else the one with a common name, else the only column that has no other use.
        """
        if name is not None:
            return self.find_named(name, "--value-column")
        common = self.find_common(VALUE_NAMES)
        unused = [position for position in range(len(self.names)) if position not in used_positions]
        if common is None and len(unused) != 1:
            raise InputError(
                f"{self.source}: which column holds the values? Its columns are {self}: give --value-column."
            )
        return unused[0] if common is None else common

    def __str__(self) -> str:
        first_names = ", ".join(repr(name[:40]) for name in self.names[:12])
        return first_names + (f" and {len(self.names) - 12} more" if len(self.names) > 12 else "")


def _is_long(roles: ColumnRoles, columns: _Header) -> bool:
    if roles.form is not None:
        if roles.form == "wide" and (roles.series_column or roles.value_column):
            raise InputError(
                "--form wide takes every column for a series: leave out --series-column and --value-column."
            )
        return roles.form == "long"
    if roles.series_column or roles.value_column:
        return True
    series, value = columns.find_common(SERIES_NAMES), columns.find_common(VALUE_NAMES)
    if (series is None) != (value is None):
        remedy = "--series NAME (if it holds one series) or --series-column" if series is None else "--value-column"
        raise InputError(
            f"{columns.source}: is this the long or the wide form? Its columns are {columns}: "
            f"give {remedy}, or --form wide if every column but the month is a series."
        )
    return series is not None


def _wide_columns(
    roles: ColumnRoles,
    columns: _Header,
    month: int,
    used_positions: set[int | None],
    where: tuple[tuple[int, str], ...],
) -> ColumnPositions:
    """Take every column of a wide source that has no other use for a series."""
    values = tuple(position for position in range(len(columns.names)) if position not in used_positions)
    names = tuple(columns.names[position] for position in values)
    duplicates = sorted(name for name, count in Counter(names).items() if name and count > 1)
    if duplicates:
        raise InputError(
            f"{columns.source}: series {duplicates[0]!r} has more than one column: keep one, or rename the others."
        )
    if not values:
        raise InputError(f"{columns.source}: there is no column beside the month. Its columns are {columns}.")
    return ColumnPositions(month, values, names, None, None, roles.unit, where)


def _select_rows(
    columns: ColumnPositions, cells: Mapping[int, pyarrow.Array], lines: Lines
) -> tuple[Mapping[int, pyarrow.Array], Lines]:
    """Select the rows that match `where` and that are not blank."""
    row_mask = np.zeros(len(lines), dtype=bool)
    for column in cells.values():
        row_mask |= np.asarray(pyarrow.compute.not_equal(column, ""))
    for position, cell_text in columns.where:
        row_mask &= np.asarray(pyarrow.compute.equal(cells[position], cell_text))
    if row_mask.all():
        return cells, lines
    arrow_mask = pyarrow.array(row_mask)
    return {position: column.filter(arrow_mask) for position, column in cells.items()}, lines[row_mask]


def _unit_array(columns: ColumnPositions, cells: Mapping[int, pyarrow.Array], count: int) -> pyarrow.Array:
    if columns.unit_column is not None:
        return _repeat(cells[columns.unit_column], len(columns.values))
    if columns.unit is not None:
        return pyarrow.repeat(pyarrow.scalar(columns.unit, pyarrow.string()), count)
    return pyarrow.nulls(count, pyarrow.string())


def _repeat(column: pyarrow.Array, times: int) -> pyarrow.Array:
    return pyarrow.concat_arrays([column] * times)
