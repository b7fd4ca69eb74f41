"""Tables elsewhere that published runs are delivered to: in any database that SQLAlchemy supports, made where missing."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    DateTime,
    Double,
    Integer,
    MetaData,
    String,
    Table,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.exc import IntegrityError

from forecasting.domain.errors import InputError
from forecasting.storage.db.database import Database
from forecasting.storage.db.other_databases import OtherDatabase
from forecasting.storage.deliveries import (
    FORECAST_COLUMNS,
    RMSE_COLUMNS,
    PublishedRun,
    forecast_batches,
    rmse_batches,
)

_TYPES: dict[str, Any] = {
    "run_id": BigInteger, "series": String(200), "split": String(20), "horizon": Integer, "n": Integer, "month": Date,
    "origin": Date, "run_origin": Date, "unit": String(100), "outcome": String(20), "method": String(40),
    "recipe": String(200), "published_at": DateTime,
}  # fmt: skip
_FORECAST_KEY = ("run_id", "series", "horizon")
_RMSE_KEY = ("run_id", "series", "split", "horizon")


def deliver_to_tables(
    database: Database, run: PublishedRun, other: OtherDatabase, forecast_table: str, rmse_table: str
) -> tuple[int, int]:
    """Write forecasts and RMSE history of a run in one transaction; returns how many rows of each the tables have of it.

    A run that the tables have already is left as it is: their unique keys begin with the run. Raises InputError where another
    Milkrun has written a run of that number, PassingFailure where the database is out of reach.
    """
    tables = (
        _table(forecast_table, FORECAST_COLUMNS, _FORECAST_KEY),
        _table(rmse_table, RMSE_COLUMNS, _RMSE_KEY),
    )
    for table in tables:
        _make_if_missing(other, table)
    try:
        with other.connecting() as connection, connection.begin():
            forecast_rows, rmse_rows = _count_rows(connection, other, tables, run)
            if forecast_rows == 0:
                with forecast_batches(database, run) as batches:
                    forecast_rows = _insert(connection, tables[0], batches)
            if rmse_rows == 0:
                with rmse_batches(database, run) as batches:
                    rmse_rows = _insert(connection, tables[1], batches)
            return forecast_rows, rmse_rows
    except _AlreadyThere:
        # Another process delivers the same run at the same moment: the unique key let one of the two through.
        with other.connecting() as connection:
            return _count_rows(connection, other, tables, run)


class _AlreadyThere(Exception):
    """A row of the run is in the table."""


def _table(name: str, columns: Sequence[str], key: Sequence[str]) -> Table:
    schema, _, table = name.rpartition(".")
    return Table(
        table,
        MetaData(),
        *(
            Column(
                column,
                _TYPES.get(column, Double),
                primary_key=column in key,
                nullable=column not in key,
                autoincrement=False,
            )
            for column in columns
        ),
        schema=schema or None,
    )


def _make_if_missing(other: OtherDatabase, table: Table) -> None:
    """Make a table, in a transaction of its own; raises InputError where there is one of another shape."""
    try:
        with other.connecting() as connection, connection.begin():
            table.create(connection, checkfirst=True)
    except InputError:
        # Another process may have made it at the same moment. Its shape is looked at below.
        with other.connecting() as connection:
            if not inspect(connection).has_table(table.name, schema=table.schema):
                raise
    with other.connecting() as connection:
        inspector = inspect(connection)
        present = {column["name"] for column in inspector.get_columns(table.name, table.schema)}
        key = set(inspector.get_pk_constraint(table.name, table.schema)["constrained_columns"])
    missing = [column.name for column in table.columns if column.name not in present]
    if missing or key != {column.name for column in table.primary_key}:
        problem = f"lacks the columns {', '.join(missing)}" if missing else "has another primary key than Milkrun's"
        raise InputError(
            f"{other.name}: the table {table.fullname} {problem}. Name a table that is not there yet: Milkrun makes it."
        )


def _count_rows(
    connection: Connection, other: OtherDatabase, tables: Sequence[Table], run: PublishedRun
) -> tuple[int, int]:
    """Return how many rows of a run each table has. Raises InputError for rows of another Milkrun."""
    counts = []
    for table in tables:
        of_run = table.c.run_id == run.run_id
        count, moment = connection.execute(select(func.count(), func.max(table.c.published_at)).where(of_run)).one()
        if count and moment != run.published_at:
            raise InputError(
                f"{other.name}: the table {table.fullname} has a run {run.run_id} of another Milkrun, published at {moment} UTC: "
                "deliver to a table of your own."
            )
        counts.append(count)
    return counts[0], counts[1]


def _insert(connection: Connection, table: Table, batches: Iterator[Sequence[Any]]) -> int:
    count = 0
    names = [column.name for column in table.columns]
    for batch in batches:
        try:
            connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in batch])
        except IntegrityError:
            raise _AlreadyThere from None
        count += len(batch)
    return count
