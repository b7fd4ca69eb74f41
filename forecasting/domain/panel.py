"""A panel: the observations of many series, one row each, on one calendar."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.months import Month

Values = NDArray[np.float64]
Counts = NDArray[np.int64]
# The bounds of the 80 and the 95 % interval, from the lowest to the highest.
BOUNDS = ("lower_95", "lower_80", "upper_80", "upper_95")


@dataclass(frozen=True)
class Panel:
    """Observations of series (rows) by month (columns), NaN where there is none.

    values: (series, months) in the unit of each series; column 0 is the month `first`. first_released: (series, months), the
    value of each month in the first load that had it; None where no value was revised.
    """

    series_ids: tuple[int, ...]
    names: tuple[str, ...]
    first: Month
    values: Values
    first_released: Values | None = None

    def up_to(self, month: Month) -> "Panel":
        """Return the panel without the months after `month`; it has at least one column."""
        column_count = min(max(month - self.first + 1, 1), self.values.shape[1])
        return Panel(self.series_ids, self.names, self.first, self.values[:, :column_count])

    def select(self, rows: list[int]) -> "Panel":
        """Return some rows, in that order, with the newest values alone."""
        ids, names = tuple(self.series_ids[row] for row in rows), tuple(self.names[row] for row in rows)
        return Panel(ids, names, self.first, self.values[rows])


@dataclass(frozen=True)
class Histories:
    """The observations of each series from its first to its last month, moved to column 0.

    values: (series, longest) in the unit of each series; row i has lengths[i] months from column 0 on, NaN after them.
    last_months: the last month of each series.
    """

    values: Values
    lengths: Counts
    last_months: tuple[Month, ...]

    @property
    def inside(self) -> np.ndarray:
        """Which columns belong to the history of each series: bool (series, longest)."""
        return columns_inside(self.values.shape[1], self.lengths)

    @property
    def lowest(self) -> Values:
        """The lowest value of each series: (series,), NaN where it has none."""
        return np.asarray(np.fmin.reduce(self.values, axis=1, initial=np.nan))

    @property
    def highest(self) -> Values:
        """The highest value of each series: (series,), NaN where it has none."""
        return np.asarray(np.fmax.reduce(self.values, axis=1, initial=np.nan))

    def select(self, rows: list[int]) -> "Histories":
        """Return the histories of some rows, in that order; the longest of them decides the number of columns."""
        lengths = self.lengths[rows]
        width = int(lengths.max(initial=0))
        return Histories(self.values[rows][:, :width], lengths, tuple(self.last_months[row] for row in rows))


def columns_inside(width: int, lengths: Counts) -> np.ndarray:
    """Return for rows of several lengths, padded to `width` columns, which columns belong to them: bool (rows, width)."""
    return np.asarray(np.arange(width) < lengths[:, None])


def concatenate_histories(parts: Sequence[Histories]) -> Histories:
    """Return the rows of all parts, one part after the other, padded with NaN to the longest history."""
    width = max((part.values.shape[1] for part in parts), default=0)
    padded = [
        np.pad(part.values, ((0, 0), (0, width - part.values.shape[1])), constant_values=np.nan) for part in parts
    ]
    return Histories(
        np.concatenate([np.empty((0, width)), *padded]),
        np.concatenate([np.empty(0, np.int64), *(part.lengths for part in parts)]),
        tuple(month for part in parts for month in part.last_months),
    )


def recent_months(panel: Panel, last: Month, count: int) -> Values:
    """Return the `count` months of a panel up to `last`: (series, count), NaN where there is no observation."""
    columns = last - panel.first + np.arange(1 - count, 1)
    inside = (columns >= 0) & (columns < panel.values.shape[1])
    values = np.full((len(panel.values), count), np.nan)
    values[:, inside] = panel.values[:, columns[inside]]
    return values


def observed_span(panel: Panel) -> tuple[Counts, Counts]:
    """Return, for each series, its first observed column and the column after its last one; 0 and 0 without observations."""
    has_value = ~np.isnan(panel.values)
    has_any_value = has_value.any(axis=1)
    first = np.where(has_any_value, has_value.argmax(axis=1), 0)
    end = np.where(has_any_value, has_value.shape[1] - has_value[:, ::-1].argmax(axis=1), 0)
    return first, end


def histories_of(panel: Panel) -> Histories:
    """Return the histories of a panel; a missing month between two observed months stays NaN."""
    first, end = observed_span(panel)
    lengths = end - first
    width = int(lengths.max(initial=0))
    columns = first[:, None] + np.arange(width)
    values = np.take_along_axis(panel.values, np.minimum(columns, max(panel.values.shape[1] - 1, 0)), axis=1)
    values = np.where(columns_inside(width, lengths), values, np.nan)
    return Histories(values, lengths, tuple(panel.first + (int(column) - 1) for column in end))
