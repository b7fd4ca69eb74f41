"""pandas DataFrames as sources: the same columns, and the same rules, as those of a file."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
import pyarrow

from forecasting.domain.errors import InputError
from forecasting.intake.columns import ColumnPositions, ColumnRoles, check_cell_bytes, find_columns, to_rows
from forecasting.intake.files import Source, as_text

_ROWS_AT_ONCE = 50_000


def open_frame(frame: pd.DataFrame, roles: ColumnRoles | None = None) -> Source:
    """Open a DataFrame as a source: series, month and value (or unique_id, ds and y), or a month and a column per series.

    A named index, or one of dates or periods, counts as columns. Raises InputError that names the columns there are and the
    option to give.
    """
    if any(frame.index.names) or isinstance(frame.index, pd.DatetimeIndex | pd.PeriodIndex):
        names = [name or "month" for name in frame.index.names]
        frame = frame.reset_index(names=names)
    header = [str(name) for name in frame.columns]
    columns = find_columns(roles or ColumnRoles(), header, "the DataFrame")
    return Source("DataFrame", partial(_rows, frame, columns))


def _rows(frame: pd.DataFrame, columns: ColumnPositions) -> Iterator[pyarrow.RecordBatch]:
    for start in range(0, len(frame), _ROWS_AT_ONCE):
        part = frame.iloc[start : start + _ROWS_AT_ONCE]
        cells = {position: _cell_texts(part.iloc[:, position]) for position in columns.positions}
        # The line of a row is its number in the frame, from 1 on.
        yield to_rows(columns, cells, np.arange(start + 1, start + len(part) + 1))


def _long_values(column: pd.Series) -> Iterator[str | bytes]:
    """Yield the texts of a column; a categorical column holds each of its texts once."""
    cells = column.dtype.categories if isinstance(column.dtype, pd.CategoricalDtype) else column
    if cells.dtype == object or isinstance(cells.dtype, pd.StringDtype):
        yield from (cell for cell in cells if isinstance(cell, str | bytes))


def _cell_texts(column: pd.Series) -> pyarrow.Array:
    """Turn a column into text; a missing value is an empty cell, as in a file, and a period is its first day."""
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    label = f"The DataFrame: column {column.name!r}"
    check_cell_bytes(max((len(cell) for cell in _long_values(column)), default=0), label)
    try:
        return as_text(pyarrow.Array.from_pandas(column))
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, pyarrow.ArrowNotImplementedError):
        pass
    # A column of objects of several types, such as numbers beside texts, or dates of the standard library.
    if any(isinstance(cell, list | dict | tuple | set) for cell in column):
        raise InputError(f"Column {column.name!r} of the DataFrame holds lists or records, not single values.")
    return pyarrow.array(["" if pd.isna(cell) else str(cell) for cell in column], pyarrow.string())
