"""Tests of backup and restore."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL, text

import forecasting
from forecasting.domain.errors import EnvironmentFailure, InputError
from forecasting.domain.months import Month
from forecasting.domain.settings import Settings
from forecasting.intake import loads
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import open_file
from forecasting.runs import job
from forecasting.storage.db import tables
from forecasting.storage.db.database import Database, open_database
from forecasting.storage.db.dumps import _url_without_password, back_up, restore
from forecasting.storage.db.schema import current_revision, open_migrated_database
from tests.storage.db.servers import find_program_folders, running_server

MILK = Path(forecasting.__file__).parent / "examples" / "milk.csv"
PROGRAM_FOLDERS = find_program_folders()


def contents(database: Database) -> dict[str, str | None]:
    """Digest every table."""
    with database.reading() as connection:
        return {
            name: connection.scalar(text(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t"))
            for name in tables.metadata.tables
        }


def test_a_restored_database_is_the_one_that_was_backed_up(
    database: Database,
    settings: Settings,
    empty_database_url: URL,
    arrive: Callable[..., object],
    milk: list[float],
    tmp_path: Path,
) -> None:
    """Every table has the same rows, a repeated run is still known as published, and nothing is ever overwritten."""
    arrive("1962-01", milk=milk)
    run = job.open_run(database, job.run_parameters(settings, recipe="classic"))
    job.run_shard(database, run, 0)
    job.publish_run(database, run)
    back_up(database, tmp_path / "milkrun.dump")
    elsewhere = Settings(home=tmp_path, database_url=empty_database_url.render_as_string(hide_password=False))

    with open_database(elsewhere) as restored:
        restore(restored, tmp_path / "milkrun.dump")

        assert contents(restored) == contents(database)
        assert current_revision(restored) == current_revision(database)
        assert job.open_run(restored, job.run_parameters(elsewhere, recipe="classic")).state == "published"
        arrived = contents(restored)
        with pytest.raises(InputError, match="has Milkrun's tables already"):
            restore(restored, tmp_path / "milkrun.dump")
        assert contents(restored) == arrived
    with pytest.raises(InputError, match="exists"):
        back_up(database, tmp_path / "milkrun.dump")


@pytest.mark.slow
@pytest.mark.parametrize("origin", PROGRAM_FOLDERS)
@pytest.mark.parametrize("target", PROGRAM_FOLDERS)
def test_a_backup_of_one_version_is_restored_into_another(origin: str, target: str, tmp_path: Path) -> None:
    """Every row arrives, among all versions of PostgreSQL that this machine has, older ones included."""
    with running_server(PROGRAM_FOLDERS[origin]) as origin_url, running_server(PROGRAM_FOLDERS[target]) as target_url:
        with open_migrated_database(Settings(tmp_path, origin_url.render_as_string())) as database:
            loads.load_observations(
                database, open_file(MILK, ColumnRoles()), source="milk.csv", today=Month.of(2000, 1)
            )
            back_up(database, tmp_path / "milkrun.dump")
            stored = contents(database)
        with open_database(Settings(tmp_path, target_url.render_as_string())) as restored:
            restore(restored, tmp_path / "milkrun.dump")

            assert contents(restored) == stored


def test_a_damaged_backup_leaves_nothing(database: Database, empty_database_url: URL, tmp_path: Path) -> None:
    """The statements that could be read are undone, and the command says what is wrong."""
    back_up(database, tmp_path / "whole.dump")
    whole = (tmp_path / "whole.dump").read_bytes()
    elsewhere = Settings(home=tmp_path, database_url=empty_database_url.render_as_string(hide_password=False))

    with open_database(elsewhere) as restored:
        for size in (100, len(whole) // 2, len(whole) - 200):
            (tmp_path / "damaged.dump").write_bytes(whole[:size])
            with pytest.raises(EnvironmentFailure, match="pg_restore failed"):
                restore(restored, tmp_path / "damaged.dump")

            assert current_revision(restored) is None


@pytest.mark.slow
def test_a_restore_that_is_killed_leaves_nothing_and_can_be_repeated(
    database: Database, empty_database_url: URL, tmp_path: Path
) -> None:
    """The process is killed with -9 twenty times, ever later: all of the backup is there, or nothing."""
    back_up(database, tmp_path / "milkrun.dump")
    address = empty_database_url.render_as_string(hide_password=False)
    environment = {**os.environ, "MILKRUN_HOME": str(tmp_path), "DATABASE_URL": address}
    command = [
        sys.executable,
        "-c",
        "from forecasting.cli import main; main()",
        "restore",
        str(tmp_path / "milkrun.dump"),
    ]
    with open_database(Settings(home=tmp_path, database_url=address)) as restored:
        for trial in range(20):
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_for_a_statement(restored, process)
            time.sleep(0.005 * trial)
            process.kill()
            process.wait()
            wait_for_no_statement(restored)

            if current_revision(restored) is not None:
                assert contents(restored) == contents(database)
                restored.write(lambda connection: connection.execute(text("DROP SCHEMA milkrun CASCADE")))
        restore(restored, tmp_path / "milkrun.dump")

        assert contents(restored) == contents(database)


def wait_for_a_statement(database: Database, process: "subprocess.Popen[bytes]") -> None:
    """Wait until psql is connected, or the process has ended."""
    while process.poll() is None and not psql_sessions(database):
        time.sleep(0.002)


def wait_for_no_statement(database: Database) -> None:
    """Wait until the server has ended the session of psql, which sees the end of its input."""
    while psql_sessions(database):
        time.sleep(0.01)


def psql_sessions(database: Database) -> int:
    """Count the sessions of psql in a database."""
    with database.reading() as connection:
        count: int = connection.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'psql' AND datname = current_database()"
            )
        ).scalar_one()
        return count


def test_the_list_of_processes_shows_no_password(database_url: URL) -> None:
    """Neither a password before the host nor one in the query is an argument of pg_dump."""
    secret = "hushed"  # noqa: S105
    url = database_url.set(password=secret).update_query_dict({"password": secret})

    assert secret not in _url_without_password(url)
    assert _url_without_password(url).startswith("postgresql://")


def test_a_backup_is_private_and_follows_no_link(database: Database, tmp_path: Path) -> None:
    """Only its owner reads it; a link that waits at the name of the unfinished file changes nothing elsewhere."""
    (tmp_path / "precious").write_text("as it was")
    (tmp_path / "milkrun.dump.unfinished").symlink_to(tmp_path / "precious")

    back_up(database, tmp_path / "milkrun.dump")

    assert (tmp_path / "precious").read_text() == "as it was"
    assert (tmp_path / "milkrun.dump").lstat().st_mode & 0o170777 == 0o100600


def test_no_password_of_an_address_is_an_argument_of_a_program() -> None:
    """The list of processes shows arguments; that of a key and of OAuth are passwords as well."""
    url = URL.create("postgresql", "m", "hush", "h", 5432, "d", {"password": "hush", "sslpassword": "hush"})

    assert "hush" not in _url_without_password(url.update_query_dict({"oauth_client_secret": "hush"}))
