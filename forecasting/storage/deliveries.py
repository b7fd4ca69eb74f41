"""Deliveries of published runs: which runs a target lacks, their rows, and the record of each attempt."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, text
from sqlalchemy.dialects.postgresql import insert

from forecasting.storage.db import tables
from forecasting.storage.db.database import Database

ROWS_AT_ONCE = 10_000
FORECAST_COLUMNS = (
    "run_id", "series", "horizon", "month", "value", "lower_80", "upper_80", "lower_95", "upper_95", "seasonal_naive",
    "unit", "origin", "run_origin", "outcome", "method", "recipe", "published_at",
)  # fmt: skip
RMSE_COLUMNS = (
    "run_id", "series", "split", "horizon", "n", "rmse", "baseline_rmse", "skill", "coverage_80", "coverage_95", "unit",
    "run_origin", "recipe", "published_at",
)  # fmt: skip
_RMSE_QUERY = "SELECT {columns} FROM milkrun.rmse_trend WHERE run_id = :run_id ORDER BY series, split, horizon"
_FORECAST_QUERY = "SELECT {columns} FROM milkrun.forecast_history WHERE run_id = :run_id ORDER BY series, horizon"


@dataclass(frozen=True)
class PublishedRun:
    """A published run to be delivered; published_at: in UTC, to the second."""

    run_id: int
    origin: str
    published_at: datetime


def read_undelivered_runs(connection: Connection, target: str, place: str) -> list[PublishedRun]:
    """Return the published live runs that a target at a place lacks, the one published first at the front.

    A new target, or one that has another place now, gets the newest run only; those that are published later follow.
    """
    rows = connection.execute(
        text("""
            WITH live AS (SELECT * FROM milkrun.run WHERE state = 'published' AND kind = 'live')
            SELECT run_id, to_char(origin, 'YYYY-MM') AS origin,
                   date_trunc('second', published_at) AT TIME ZONE 'UTC' AS published_at
            FROM live
            WHERE live.published_at >= coalesce(
                    (SELECT min(r.published_at) FROM milkrun.delivery d JOIN live r USING (run_id)
                     WHERE d.target = :target AND d.place = :place), (SELECT max(r.published_at) FROM live r))
              AND NOT EXISTS (SELECT FROM milkrun.delivery d WHERE d.target = :target AND d.place = :place
                              AND d.run_id = live.run_id AND d.error IS NULL)
            ORDER BY live.published_at, run_id
        """),
        {"target": target, "place": place},
    )
    return [PublishedRun(row.run_id, row.origin, row.published_at) for row in rows]


@contextmanager
def forecast_batches(database: Database, run: PublishedRun) -> Iterator[Iterator[Sequence[Row[Any]]]]:
    """Give the forecasts of a run in batches; each row has FORECAST_COLUMNS, with published_at in UTC, to the second."""
    with _batches(database, run, _FORECAST_QUERY, FORECAST_COLUMNS) as batches:
        yield batches


@contextmanager
def rmse_batches(database: Database, run: PublishedRun) -> Iterator[Iterator[Sequence[Row[Any]]]]:
    """Give the RMSE history of a run in batches; each row has RMSE_COLUMNS."""
    with _batches(database, run, _RMSE_QUERY, RMSE_COLUMNS) as batches:
        yield batches


@contextmanager
def _batches(
    database: Database, run: PublishedRun, query: str, columns: Sequence[str]
) -> Iterator[Iterator[Sequence[Row[Any]]]]:
    selected = ", ".join(
        "date_trunc('second', published_at) AT TIME ZONE 'UTC' AS published_at" if name == "published_at" else name
        for name in columns
    )
    with database.reading() as connection:
        # The rows go to a target while they are read: it may take its time.
        connection.execute(
            text("SET LOCAL statement_timeout = '2h'; SET LOCAL idle_in_transaction_session_timeout = '2h'")
        )
        streaming = connection.execution_options(stream_results=True, max_row_buffer=ROWS_AT_ONCE)
        rows = streaming.execute(text(query.format(columns=selected)), {"run_id": run.run_id})
        yield rows.partitions(ROWS_AT_ONCE)


def write_delivery(connection: Connection, row: Mapping[str, Any]) -> None:
    """Add a row to `delivery`; a second success of a target and a run adds none."""
    connection.execute(insert(tables.delivery).values(row).on_conflict_do_nothing())


def read_newest_deliveries(connection: Connection) -> dict[str, Row[Any]]:
    """Return the newest attempt of each target by name, with the columns of the table `delivery`."""
    delivery = tables.delivery
    rows = connection.execute(
        select(delivery).distinct(delivery.c.target).order_by(delivery.c.target, delivery.c.delivery_id.desc())
    )
    return {row.target: row for row in rows}
