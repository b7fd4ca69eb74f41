"""Tests of month arithmetic."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain.errors import InputError
from forecasting.domain.months import Month, due_month, months_between

months = st.builds(Month.of, st.integers(1700, 2200), st.integers(1, 12))


@given(months, st.integers(-600, 600))
def test_stepping_forth_and_back_ends_at_the_start(month: Month, step: int) -> None:
    """Adding months and subtracting them again loses nothing, whatever the length of the months between."""
    assert month == (month + step) - step
    assert step == (month + step) - month


@given(months)
def test_a_month_is_read_as_it_is_written(month: Month) -> None:
    """The text and the first day of a month both lead back to it."""
    assert month == Month.parse(str(month)) == Month.containing(month.first_day)
    assert str(month) == str(month.to_datetime64())


def test_month_start_and_month_end_are_the_same_month() -> None:
    """Stamps at either end of a month map to it, leap days included."""
    assert Month.of(1972, 2) == Month.parse("1972-02-01") == Month.parse("1972-02-29") == Month.parse(" 1972-2 ")


@pytest.mark.parametrize(
    "text",
    ["", "1974", "1699-12", "2201-01", "1974-13", "1974-00", "74-12", "1974-02-30", "December 1974", "1974-12-01x"],
)
def test_what_is_not_a_month_is_refused_with_the_remedy(text: str) -> None:
    """A text that names no month is quoted in the error, which says how to write one."""
    with pytest.raises(InputError, match=r"YYYY-MM|1700 to 2200|months run from 1 to 12"):
        Month.parse(text)


def test_a_month_less_an_int_is_an_earlier_month() -> None:
    """Across the turn of a year; a month less a month is a number of months."""
    assert str(Month.of(1975, 1) - 1) == "1974-12"
    assert Month.of(1975, 1) - Month.of(1974, 11) == 2


@pytest.mark.parametrize(
    ("timezone", "month"), [("UTC", "2026-05"), ("America/Los_Angeles", "2026-04"), ("Asia/Tokyo", "2026-05")]
)
def test_the_due_month_is_the_last_one_that_is_over_in_the_time_zone(timezone: str, month: str) -> None:
    """Two hours into June in UTC it is still May in California."""
    assert str(due_month(datetime(2026, 6, 1, 2, tzinfo=UTC), timezone)) == month


def test_months_between_includes_both_ends_and_may_be_empty() -> None:
    """A span is inclusive; one that ends before it starts holds no month."""
    assert [str(month) for month in months_between(Month.of(1974, 12), Month.of(1975, 1))] == ["1974-12", "1975-01"]
    assert months_between(Month.of(1975, 1), Month.of(1974, 12)) == []
    assert date(1974, 12, 1) == Month.of(1974, 12).first_day
