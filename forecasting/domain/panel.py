"""A panel: the observations of many series, one row each, on one calendar."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.months import Month

Values = NDArray[np.float64]
Counts = NDArray[np.int64]
BOUNDS = (
    "lower_95",
    "lower_80",
    "upper_80",
    "upper_95",
)  # of the 80 and the 95 % interval, from the lowest to the highest


@dataclass(frozen=True)
class Panel:
    """Observations of series (rows) by month (columns), NaN where a month was not observed.

    values: (series, months) in the unit of each series; column 0 is the month `first`. first_released: likewise, each value
    as it was learned first; None where none was revised.
    """

    series_ids: tuple[int, ...]
    names: tuple[str, ...]
    first: Month
    values: Values
    first_released: Values | None = None

    def up_to(self, month: Month) -> "Panel":
        """Return the panel as it was when `month` was its last."""
        columns = min(max(month - self.first + 1, 1), self.values.shape[1])
        return Panel(self.series_ids, self.names, self.first, self.values[:, :columns])


@dataclass(frozen=True)
class Histories:
    """Series without gaps, each from its own first to its own last month.

    values: (series, longest); row i holds lengths[i] observations from column 0 on, NaN after them.
    last_months: the month of each series' last observation.
    """

    values: Values
    lengths: Counts
    last_months: tuple[Month, ...]

    def select(self, rows: list[int]) -> "Histories":
        """Return the histories of some rows, in that order, as narrow as the longest of them."""
        lengths = self.lengths[rows]
        width = int(lengths.max(initial=0))
        return Histories(self.values[rows][:, :width], lengths, tuple(self.last_months[row] for row in rows))


def concatenate_histories(parts: Sequence[Histories]) -> Histories:
    """Put histories below one another, padded to the longest."""
    width = max((part.values.shape[1] for part in parts), default=0)
    padded = [
        np.pad(part.values, ((0, 0), (0, width - part.values.shape[1])), constant_values=np.nan) for part in parts
    ]
    return Histories(
        np.concatenate([np.empty((0, width)), *padded]),
        np.concatenate([np.empty(0, np.int64), *(part.lengths for part in parts)]),
        tuple(month for part in parts for month in part.last_months),
    )


def last_months(panel: Panel, last: Month, count: int) -> Values:
    """Return so many months of a panel up to `last`: (series, count), NaN where a month was not observed."""
    columns = last - panel.first + np.arange(1 - count, 1)
    inside = (columns >= 0) & (columns < panel.values.shape[1])
    values = np.full((len(panel.values), count), np.nan)
    values[:, inside] = panel.values[:, columns[inside]]
    return values


def observed_span(panel: Panel) -> tuple[Counts, Counts]:
    """Return the first and one past the last observed column of each series; 0 and 0 where nothing was observed."""
    has_value = ~np.isnan(panel.values)
    has_any_value = has_value.any(axis=1)
    first = np.where(has_any_value, has_value.argmax(axis=1), 0)
    end = np.where(has_any_value, has_value.shape[1] - has_value[:, ::-1].argmax(axis=1), 0)
    return first, end


def histories_of(panel: Panel) -> Histories:
    """Cut each series of a panel to its observed span and move it to column 0; gaps inside stay NaN."""
    first, end = observed_span(panel)
    lengths = end - first
    width = int(lengths.max(initial=0))
    columns = first[:, None] + np.arange(width)
    values = np.take_along_axis(panel.values, np.minimum(columns, max(panel.values.shape[1] - 1, 0)), axis=1)
    values = np.where(np.arange(width) < lengths[:, None], values, np.nan)
    return Histories(values, lengths, tuple(panel.first + (int(column) - 1) for column in end))
