"""What is to be forecast, and what came: panels from files, parts of them, the milk series month by month, made-up ones."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from forecasting.domain.months import Month
from forecasting.domain.panel import Histories, Values
from forecasting.numerics.seasonality import SEASON

MILK_FIRST, MILK_START, MILK_TEST = 112, 113, 54  # the tutorial: months to fit on, the first month asked for, how many
MILK_HELD_OUT = 36


@dataclass(frozen=True)
class Task:
    """Histories without gaps and the months after them: actual (series, horizon) in the unit of each series."""

    names: tuple[str, ...]
    histories: Histories
    actual: Values

    @property
    def horizon(self) -> int:
        """Months to forecast."""
        return int(self.actual.shape[1])

    def select(self, rows: np.ndarray) -> "Task":
        """Return the task of some rows."""
        names = tuple(self.names[row] for row in rows)
        return Task(names, self.histories.select(rows.tolist()), self.actual[rows])


def task_of(series: dict[str, tuple[np.ndarray, Month]], horizon: int) -> Task:
    """Line up series, each with its last month, and cut off the last `horizon` months."""
    lengths = np.array([len(values) - horizon for values, _ in series.values()])
    together = np.full((len(series), int(lengths.max())), np.nan)
    for row, (values, _) in enumerate(series.values()):
        together[row, : lengths[row]] = values[: lengths[row]]
    actual = np.array([values[-horizon:] for values, _ in series.values()])
    ends = tuple(last - horizon for _, last in series.values())
    return Task(tuple(series), Histories(together, lengths, ends), actual)


def read_panel(path: Path, horizon: int, *, held_out: bool) -> Task:
    """Read a long file: unique_id, ds, y, split (train or test: the last `horizon` months).

    held_out: leave the test part unread and let the last months of the training part stand in for it.
    """
    frame = pd.read_parquet(path)
    if held_out:
        frame = frame[frame["split"] == "train"]
    series = {}
    for name, own in frame.groupby("unique_id", sort=False):
        last = own["ds"].iloc[-1]
        series[str(name)] = own["y"].to_numpy(np.float64), Month.of(last.year, last.month)
    return task_of(series, horizon)


def read_milk(path: Path, *, held_out: bool) -> Task:
    """Read the milk series as histories that grow month by month; the first one is what a network is fitted once on.

    The rest are those from which the tutorial's test months are forecast one month ahead. held_out: months of the training part
    stand in for them.
    """
    frame = pd.read_csv(path)
    values = frame["milk"].to_numpy(np.float64)
    first, start, count = (MILK_FIRST, MILK_START, MILK_TEST)
    if held_out:
        first = start = MILK_FIRST - MILK_HELD_OUT
        count = MILK_HELD_OUT
    begin = Month.parse(str(frame["month"].iloc[0]))
    lengths = [first, *range(start, start + count)]
    series = {
        f"milk to {begin + (length - 1)} #{row}": (values[: length + 1], begin + length)
        for row, length in enumerate(lengths)
    }
    return task_of(series, 1)


def many(task: Task, count: int, months: int) -> Task:
    """Make a panel of so many series, each of `months` months, from those of a task, with noise.

    A series that is too short is repeated before its beginning, year by year at the level that it begins with.
    """
    draw = np.random.default_rng(48)
    whole = [
        np.append(task.histories.values[row, :length], task.actual[row])
        for row, length in enumerate(task.histories.lengths)
    ]
    series = {}
    for number in range(count):
        source = whole[number % len(whole)]
        years = -(-max(months - len(source), 0) // SEASON)
        values = np.concatenate([np.tile(source[:SEASON], years), source])[-months:]
        noise = np.cumsum(draw.normal(0, 0.005, months)) + draw.normal(0, 0.02, months)
        series[f"series {number:06d}"] = values * np.exp(noise), Month.of(2019, 12)
    return task_of(series, task.horizon)


def to_file(task: Task, path: Path) -> None:
    """Write the histories of a task as a long Parquet file, as a user would load them."""
    lengths = task.histories.lengths
    ends = np.array([np.datetime64(str(last), "M") for last in task.histories.last_months])
    age = np.concatenate([np.arange(length)[::-1] for length in lengths])
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.array(task.names), lengths),
            "ds": (np.repeat(ends, lengths) - age).astype("datetime64[s]"),
            "y": np.concatenate([row[:length] for row, length in zip(task.histories.values, lengths, strict=True)]),
        }
    )
    frame.to_parquet(path, index=False)
