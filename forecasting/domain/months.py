"""Month arithmetic: a calendar month, in tables its first day as a date."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self, overload
from zoneinfo import ZoneInfo

import numpy as np

from forecasting.domain.errors import InputError

_TEXT = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?")


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month. ordinal: months since 0000-01, so that a month plus an int is another month."""

    ordinal: int

    @classmethod
    def of(cls, year: int, month: int) -> Self:
        """Return the month of a year and a month number from 1 to 12."""
        if not 1 <= month <= 12:
            raise InputError(f"There is no month number {month}: months run from 1 to 12.")
        return cls(year * 12 + month - 1)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `YYYY-MM` or `YYYY-MM-DD`; the first and the last day of a month give the same month.

        Raises InputError for anything else, and for days that do not exist.
        """
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise InputError(f"{text!r} is not a month: write it as YYYY-MM, such as 1974-12.")
        year, month, day = int(match[1]), int(match[2]), int(match[3] or 1)
        try:
            date(year, month, day)
        except ValueError:
            raise InputError(f"{text!r} is not a date of the calendar: write a month as YYYY-MM.") from None
        if not 1700 <= year <= 2200:
            raise InputError(f"{text!r} lies outside the years 1700 to 2200 that the tables hold.")
        return cls.of(year, month)

    @classmethod
    def containing(cls, day: date) -> Self:
        """Return the month that a date (or datetime) lies in."""
        return cls.of(day.year, day.month)

    @property
    def first_day(self) -> date:
        """The first day of the month, its form in tables."""
        return date(self.ordinal // 12, self.ordinal % 12 + 1, 1)

    def to_datetime64(self) -> np.datetime64:
        """Return the month as numpy.datetime64 with unit M."""
        return np.datetime64(str(self), "M")

    def __add__(self, months: int) -> Self:
        return type(self)(self.ordinal + months)

    @overload
    def __sub__(self, other: int) -> Self: ...
    @overload
    def __sub__(self, other: "Month") -> int: ...
    def __sub__(self, other: "int | Month") -> "Self | int":
        """Return the month so many months before, or the number of months since another month."""
        return self.ordinal - other.ordinal if isinstance(other, Month) else type(self)(self.ordinal - other)

    def __str__(self) -> str:
        return f"{self.ordinal // 12:04d}-{self.ordinal % 12 + 1:02d}"


FIRST_MONTH = Month.of(1700, 1)  # that the tables hold


def due_month(moment: datetime, timezone: str) -> Month:
    """Return the month that is due at a moment: the last one that is over where the installation lies.

    moment: in any time zone. timezone: a name such as Europe/Berlin.
    """
    return Month.containing(moment.astimezone(ZoneInfo(timezone))) - 1


def months_between(first: Month, last: Month) -> list[Month]:
    """Return every month from `first` to `last`, both included; empty when `last` comes before `first`."""
    return [first + step for step in range(last - first + 1)]
