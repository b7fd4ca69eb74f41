"""Months: which ones have arrived, and whether they were published."""

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from forecasting.domain.months import Month
from forecasting.domain.panel import recent_months
from forecasting.storage.panels import read_panel
from forecasting.storage.runs import Run
from forecasting.storage.views.rows import Record


def count_arrived_series(
    connection: Connection, month: Month, late_months: int, names: tuple[str, ...] | None
) -> tuple[int, int]:
    """Return how many active series have a month, and how many are expected to have it. Later months do not count.

    names: the series that count; None: all. A series is expected when its newest month is at most `late_months` older.
    """
    row = connection.execute(
        text("""
            SELECT count(*) FILTER (WHERE newest = :month) AS arrived, count(*) AS expected
            FROM (SELECT (SELECT max(month) FROM milkrun.observation o WHERE o.series_id = s.series_id
                          AND month <= :month) AS newest
                  FROM milkrun.series s WHERE active AND (:everyone OR name = ANY(CAST(:names AS text[])))) last
            WHERE newest >= :earliest
        """),
        {
            "month": month.first_day,
            "earliest": (month - late_months).first_day,
            "everyone": names is None,
            "names": list(names or ()),
        },
    ).one()
    return row.arrived, row.expected


def read_newest_month_health(connection: Connection) -> Row[Any] | None:
    """Return the row of the view month_health for the newest month that an active series has; None where none has any."""
    return connection.execute(text("SELECT * FROM milkrun.month_health WHERE newest")).one_or_none()


def read_newest_observation(connection: Connection, series_ids: Sequence[int]) -> tuple[Month, int]:
    """Return the newest month that is over and that any of some series has, and the newest load that has one of them."""
    row = connection.execute(
        text(
            "SELECT max(month) FILTER (WHERE month < (SELECT milkrun.running_month())) AS month, max(load_id) AS load_id "
            "FROM milkrun.observation WHERE series_id = ANY(:ids)"
        ),
        {"ids": list(series_ids)},
    ).one()
    return Month.containing(row.month), row.load_id


def read_recent_observations(connection: Connection, run: Run, *, months: int) -> list[Record]:
    """Return series, month and value of the last months up to the origin of a run, with the values of its vintage."""
    request = run.request
    panel = read_panel(connection, request.series_ids, origin=request.origin, as_of=request.as_of)
    values = recent_months(panel, request.origin, months).tolist()
    return [
        {"series": name, "month": str(request.origin + (column + 1 - months)), "value": value}
        for name, series_values in zip(panel.names, values, strict=True)
        for column, value in enumerate(series_values)
        if not math.isnan(value)
    ]
