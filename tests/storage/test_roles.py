"""Tests of deploy/roles.sql: what owner, writer and reader may do, on a real server."""

import contextlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError

from forecasting.domain.months import Month
from forecasting.domain.settings import Settings
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import open_file
from forecasting.intake.loads import load_observations
from forecasting.runs import job
from forecasting.storage.db.database import Database, open_database
from forecasting.storage.db.dumps import program
from forecasting.storage.db.schema import ensure_migrated

pytestmark = pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="needs a server that trusts its roles")


def apply_roles(url: URL) -> None:
    """Run the script as an administrator would."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    command = [program("psql"), "--dbname", address, "--quiet", "--file", "deploy/roles.sql"]
    subprocess.run(command, check=True, capture_output=True)


def as_role(url: URL, role: str, tmp_path: Path) -> Settings:
    """Give the settings of an installation that logs in as a role."""
    return Settings(home=tmp_path, database_url=url.set(username=role).render_as_string(hide_password=False))


def refused(database: Database, statement: str) -> bool:
    """Return whether a statement is refused for want of a right, or because the session only reads."""
    try:
        with database.engine.begin() as connection:
            connection.execute(text(statement))
    except DBAPIError as failure:
        return getattr(failure.orig, "pgcode", None) in ("42501", "25006")
    return False


def test_the_writer_forecasts_but_cannot_change_history(
    empty_database_url: URL, tmp_path: Path, milk: list[float]
) -> None:
    """From an empty database: the owner migrates, the writer loads and publishes, and may neither update nor delete."""
    apply_roles(empty_database_url)
    with open_database(as_role(empty_database_url, "milkrun_owner", tmp_path)) as database:
        ensure_migrated(database)
    apply_roles(empty_database_url)
    settings = as_role(empty_database_url, "milkrun_writer", tmp_path)
    with open_database(settings) as database:
        ensure_migrated(database)
        source = open_file(Path("forecasting/examples/milk.csv"), ColumnRoles(form="wide"))
        load_observations(database, source, source=source.name, today=Month.of(2200, 1))
        run = job.open_run(database, job.run_parameters(settings, recipe="classic"))
        job.run_shard(database, run, 0)

        summary = job.publish_run(database, run)

        assert summary.published_now
        for statement in (
            "UPDATE milkrun.forecast SET value = 0",
            "DELETE FROM milkrun.observation",
            "TRUNCATE milkrun.rmse_history CASCADE",
            "UPDATE milkrun.run SET origin = '1970-01-01'",
            "UPDATE milkrun.run SET state = 'open', published_at = NULL",
            "UPDATE milkrun.run SET published_at = published_at - interval '1 year'",
            "UPDATE milkrun.bundle SET payload = ''",
            "UPDATE milkrun.bundle SET manifest = '{}'",
            "DELETE FROM milkrun.bundle",
            "DROP VIEW milkrun.latest_forecast",
            "CREATE TABLE milkrun.mine (x int)",
            "UPDATE milkrun.alembic_version SET version_num = '0000'",
        ):
            assert refused(database, statement), statement


def test_the_writer_cannot_act_as_the_owner_through_a_trigger_function(
    database: Database, database_url: URL, arrive: Callable[..., object]
) -> None:
    """A trigger function runs as the owner: the writer may not use it for a trigger on a temporary table of its own."""
    arrive("1974-01", milk=[1.0] * 13)
    apply_roles(database_url)
    with database.reading() as connection:
        functions = connection.scalars(
            text(
                "SELECT oid::regprocedure::text FROM pg_proc "
                "WHERE pronamespace = 'milkrun'::regnamespace AND prorettype = 'trigger'::regtype"
            )
        ).all()
    writer = sqlalchemy.create_engine(database_url.set(username="milkrun_writer"), poolclass=sqlalchemy.NullPool)
    assert len(functions) >= 8
    for function in functions:
        with writer.connect() as connection:
            for preparation in (
                "CREATE FUNCTION pg_temp.act() RETURNS bigint LANGUAGE sql AS 'DELETE FROM milkrun.observation; SELECT 1'",
                "CREATE TEMP VIEW written AS SELECT pg_temp.act() AS run_id, 1 AS series_id, 1 AS actuals_as_of",
                "GRANT SELECT ON written TO PUBLIC",
                "CREATE TEMP TABLE mine (x int)",
            ):
                connection.execute(text(preparation))
            with pytest.raises(DBAPIError, match="permission denied for function"):
                connection.execute(
                    text(f"CREATE TRIGGER mine AFTER INSERT ON mine FOR EACH STATEMENT EXECUTE FUNCTION {function}")
                )


def test_the_reader_sees_views_only(
    database: Database, database_url: URL, settings: Settings, arrive: Callable[..., object], tmp_path: Path
) -> None:
    """Every view and forecast_as_of can be read; tables cannot, and nothing can be written."""
    arrive("1974-01", milk=[1.0] * 13)
    run = job.open_run(database, job.run_parameters(settings, recipe="classic"))
    job.run_shard(database, run, 0)
    job.publish_run(database, run)
    apply_roles(database_url)
    with open_database(as_role(database_url, "milkrun_reader", tmp_path)) as reading:
        with reading.reading() as connection:
            names = connection.scalars(
                text("SELECT relname FROM pg_class WHERE relnamespace = 'milkrun'::regnamespace AND relkind = 'v'")
            ).all()
            for name in names:
                connection.execute(text(f"SELECT * FROM milkrun.{name}")).all()
            rows = connection.execute(text("SELECT * FROM milkrun.forecast_as_of(now())")).all()

        assert len(names) >= 11
        assert len(rows) == 12
        for statement in ("SELECT * FROM milkrun.forecast", "CREATE TEMP TABLE x (y int)", "SELECT 1 INTO milkrun.x"):
            assert refused(reading, statement), statement


def test_readers_leave_connections_for_others(database_url: URL) -> None:
    """Twenty sessions of readers are open; one more is refused, a writer comes in, and no reader may lift the limit."""
    apply_roles(database_url)
    reader, writer = (
        sqlalchemy.create_engine(database_url.set(username=f"milkrun_{role}"), poolclass=sqlalchemy.NullPool)
        for role in ("reader", "writer")
    )
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(reader.connect()) for _ in range(20)]
        with pytest.raises(DBAPIError, match="too many connections for role"):
            reader.connect()
        assert stack.enter_context(writer.connect()).scalar(text("SELECT 1")) == 1
        for statement in ("ALTER ROLE milkrun_reader CONNECTION LIMIT -1", "SET temp_file_limit = -1"):
            sessions[-1].execute(text("SET TRANSACTION READ WRITE"))
            with pytest.raises(DBAPIError, match="permission denied"):
                sessions.pop().execute(text(statement))


def test_queries_of_the_documents_work_as_reader_in_psql(database_url: URL) -> None:
    """A reader names views without their schema, and its sessions end what takes too long."""
    apply_roles(database_url)
    query = "SELECT count(*) FROM latest_forecast; SHOW statement_timeout; SHOW transaction_read_only"
    address = database_url.set(drivername="postgresql", username="milkrun_reader")
    command = [program("psql"), "--dbname", address.render_as_string(hide_password=False), "-At", "--command", query]

    answer = subprocess.run(command, check=True, capture_output=True, text=True)

    assert answer.stdout.split() == ["0", "1min", "on"]
