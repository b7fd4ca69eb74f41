"""A second implementation of the rules in docs/reference/intake.md, in plain Python, row by row: tests compare loads with it."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from forecasting.domain.months import Month

_STAMP = re.compile(
    r" *(\d{4})[-/](\d{1,2})(?:[-/](\d{1,2})"
    r"(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d(?::?\d\d)?))?)?)? *",
    re.ASCII,
)
_NUMBER = re.compile(r" *[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)? *", re.ASCII)
_NOT_FINITE = re.compile(r" *[-+]?(?:nan|inf|infinity) *", re.ASCII | re.IGNORECASE)
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufdd0]")

SeriesMonth = tuple[str, Month]


@dataclass(frozen=True)
class SourceRow:
    """The texts of a row in a source; problem: why its columns could not be read, or None."""

    line: int
    series: str
    month: str
    value: str
    unit: str = ""
    problem: str | None = None


@dataclass
class ExpectedRows:
    """The expected result of a load: accepted values, the number of repeated ones, and line and reason of each rejection."""

    accepted: dict[SeriesMonth, float] = field(default_factory=dict)
    collapsed: int = 0
    rejected: Counter[tuple[int, str]] = field(default_factory=Counter)


def expected_rows(rows: Iterable[SourceRow], today: Month) -> ExpectedRows:
    """Return the expected result of one load into empty tables."""
    expected, units, values = ExpectedRows(), dict[str, set[str]](), dict[SeriesMonth, list[tuple[int, float]]]()
    rows = list(rows)
    for row in rows:
        units.setdefault(_plain(row.series), set()).update({_plain(row.unit)} - {""})
    for row in rows:
        name = _plain(row.series)
        month, number = _month(row.month, today), _number(row.value)
        problem = row.problem or _problem(name, units[name])
        if problem or isinstance(month, str) or isinstance(number, str):
            reason = problem or (month if isinstance(month, str) else str(number))
            expected.rejected[row.line, reason] += 1
        else:
            values.setdefault((name, month), []).append((row.line, number))
    for series_month, numbers in values.items():
        if len({number for _, number in numbers}) > 1:
            expected.rejected.update((line, "conflicting_duplicate") for line, _ in numbers)
        else:
            expected.accepted[series_month] = numbers[0][1]
            expected.collapsed += len(numbers) - 1
    return expected


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip(" "))


def _problem(name: str, units: set[str]) -> str | None:
    if not name:
        return "empty_name"
    if len(name) > 200:
        return "name_too_long"
    if _HIDDEN.search(name):
        return "control_character"
    if any(len(unit) > 100 or _HIDDEN.search(unit) for unit in units):
        return "bad_unit"
    return "unit_conflict" if len(units) > 1 else None


def _month(cell: str, today: Month) -> Month | str:
    """Return a month, or the reason why there is none."""
    if not cell.strip(" "):
        return "empty_month"
    match = _STAMP.fullmatch(cell)
    if match is None:
        return "bad_month"
    year, number, day = int(match[1]), int(match[2]), int(match[3] or 1)
    if not 1700 <= year <= 2200:
        return "month_out_of_range"
    try:
        month = Month.containing(date(year, number, day))
    except ValueError:
        return "bad_month"
    return "future_month" if month > today else month


def _number(cell: str) -> float | str:
    """Return a finite number, or the reason why there is none."""
    if not cell.strip(" "):
        return "empty_value"
    if _NOT_FINITE.fullmatch(cell):
        return "not_finite"
    if not _NUMBER.fullmatch(cell):
        return "not_a_number"
    exact = Decimal(cell.strip(" "))
    if abs(exact) > Decimal("1e15"):
        return "out_of_range"
    return 0.0 if abs(exact) < Decimal("1e-300") else float(exact)
