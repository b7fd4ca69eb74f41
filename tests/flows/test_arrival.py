"""Tests of the arrival gate: whom a scheduled run waits for, and until when."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from flows.monthly import monthly_forecast
from forecasting.domain.errors import InputError
from forecasting.domain.months import Month
from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult
from forecasting.operations.data_gate import check_gate
from forecasting.storage.db.database import Database
from tests.runs.test_champion_challenger import seasonal

Arrive = Callable[..., LoadResult]
DUE = Month.of(1998, 1)


def four_series(arrive: Arrive, due: Month, arrived: int) -> None:
    """Load four series of which some have the month due, and one more that fell silent half a year ago."""
    names = "abcd"
    lengths = {name: 97 if place < arrived else 96 for place, name in enumerate(names)}
    values = seasonal(97)
    arrive(str(due - 96), silent=values[:91], **{name: values[:length] for name, length in lengths.items()})


@pytest.mark.parametrize(
    ("arrived", "day", "is_open"),
    [(2, 9, False), (3, 9, True), (4, 2, True), (0, 9, False), (0, 10, True), (2, 28, True)],
)
def test_the_gate_opens_by_share_or_by_deadline(
    database: Database, settings: Settings, arrive: Arrive, arrived: int, day: int, is_open: bool
) -> None:
    """Three of four are enough for 0.75; on day 10 what is there is enough; who fell silent keeps nobody waiting."""
    four_series(arrive, DUE, arrived)
    asked = replace(settings, arrival_share=0.75, arrival_deadline=10)

    found = check_gate(database, asked, DUE, day, series=None)

    assert (found.arrived, found.expected, found.is_open) == (arrived, 4, is_open)
    assert f"{arrived} of 4 series have 1998-01" in found.message


def test_series_that_are_asked_for_or_switched_off_are_counted_as_such(
    database: Database, settings: Settings, arrive: Arrive
) -> None:
    """Only names asked for count, and only active series."""
    four_series(arrive, DUE, 2)
    asked = replace(settings, arrival_share=1.0)

    assert check_gate(database, asked, DUE, 5, series=("a", "b")).is_open
    assert not check_gate(database, asked, DUE, 5, series=("a", "c")).is_open
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE milkrun.series SET active = false WHERE name IN ('c', 'd')"))
    assert check_gate(database, asked, DUE, 5, series=None).is_open


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("deadline", [1, 28])
def test_a_flow_that_has_to_wait_ends_in_a_state_that_says_so(
    database: Database, arrive: Arrive, monkeypatch: pytest.MonkeyPatch, deadline: int
) -> None:
    """On Prefect's engine: Waiting, with the count, and no run; after the deadline the run goes on with what is there."""
    now = datetime.now(UTC)
    four_series(arrive, Month.containing(now) - 1, 2)
    monkeypatch.setenv("MILKRUN_ARRIVAL_SHARE", "0.75")
    monkeypatch.setenv("MILKRUN_ARRIVAL_DEADLINE", str(deadline))

    state = monthly_forecast(wait_for_data=True, return_state=True)

    waits = now.day < deadline
    assert state.is_completed()
    assert (state.name == "Waiting") == waits
    assert not waits or "2 of 4 series have" in str(state.message)
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM milkrun.run")) == (0 if waits else 1)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("MILKRUN_ARRIVAL_SHARE", "75"), ("MILKRUN_ARRIVAL_SHARE", "most"), ("MILKRUN_ARRIVAL_DEADLINE", "31")],
)
def test_settings_that_cannot_be_are_refused(variable: str, value: str) -> None:
    """A share is from 0 to 1, a deadline a day that every month has."""
    with pytest.raises(InputError, match=f"{variable} is '{value}'"):
        Settings.from_environment({variable: value})
