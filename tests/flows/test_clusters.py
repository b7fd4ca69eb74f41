"""Tests of runs on a Dask cluster: real worker processes."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from flows.monthly import monthly_forecast
from forecasting.intake.loads import LoadResult
from forecasting.runs.job import RunSummary
from forecasting.storage.db.database import Database

_WITNESS = """
    CREATE TABLE witness (process text);
    CREATE FUNCTION note_process() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO witness VALUES (current_setting('application_name')); RETURN NEW; END $$;
    CREATE TRIGGER note_process AFTER INSERT ON milkrun.run_shard FOR EACH ROW EXECUTE FUNCTION note_process();
"""


def read(database: Database, query: str) -> Sequence[Any]:
    """Read rows."""
    with database.reading() as connection:
        return connection.execute(text(query)).all()


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_two_worker_processes_give_the_bits_of_a_plain_run(
    database: Database, arrive: Callable[..., LoadResult], milk: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shards trained in two other processes end in the same forecasts and scores as shards trained here."""
    monkeypatch.setenv("MILKRUN_SHARD_SIZE", "1")
    arrive("1962-01", **{f"series {number}": [value + number for value in milk] for number in range(6)})
    plain = monthly_forecast()
    with database.engine.begin() as connection:
        connection.execute(text(_WITNESS))
    monkeypatch.setenv("MILKRUN_DASK", "local:2")

    spread = monthly_forecast(retrain="always")

    assert isinstance(plain, RunSummary)
    assert isinstance(spread, RunSummary)
    assert spread.published_now
    assert spread.counts["retrained"] == 6
    assert len(read(database, "SELECT DISTINCT process FROM witness")) == 2
    for table, columns in (("forecast", "series_id, horizon, value"), ("rmse_history", "series_id, split, rmse")):
        rows = [
            read(database, f"SELECT {columns} FROM milkrun.{table} WHERE run_id = {which.run.run_id} ORDER BY 1, 2")
            for which in (plain, spread)
        ]
        assert rows[0] == rows[1] != []
