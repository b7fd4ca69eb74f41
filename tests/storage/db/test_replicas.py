"""Read replicas, servers without a free connection, and failures to connect that are told apart."""

from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest
from click.testing import CliRunner
from sqlalchemy import URL

import forecasting
from forecasting.cli import milkrun as command_line
from forecasting.domain.errors import EnvironmentFailure, PassingFailure
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC
from forecasting.domain.settings import Settings
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import open_file
from forecasting.intake.loads import load_observations
from forecasting.runs import job
from forecasting.storage.db.database import open_database
from forecasting.storage.db.programs import binaries
from forecasting.storage.db.schema import open_migrated_database
from tests.storage.db.servers import running_server

MILK = Path(forecasting.__file__).parent / "examples" / "milk.csv"


@pytest.mark.slow
def test_a_read_replica_plans_and_says_that_it_does_not_run(tmp_path: Path) -> None:
    """A plan reads; a run writes, and its message names the remedy."""
    with running_server(binaries()) as primary:
        with open_migrated_database(settings_of(tmp_path, primary)) as database:
            source = open_file(MILK, ColumnRoles())
            load_observations(database, source, source="milk.csv", today=Month.of(2000, 1))
        with running_server(binaries(), copy_of=primary) as replica:
            settings = settings_of(tmp_path, replica)
            with open_migrated_database(settings) as database:
                parameters = job.run_parameters(settings, recipe="classic")

                assert job.plan_run(database, parameters).names == ("milk",)
                with pytest.raises(EnvironmentFailure, match="name the primary"):
                    job.open_run(database, parameters)


@pytest.mark.slow
def test_commands_that_read_work_on_a_read_replica(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They show what the primary has published; a load names the remedy."""
    monkeypatch.chdir(tmp_path)
    with running_server(binaries()) as primary:
        with open_migrated_database(settings_of(tmp_path, primary)) as database:
            load_observations(database, open_file(MILK, ColumnRoles()), source="milk.csv", today=Month.of(2000, 1))
            recipe = replace(CLASSIC, name="quick", epochs=2)
            run = job.open_run(database, job.RunParameters(recipe=recipe, policy=Policy()))
            job.run_shard(database, run, 0)
            job.publish_run(database, run)
        with running_server(binaries(), copy_of=primary) as replica:
            monkeypatch.setenv("DATABASE_URL", replica.render_as_string())
            monkeypatch.setenv("MILKRUN_HOME", str(tmp_path))

            def milkrun(*arguments: str) -> BaseException | None:
                return CliRunner().invoke(command_line, arguments, standalone_mode=False).exception

            for reading in (
                "status",
                "show milk",
                "history milk",
                "explain milk",
                "plot milk",
                "report",
                "verify",
                "plan",
            ):
                assert milkrun(*reading.split()) is None, reading
            assert milkrun("sql", "SELECT count(*) FROM latest_forecast") is None
            assert "name the primary" in str(milkrun("load", str(MILK)))


def test_a_server_without_a_free_connection_is_told_from_a_wrong_password(tmp_path: Path) -> None:
    """Each failure to connect has its own reason and remedy, and the address is the one that was tried."""
    with running_server(binaries(), "max_connections=3", "superuser_reserved_connections=0") as url:
        place = f"{url.query['host']}:5432"
        with pytest.raises(PassingFailure, match=f"{place}/absent does not exist on its server"):
            open_and_close(tmp_path, url.set(database="absent"))
        with pytest.raises(PassingFailure, match="does not know the user"):
            open_and_close(tmp_path, url.set(username="absent"))
        with pytest.raises(PassingFailure, match=r":5499/postgres cannot be reached"):
            open_and_close(tmp_path, url.update_query_dict({"port": "5499"}))
        connections = [psycopg2.connect(url.render_as_string()) for _ in range(3)]
        with pytest.raises(PassingFailure, match="has no free connection"):
            open_and_close(tmp_path, url)
        for connection in connections:
            connection.close()


@pytest.mark.slow
def test_a_run_needs_few_connections(tmp_path: Path) -> None:
    """Load, run and query work on a server that allows four."""
    with running_server(binaries(), "max_connections=4", "superuser_reserved_connections=0") as url:
        settings = settings_of(tmp_path, url)
        with open_migrated_database(settings) as database:
            source = open_file(MILK, ColumnRoles())
            load_observations(database, source, source="milk.csv", today=Month.of(2000, 1))
            run = job.open_run(database, job.run_parameters(settings, recipe="classic"))
            job.run_shard(database, run, 0)
            job.publish_run(database, run)


def settings_of(folder: Path, url: URL) -> Settings:
    """Return the settings of a database on a server."""
    return Settings(folder, url.render_as_string())


def open_and_close(folder: Path, url: URL) -> None:
    """Open a database and close it again."""
    with open_database(settings_of(folder, url)):
        pass
