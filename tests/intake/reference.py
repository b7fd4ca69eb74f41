"""What docs/reference/intake.md says of rows, once more in plain Python, row by row: loads are compared with it."""

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

Place = tuple[str, Month]


@dataclass(frozen=True)
class Written:
    """A row as it is written; problem: why no column of it could be read."""

    line: int
    series: str
    month: str
    value: str
    unit: str = ""
    problem: str | None = None


@dataclass
class Judged:
    """What becomes of rows: accepted values, how many repeat one of them, and line and word of each rejection."""

    accepted: dict[Place, float] = field(default_factory=dict)
    collapsed: int = 0
    rejected: Counter[tuple[int, str]] = field(default_factory=Counter)


def judge(rows: Iterable[Written], today: Month) -> Judged:
    """Judge the rows of one load into empty tables."""
    judged, units, read = Judged(), dict[str, set[str]](), dict[Place, list[tuple[int, float]]]()
    rows = list(rows)
    for row in rows:
        units.setdefault(_plain(row.series), set()).update({_plain(row.unit)} - {""})
    for row in rows:
        name = _plain(row.series)
        month, number = _month(row.month, today), _number(row.value)
        problem = row.problem or _problem(name, units[name])
        if problem or isinstance(month, str) or isinstance(number, str):
            word = problem or (month if isinstance(month, str) else str(number))
            judged.rejected[row.line, word] += 1
        else:
            read.setdefault((name, month), []).append((row.line, number))
    for place, found in read.items():
        if len({number for _, number in found}) > 1:
            judged.rejected.update((line, "conflicting_duplicate") for line, _ in found)
        else:
            judged.accepted[place] = found[0][1]
            judged.collapsed += len(found) - 1
    return judged


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


def _month(written: str, today: Month) -> Month | str:
    """Return a month, or the word for why there is none."""
    if not written.strip(" "):
        return "empty_month"
    match = _STAMP.fullmatch(written)
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


def _number(written: str) -> float | str:
    """Return a finite number, or the word for why there is none."""
    if not written.strip(" "):
        return "empty_value"
    if _NOT_FINITE.fullmatch(written):
        return "not_finite"
    if not _NUMBER.fullmatch(written):
        return "not_a_number"
    exact = Decimal(written.strip(" "))
    if abs(exact) > Decimal("1e15"):
        return "out_of_range"
    return 0.0 if abs(exact) < Decimal("1e-300") else float(exact)
