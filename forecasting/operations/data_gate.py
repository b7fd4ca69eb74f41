"""The arrival gate: a scheduled run waits until enough series have their newest month, or until a day of the month."""

from dataclasses import dataclass

from forecasting.domain.months import Month
from forecasting.domain.settings import Settings
from forecasting.storage.db.database import Database
from forecasting.storage.views.months import count_arrived_series


@dataclass(frozen=True)
class GateStatus:
    """How many of the series that are expected to have a month have it; message: whether a run may begin, in a sentence."""

    month: Month
    arrived: int
    expected: int
    is_open: bool
    message: str


def check_gate(
    database: Database, settings: Settings, due: Month, day: int, *, series: tuple[str, ...] | None
) -> GateStatus:
    """Say whether a run for the month `due` may begin on this day of the month after it.

    Expected are the active series (of the names in `series`, None: all) that had a month of late_months before: a series that
    has ended does not delay a run.
    """
    with database.reading() as connection:
        arrived, expected = count_arrived_series(connection, due, settings.late_months, series)
    return gate_status(settings, due, day, arrived, expected)


def gate_status(settings: Settings, due: Month, day: int, arrived: int, expected: int) -> GateStatus:
    """Open the gate where enough series have the month, or where the deadline is reached; a run then uses what there is."""
    share = arrived / expected if expected else 1.0
    counts = f"{arrived} of {expected} series have {due}"
    if share >= settings.arrival_share:
        return GateStatus(due, arrived, expected, True, f"{counts}.")
    if day >= settings.arrival_deadline:
        return GateStatus(
            due, arrived, expected, True, f"{counts}; the deadline, day {settings.arrival_deadline}, is there."
        )
    waiting = f"{settings.arrival_share:.0%} are waited for until day {settings.arrival_deadline}"
    return GateStatus(due, arrived, expected, False, f"{counts}; {waiting}.")
