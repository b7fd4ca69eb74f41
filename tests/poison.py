"""A panel as it arrives in two files, a tenth of it poisoned, and what must be said of each way to poison a series."""

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forecasting.domain.months import Month, months_between

FIRST, TRAINED, REUSED = Month.of(2019, 1), Month.of(2023, 12), Month.of(2024, 1)  # and the origins of the two runs
TODAY = Month.of(2024, 3)
ONE, OTHER = Month.of(2022, 3), Month.of(2023, 7)  # months that poison is put into
EVERY = 10  # one series of so many is poisoned

Row = list[str]
End = tuple[str, str]  # outcome and reason
OK: End = ("forecast", "ok")
_HOSTILE = (
    "'; DROP TABLE milkrun.series; -- {}",
    '"); SELECT pg_sleep(60); --{}',
    "牛乳 „süß“ 🥛 {}",
    "<script>alert({})</script>",
    "%s {{}} {} \\N \\. $1 :name",
    "../../../etc/passwd {}",
    "=HYPERLINK({})",
    "NULL {}",
)


@dataclass(frozen=True)
class Poison:
    """One way to poison a series.

    rows: what its row of a month becomes, given name, month and value. said: words of the reasons for which rows of it are
    rejected. ends: how it ends in the run that trains and in the one that reuses; None where no series is made of it.
    unchanged: whether it is forecast as if nothing had happened.
    """

    rows: Callable[[str, Month, float], list[Row]]
    said: frozenset[str] = frozenset()
    ends: tuple[End, End] | None = (OK, OK)
    unchanged: bool = False
    named: Callable[[int], str] = "series {:05d}".format


def healthy(name: str, month: Month, value: float) -> list[Row]:
    """Return the row of a month as it should be."""
    return [[name, str(month), repr(value), ""]]


def instead(*texts: str) -> Callable[[str, Month, float], list[Row]]:
    """Put texts in the place of two values."""
    return lambda name, month, value: (
        [[name, str(month), texts[(month == OTHER) % len(texts)], ""]]
        if month in (ONE, OTHER)
        else healthy(name, month, value)
    )


def times(factor: float, *months: Month) -> Callable[[str, Month, float], list[Row]]:
    """Multiply the values of some months, or of all."""
    return lambda name, month, value: healthy(name, month, value * factor if month in months or not months else value)


def until(last: Month) -> Callable[[str, Month, float], list[Row]]:
    """Let a series end."""
    return lambda name, month, value: healthy(name, month, value) if month <= last else []


def without(first: Month, last: Month) -> Callable[[str, Month, float], list[Row]]:
    """Leave months out."""
    return lambda name, month, value: [] if first <= month <= last else healthy(name, month, value)


def also(at: Month, *rows: tuple[str, str]) -> Callable[[str, Month, float], list[Row]]:
    """Add rows, each a month and a value, to the row of one month."""
    return lambda name, month, value: [
        *healthy(name, month, value),
        *([name, stamp, number, ""] for stamp, number in rows if month == at),
    ]


def with_bad_dates(name: str, month: Month, value: float) -> list[Row]:
    """Write two months in ways that no calendar knows, and add one from before 1700."""
    stamps = {ONE: ["2022-13"], OTHER: ["2023-07-32", "1699-12"]}.get(month, [str(month)])
    return [[name, stamp, repr(value), ""] for stamp in stamps]


def twice(name: str, month: Month, value: float) -> list[Row]:
    """Say the same again, otherwise written, and out of order."""
    return [[name, f"{month}-28", f"{value!r}e0", ""], *healthy(name, month, value)]


def beyond_single(name: str, month: Month, value: float) -> list[Row]:
    """Make months so unlike those before them that, scaled, they are infinite in single precision."""
    return healthy(name, month, 1e15 if month >= TRAINED else value * 1e-290)


def torn(name: str, month: Month, value: float) -> list[Row]:
    """Lose a field of one row, and gain one in another."""
    whole = healthy(name, month, value)[0]
    return [whole[:2] if month == ONE else [*whole, "more"] if month == OTHER else whole]


REFUSED, HELD, FLAT = (("refused", "short_history"),) * 2, ("held", "late"), (("fallback", "constant"),) * 2
GAP, DIVERGED = (("held", "gap"),) * 2, (("fallback", "diverged"),) * 2
WAYS: dict[str, Poison] = {
    "not a number": Poison(instead("NaN", "nan"), frozenset({"not_finite"})),
    "infinite": Poison(instead("inf", "-Infinity"), frozenset({"not_finite"})),
    "text": Poison(instead("n/a", "about 12"), frozenset({"not_a_number"})),
    "written for people": Poison(instead("1.234,5", "1 234"), frozenset({"not_a_number"})),
    "empty cells": Poison(instead("", "  "), frozenset({"empty_value"})),
    "beyond any unit": Poison(instead("1e300", "-1e16"), frozenset({"out_of_range"})),
    "beyond any float": Poison(instead("1e400", "9" * 500), frozenset({"out_of_range"})),
    "denormal": Poison(times(1e-320), ends=FLAT),
    "tiny": Poison(times(1e-290)),
    "duplicates that contradict": Poison(also(ONE, (str(ONE), "-1")), frozenset({"conflicting_duplicate"})),
    "duplicates that agree": Poison(twice, unchanged=True),
    "long gap": Poison(without(ONE, ONE + 4), ends=GAP),
    "short gap": Poison(without(ONE, ONE + 1)),
    "negative": Poison(times(-1.0, ONE, OTHER)),
    "constant": Poison(lambda name, month, _: healthy(name, month, 7.0), ends=FLAT),
    "all zeros": Poison(times(0.0), ends=FLAT),
    "one observation": Poison(without(FIRST, TRAINED - 1), ends=REFUSED),
    "no observation": Poison(lambda name, month, _: [[name, str(month), "-", ""]], frozenset({"not_a_number"}), None),
    "future months": Poison(
        also(TRAINED, ("2024-04", "5"), ("2199-01", "5")), frozenset({"future_month"}), unchanged=True
    ),
    "reports early": Poison(also(TRAINED, ("2024-02", "5"), ("2024-03", "5")), unchanged=True),
    "wrong dates": Poison(with_bad_dates, frozenset({"bad_month", "month_out_of_range"})),
    "spike": Poison(times(1e9, ONE)),
    "beyond single precision": Poison(beyond_single),
    "diverging network": Poison(healthy, ends=DIVERGED),
    "intermittent": Poison(lambda name, month, value: healthy(name, month, value if month.ordinal % 7 == 0 else 0.0)),
    "late": Poison(until(OTHER), ends=(HELD, HELD)),
    "a little late": Poison(until(TRAINED - 1)),
    "hostile name": Poison(healthy, named=lambda number: _HOSTILE[number // EVERY % len(_HOSTILE)].format(number)),
    "control characters": Poison(
        healthy, frozenset({"control_character"}), None, named="\x1b[31mseries\x00 {:05d}".format
    ),
    "endless name": Poison(
        healthy, frozenset({"name_too_long"}), None, named=lambda number: f"{number:05d}{'x' * 10_000}"
    ),
    "two units": Poison(
        lambda name, month, value: [[name, str(month), repr(value), unit] for unit in ("kg", "t")],
        frozenset({"unit_conflict"}),
        None,
    ),
    "torn rows": Poison(torn, frozenset({"wrong_columns"})),
    "damaged network": Poison(healthy),
    "damaged scaler": Poison(healthy),
}


@dataclass(frozen=True)
class Panel:
    """So many series, of which one in EVERY is poisoned, each in the next way; or, as a clean panel, none."""

    series: int
    poisoned: bool = True

    def way(self, number: int) -> str | None:
        """Return in which way a series is poisoned, None where it is not."""
        place, rest = divmod(number, EVERY)
        return None if rest else list(WAYS)[place % len(WAYS)]

    def names(self, way: str | None) -> list[str]:
        """Return the names of the series that are poisoned in one way, or, for None, of those that are not."""
        return [self.name(number) for number in range(self.series) if self.way(number) == way]

    def name(self, number: int) -> str:
        """Return the name of a series; a name that is poison is another one in a clean panel."""
        way = self.way(number)
        return WAYS[way].named(number) if self.poisoned and way else f"series {number:05d}"

    def write(self, file: Path, first: Month, last: Month) -> int:
        """Write what arrives with some months as CSV, and return how many rows that is."""
        draw, count = random.Random(f"{first}"), 0  # noqa: S311 - the same file every time
        with file.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["series", "month", "value", "unit"])
            for rows in self._rows(months_between(first, last)):
                if self.poisoned:
                    draw.shuffle(rows)
                writer.writerows(rows)
                count += len(rows)
        return count

    def _rows(self, months: list[Month]) -> Iterator[list[Row]]:
        columns = [month - FIRST for month in months]
        for number, values in enumerate(_values(self.series)[:, columns].tolist()):
            way = self.way(number)
            rows = WAYS[way].rows if self.poisoned and way else healthy
            name = self.name(number)
            yield [row for month, value in zip(months, values, strict=True) for row in rows(name, month, value)]


def _values(series: int) -> np.ndarray:
    """Make up series with trend, season and noise: (series, months)."""
    draw = np.random.default_rng(11)
    time = np.arange(REUSED - FIRST + 1)
    season = np.sin(2 * np.pi * (time + draw.integers(0, 12, (series, 1))) / 12)
    noise = draw.normal(0, 0.05, (series, len(time)))
    return np.asarray(draw.uniform(50, 5000, (series, 1)) * (1 + 0.003 * time + 0.2 * season + noise)).round(3)
