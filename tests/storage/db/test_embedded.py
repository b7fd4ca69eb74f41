"""Tests of the embedded PostgreSQL: real servers, started and stopped."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from forecasting.domain.errors import EnvironmentFailure
from forecasting.domain.settings import Settings
from forecasting.storage.db.database import open_database


@pytest.fixture
def home() -> Iterator[Path]:
    """Give a data folder that the server's account can reach."""
    with tempfile.TemporaryDirectory(prefix="milkrun-home-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def server_runs(home: Path) -> bool:
    """Say whether the server of a data folder runs."""
    return (home / "database" / "data" / "postmaster.pid").exists()


def test_data_outlive_the_server_which_its_last_user_stops(home: Path) -> None:
    """Two users share one server; it stops when both are gone, and the next one finds the data."""
    settings = Settings(home)
    with open_database(settings) as first:
        with open_database(settings) as second, second.engine.begin() as connection:
            connection.execute(text("CREATE TABLE kept AS SELECT 42 AS answer"))
        assert server_runs(home)
        with first.reading() as reading:
            assert reading.scalar(text("SELECT answer FROM kept")) == 42
    assert not server_runs(home)

    with open_database(settings) as third, third.reading() as reading:
        assert reading.scalar(text("SELECT answer FROM kept")) == 42


def test_a_killed_user_blocks_nobody(home: Path) -> None:
    """After kill -9 of its only user the server is found running, used and stopped by the next one."""
    program = (
        "import sys, time; from pathlib import Path; from forecasting.domain.settings import Settings; "
        "from forecasting.storage.db.database import open_database\n"
        "with open_database(Settings(Path(sys.argv[1]))): print('open', flush=True); time.sleep(60)"
    )
    user = subprocess.Popen([sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, text=True)
    assert user.stdout is not None
    assert user.stdout.readline() == "open\n"
    os.kill(user.pid, signal.SIGKILL)
    user.wait()
    user.stdout.close()
    assert server_runs(home)

    with open_database(Settings(home)) as database, database.reading() as connection:
        assert connection.scalar(text("SELECT 1")) == 1

    assert not server_runs(home)


def test_only_its_own_account_reaches_it(home: Path) -> None:
    """No TCP port is open, and the folders of data and socket are private."""
    with open_database(Settings(home)) as database, database.reading() as connection:
        assert connection.scalar(text("SHOW listen_addresses")) == ""
        for folder in ("data", "socket"):
            assert (home / "database" / folder).stat().st_mode & 0o077 == 0


def test_a_long_path_still_gets_a_socket(home: Path) -> None:
    """Sockets have short names by law of the system; long homes work all the same."""
    deep = home / ("x" * 120)
    with open_database(Settings(deep)) as database, database.reading() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_folders_on_the_way_are_never_opened_to_others(home: Path) -> None:
    """A private parent folder stays private; the database works, as root elsewhere, as a user right there."""
    private = home / "private"
    private.mkdir(mode=0o700)
    with open_database(Settings(private / "milkrun")) as database, database.reading() as connection:
        assert connection.scalar(text("SELECT 1")) == 1

    assert private.stat().st_mode & 0o777 == 0o700


def test_a_cluster_of_another_version_is_refused_with_the_remedy(home: Path) -> None:
    """Data of another PostgreSQL are left alone."""
    with open_database(Settings(home)):
        pass
    (home / "database" / "data" / "PG_VERSION").write_text("15\n")

    refusal = pytest.raises(EnvironmentFailure, match="is of PostgreSQL 15, this release brings 18")
    with refusal, open_database(Settings(home)):
        pass
