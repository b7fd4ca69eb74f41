"""Whose newest month has arrived."""

from sqlalchemy import Connection, text

from forecasting.domain.months import Month


def count_arrived(
    connection: Connection, month: Month, late_months: int, names: tuple[str, ...] | None
) -> tuple[int, int]:
    """Return how many active series have a month, or a later one, and how many are expected to.

    names: of the series that count; None: all. Expected are those that have any month from `late_months` before it on.
    """
    row = connection.execute(
        text("""
            SELECT count(*) FILTER (WHERE newest >= :month) AS arrived, count(*) AS expected
            FROM (SELECT (SELECT max(month) FROM milkrun.observation o WHERE o.series_id = s.series_id) AS newest
                  FROM milkrun.series s WHERE active AND (:everyone OR name = ANY(CAST(:names AS text[])))) last
            WHERE newest >= :earliest
        """),
        {
            "month": month.first_day,
            "earliest": (month + -late_months).first_day,
            "everyone": names is None,
            "names": list(names or ()),
        },
    ).one()
    return row.arrived, row.expected
