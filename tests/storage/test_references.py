"""Tests of the references that triggers check a statement at a time, as foreign keys would."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

from forecasting.domain.errors import StatementRefused
from forecasting.storage.db import tables
from forecasting.storage.db.copy import copy_in_binary
from forecasting.storage.db.database import Database

RUN = """
    INSERT INTO milkrun.recipe (recipe_hash, name, settings) VALUES ('r', 'r', '{}');
    INSERT INTO milkrun.run (kind, origin, as_of, vintages, recipe_hash, policy, scope, series_ids, shard_size,
                             code_version, trigger)
    VALUES ('live', '1974-12-01', 1, 'as_of', 'r', '{}', 'all', '{1}', 1000, '0', 'test');
    INSERT INTO milkrun.run_series (run_id, series_id, outcome, reason) VALUES (1, 1, 'held', 'late');
"""
FORECAST = "INSERT INTO milkrun.forecast (run_id, series_id, horizon, month, value) VALUES (1, {}, 1, '1975-01-01', 1)"
SCORE = """INSERT INTO milkrun.rmse_history (run_id, series_id, split, horizon, n, rmse, actuals_as_of)
           VALUES (1, {}, 'live', 1, 1, 1, {})"""


@pytest.fixture
def outcome(database: Database, arrive: Callable[..., object]) -> None:
    """Store load 1, series 1 and 2, and run 1 with an outcome for series 1 alone."""
    arrive("1974-01", milk=[1.0], other=[2.0])
    execute(database, RUN)


def execute(database: Database, *statements: str) -> None:
    """Run statements in one transaction."""

    def transaction(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement))

    database.write(transaction)


@pytest.mark.usefixtures("outcome")
@pytest.mark.parametrize(
    ("orphan", "constraint"),
    [
        (FORECAST.format(2), "forecast_run_id_series_id_fkey"),
        (SCORE.format(2, 1), "rmse_history_run_id_series_id_fkey"),
        (SCORE.format(1, 2).replace("live", "test"), "rmse_history_actuals_as_of_fkey"),
        ("UPDATE milkrun.forecast SET series_id = 2", "forecast_run_id_series_id_fkey"),
        ("UPDATE milkrun.rmse_history SET actuals_as_of = 2", "rmse_history_actuals_as_of_fkey"),
    ],
)
def test_a_row_that_refers_to_nothing_is_refused(database: Database, orphan: str, constraint: str) -> None:
    """A forecast or a score without outcome or load, inserted or changed into one, takes its statement with it."""
    execute(database, FORECAST.format(1), SCORE.format(1, 1))

    with pytest.raises(StatementRefused, match=constraint):
        execute(database, orphan)


@pytest.mark.usefixtures("outcome")
def test_one_orphan_among_copied_rows_refuses_them_all(database: Database) -> None:
    """COPY is checked as INSERT is, whatever else it brings."""
    rows = {"series_id": [1] * 500 + [2], "horizon": [*range(1, 501), 1], "run_id": [1] * 501, "value": [1.0] * 501}

    with pytest.raises(StatementRefused, match="forecast_run_id_series_id_fkey"):
        database.write(
            lambda connection: copy_in_binary(connection, tables.forecast, {**rows, "month": ["1975-01-01"] * 501})
        )

    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM milkrun.forecast")) == 0


@pytest.mark.usefixtures("outcome")
@pytest.mark.parametrize(
    ("loss", "constraint"),
    [
        ("DELETE FROM milkrun.run_series", "forecast_run_id_series_id_fkey"),
        ("UPDATE milkrun.run_series SET series_id = 2", "forecast_run_id_series_id_fkey"),
        ("TRUNCATE milkrun.run_series", "forecast_run_id_series_id_fkey"),
        ("DELETE FROM milkrun.forecast; DELETE FROM milkrun.run_series", "rmse_history_run_id_series_id_fkey"),
    ],
)
def test_what_is_referred_to_cannot_be_taken_away(database: Database, loss: str, constraint: str) -> None:
    """An outcome stays while a forecast or a score needs it."""
    execute(database, FORECAST.format(1), SCORE.format(1, 1))

    with pytest.raises(StatementRefused, match=constraint):
        execute(database, loss)


@pytest.mark.usefixtures("outcome")
def test_a_run_can_be_removed_from_its_ends(database: Database) -> None:
    """Forecasts and scores first, outcomes then: nothing stands in the way; what is not a key may be corrected before."""
    execute(database, FORECAST.format(1), SCORE.format(1, 1), "UPDATE milkrun.run_series SET reason = 'gap'")

    execute(database, *(f"DELETE FROM milkrun.{table}" for table in ("forecast", "rmse_history", "run_series")))


@pytest.mark.usefixtures("outcome")
def test_a_deletion_waits_for_a_forecast_on_its_way_and_is_refused(database: Database) -> None:
    """An outcome that another transaction has just referred to is locked until that one ends."""
    refusals: list[str] = []

    def delete() -> None:
        try:
            execute(database, "DELETE FROM milkrun.run_series")
        except StatementRefused as refusal:
            refusals.append(str(refusal))

    with database.engine.begin() as connection:
        connection.execute(text(FORECAST.format(1)))
        deletion = threading.Thread(target=delete)
        deletion.start()
        deletion.join(timeout=1)
        assert deletion.is_alive()
    deletion.join()

    assert "forecast_run_id_series_id_fkey" in refusals[0]
