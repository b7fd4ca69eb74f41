"""Layouts: which column of a source holds what, and how its columns become text rows of (series, month, value)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow
import pyarrow.compute

from forecasting.domain.errors import InputError
from forecasting.intake.staging import CHUNK

MONTH_NAMES = ("month", "ds", "date")
SERIES_NAMES = ("series", "unique_id", "id", "name")
VALUE_NAMES = ("value", "y")
UNIT_NAMES = ("unit",)

Lines = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class ColumnLayout:
    """What the user says about the columns; whatever is None is found from their names.

    `form` is long (one row per observation) or wide (a month column and one column per series); `series` and `unit`
    are constants for the whole source; `where` keeps the rows whose columns hold exactly these texts.
    """

    form: str | None = None
    series_column: str | None = None
    month_column: str | None = None
    value_column: str | None = None
    unit_column: str | None = None
    series: str | None = None
    unit: str | None = None
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ColumnPositions:
    """A layout applied to the columns of one source, by position.

    `values` are the value columns and `names` their series; a long source has one value column and its names in
    column `series`.
    """

    month: int
    values: tuple[int, ...]
    names: tuple[str, ...]
    series: int | None
    unit_column: int | None
    unit: str | None
    where: tuple[tuple[int, str], ...]

    @property
    def columns(self) -> tuple[int, ...]:
        """The positions that have to be read, in order."""
        optional = (self.series, self.unit_column)
        wanted = {self.month, *self.values, *(position for position, _ in self.where)}
        return tuple(sorted(wanted | {position for position in optional if position is not None}))


def find_columns(layout: ColumnLayout, header: Sequence[str], source: str) -> ColumnPositions:
    """Find the columns of a source from its header.

    Raises InputError naming the source, its columns and the option that helps.
    """
    columns = _Columns(tuple(name.strip() for name in header), source)
    month = columns.find(layout.month_column, MONTH_NAMES, "month")
    where = tuple((columns.position(name, "--where"), wanted) for name, wanted in layout.where)
    unit_column = columns.position(layout.unit_column, "--unit-column") if layout.unit_column else None
    if unit_column is not None and layout.unit is not None:
        raise InputError("--unit and --unit-column exclude each other: give one of them.")
    taken = {month, unit_column, *(position for position, _ in where)}
    if layout.series is not None:
        if layout.series_column is not None or layout.form == "wide":
            raise InputError(
                "--series names the one series of a file: it goes with neither --series-column nor --form wide."
            )
        value = columns.only_value(layout.value_column, taken)
        return ColumnPositions(month, (value,), (layout.series,), None, unit_column, layout.unit, where)
    if _is_long(layout, columns):
        series = columns.find(layout.series_column, SERIES_NAMES, "series")
        value = columns.find(layout.value_column, VALUE_NAMES, "value")
        if unit_column is None and layout.unit is None:
            unit_column = columns.guess(UNIT_NAMES)
        return ColumnPositions(month, (value,), (), series, unit_column, layout.unit, where)
    if unit_column is not None:
        raise InputError("--unit-column goes with the long form only: give --unit for a wide file.")
    return _wide(layout, columns, month, taken, where)


def to_rows(arrangement: ColumnPositions, cells: Mapping[int, pyarrow.Array], lines: Lines) -> pyarrow.RecordBatch:
    """Turn text columns, by position, and the line of each row into rows of schema CHUNK.

    Rows without any content are blank lines, and empty cells of a wide source are months not observed: both are left out.
    """
    cells, lines = _selected(arrangement, cells, lines)
    count, width = len(lines), len(arrangement.values)
    value = pyarrow.concat_arrays([cells[position] for position in arrangement.values])
    month = _repeated(cells[arrangement.month], width)
    if arrangement.series is None:
        position = np.repeat(np.arange(width), count)
        series = pyarrow.array(arrangement.names, pyarrow.string()).take(pyarrow.array(position))
    else:
        series = cells[arrangement.series]
    rows = pyarrow.RecordBatch.from_arrays(
        [
            pyarrow.array(np.tile(lines, width)),
            series,
            month,
            value,
            _units(arrangement, cells, count * width),
            pyarrow.nulls(count * width, pyarrow.string()),
        ],
        schema=CHUNK,
    )
    if arrangement.series is None:
        return rows.filter(pyarrow.compute.not_equal(pyarrow.compute.utf8_trim_whitespace(value), ""))
    return rows


def broken_rows(lines: Sequence[int], raws: Sequence[str], problems: Sequence[str]) -> pyarrow.RecordBatch:
    """Return rows of schema CHUNK that no column could be read from; each is rejected for its problem."""
    count = len(lines)
    empty = pyarrow.array([""] * count, pyarrow.string())
    columns = [pyarrow.array(lines, pyarrow.int64()), empty, empty, pyarrow.array(raws, pyarrow.string())]
    problem = pyarrow.array(problems, pyarrow.string())
    return pyarrow.RecordBatch.from_arrays([*columns, pyarrow.nulls(count, pyarrow.string()), problem], schema=CHUNK)


@dataclass(frozen=True)
class _Columns:
    names: tuple[str, ...]
    source: str

    def position(self, name: str, option: str) -> int:
        if self.names.count(name.strip()) != 1:
            times = "does not exist" if name.strip() not in self.names else "stands more than once in the header"
            raise InputError(f"{self.source}: column {name!r} of {option} {times}. Its columns are {self}.")
        return self.names.index(name.strip())

    def guess(self, candidates: Sequence[str]) -> int | None:
        lowered = [name.casefold() for name in self.names]
        for candidate in candidates:
            if lowered.count(candidate) == 1:
                return lowered.index(candidate)
        return None

    def find(self, name: str | None, candidates: Sequence[str], role: str) -> int:
        if name is not None:
            return self.position(name, f"--{role}-column")
        found = self.guess(candidates)
        if found is None:
            raise InputError(
                f"{self.source}: there is no {role} column (looked for {', '.join(candidates)}). "
                f"Its first line gives the columns {self}: name the right one with --{role}-column."
            )
        return found

    def only_value(self, name: str | None, taken: set[int | None]) -> int:
        """Return the value column of a source of one series: the named, the usual, or the only one left."""
        if name is not None:
            return self.position(name, "--value-column")
        found = self.guess(VALUE_NAMES)
        left = [position for position in range(len(self.names)) if position not in taken]
        if found is None and len(left) != 1:
            raise InputError(
                f"{self.source}: which column holds the values? Its columns are {self}: give --value-column."
            )
        return left[0] if found is None else found

    def __str__(self) -> str:
        shown = ", ".join(repr(name[:40]) for name in self.names[:12])
        return shown + (f" and {len(self.names) - 12} more" if len(self.names) > 12 else "")


def _is_long(layout: ColumnLayout, columns: _Columns) -> bool:
    if layout.form is not None:
        if layout.form == "wide" and (layout.series_column or layout.value_column):
            raise InputError(
                "--form wide takes every column for a series: leave out --series-column and --value-column."
            )
        return layout.form == "long"
    if layout.series_column or layout.value_column:
        return True
    series, value = columns.guess(SERIES_NAMES), columns.guess(VALUE_NAMES)
    if (series is None) != (value is None):
        remedy = "--series NAME (if it holds one series) or --series-column" if series is None else "--value-column"
        raise InputError(
            f"{columns.source}: is this the long or the wide form? Its columns are {columns}: "
            f"give {remedy}, or --form wide if every column but the month is a series."
        )
    return series is not None


def _wide(
    layout: ColumnLayout, columns: _Columns, month: int, taken: set[int | None], where: tuple[tuple[int, str], ...]
) -> ColumnPositions:
    values = tuple(position for position in range(len(columns.names)) if position not in taken)
    names = tuple(columns.names[position] for position in values)
    twice = sorted({name for name in names if name and names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise InputError(
            f"{columns.source}: series {twice[0]!r} has more than one column: keep one, or rename the others."
        )
    if not values:
        raise InputError(f"{columns.source}: there is no column beside the month. Its columns are {columns}.")
    return ColumnPositions(month, values, names, None, None, layout.unit, where)


def _selected(
    arrangement: ColumnPositions, cells: Mapping[int, pyarrow.Array], lines: Lines
) -> tuple[Mapping[int, pyarrow.Array], Lines]:
    """Keep the rows that `where` asks for and that hold anything at all."""
    kept = np.zeros(len(lines), dtype=bool)
    for cell in cells.values():
        kept |= np.asarray(pyarrow.compute.not_equal(cell, ""))
    for position, wanted in arrangement.where:
        kept &= np.asarray(pyarrow.compute.equal(cells[position], wanted))
    if kept.all():
        return cells, lines
    mask = pyarrow.array(kept)
    return {position: cell.filter(mask) for position, cell in cells.items()}, lines[kept]


def _units(arrangement: ColumnPositions, cells: Mapping[int, pyarrow.Array], count: int) -> pyarrow.Array:
    if arrangement.unit_column is not None:
        return _repeated(cells[arrangement.unit_column], len(arrangement.values))
    if arrangement.unit is not None:
        return pyarrow.repeat(pyarrow.scalar(arrangement.unit, pyarrow.string()), count)
    return pyarrow.nulls(count, pyarrow.string())


def _repeated(cell: pyarrow.Array, times: int) -> pyarrow.Array:
    return pyarrow.concat_arrays([cell] * times)
