"""Tests of runs that are killed: the next one goes on where they ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from sqlalchemy import text

from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC
from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult
from forecasting.runs import job
from forecasting.storage.db.database import Database

_RUN = """
from forecasting.runs import job
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC
from forecasting.domain.settings import Settings
from forecasting.storage.db.database import open_database

with open_database(Settings.from_environment()) as database:
    run = job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy(), shard_size=1))
    for number in run.request.shard_numbers:
        print(number, job.run_shard(database, run, number), flush=True)
    job.publish_run(database, run)
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_at_its_first_unfinished_shard(
    database: Database, settings: Settings, arrive: Callable[..., LoadResult], milk: list[float]
) -> None:
    """Killed with -9 after its second shard of twenty, a run is completed by the next; the numbers are those of one run."""
    arrive("1962-01", **{f"series {number:02d}": [value + number for value in milk] for number in range(20)})
    environment = {**os.environ, "DATABASE_URL": str(settings.database_url), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", _RUN]
    victim = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert victim.stdout is not None
    assert [victim.stdout.readline() for _ in range(2)] == ["0 True\n", "1 True\n"]
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    victim.stdout.close()
    time.sleep(0.5)  # the server notices the closed connection
    with database.reading() as connection:
        done = connection.scalar(text("SELECT count(*) FROM milkrun.run_shard"))
        assert connection.scalar(text("SELECT state FROM milkrun.run")) == "open"
        assert connection.scalar(text("SELECT count(*) FROM milkrun.forecast_history")) == 0
    assert 2 <= done < 20

    survivor = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    lines = survivor.stdout.splitlines()
    assert lines == [f"{number} {number >= done}" for number in range(20)]
    undisturbed = job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy(retrain="always")))
    assert job.run_shard(database, undisturbed, 0)
    job.publish_run(database, undisturbed)
    with database.reading() as connection:
        for table, columns in (("forecast", "series_id, horizon, value"), ("rmse_history", "series_id, split, rmse")):
            rows = [
                connection.execute(
                    text(f"SELECT {columns} FROM milkrun.{table} WHERE run_id = {run} ORDER BY 1, 2")
                ).all()
                for run in (1, undisturbed.run_id)
            ]
            assert rows[0] == rows[1] != []
