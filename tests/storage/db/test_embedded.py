"""Tests of the embedded PostgreSQL: real servers, started and stopped."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from forecasting.domain.errors import EnvironmentFailure, InputError
from forecasting.domain.settings import Settings
from forecasting.storage.db import embedded
from forecasting.storage.db.cluster_folder import find_cluster_folder, make_private_folder
from forecasting.storage.db.database import open_database
from forecasting.storage.db.dumps import back_up
from forecasting.storage.db.programs import _binaries_for, server_account
from tests.faults import containers

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root acts as another user")


@pytest.fixture
def home() -> Iterator[Path]:
    """Give a data folder that the server's account can reach."""
    with tempfile.TemporaryDirectory(prefix="milkrun-home-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def server_runs(home: Path) -> bool:
    """Say whether the server of a data folder runs."""
    return (home / "database" / "data" / "postmaster.pid").exists()


def write_answer(home: Path) -> None:
    """Make a table with one number in the database of a data folder."""
    with open_database(Settings(home)) as database, database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept AS SELECT 42 AS answer"))


def read_answer(home: Path) -> int | None:
    """Return the number from the database of a data folder."""
    with open_database(Settings(home)) as database, database.reading() as connection:
        answer: int | None = connection.scalar(text("SELECT answer FROM kept"))
        return answer


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


@pytest.mark.parametrize("name", ["x" * 120, "a,b", "it's", 'a"b', "$HOME and `id`", "two words; id"])
def test_any_path_gets_a_socket_and_a_cluster(home: Path, name: str) -> None:
    """Sockets have short names by law of the system, and addresses, shells and settings have characters of their own."""
    write_answer(home / name)

    assert read_answer(home / name) == 42
    assert [each.name for each in home.iterdir()] == [name]


@only_root
def test_another_user_who_reaches_the_socket_is_refused(home: Path) -> None:
    """The server asks the system who connects: only the user who started it logs in, under any name."""
    with embedded.running_server(home) as url:
        sockets = str(url.query["host"])
        Path(sockets).chmod(0o777)
        command = [str(_binaries_for(server_account()) / "psql"), "-h", sockets, "-U", "postgres", "-d", "postgres"]
        other = subprocess.run(command, capture_output=True, text=True, check=False, user=65534, group=65534, cwd="/")

    assert "Peer authentication failed" in other.stderr


@only_root
@pytest.mark.parametrize("kind", ["folder", "link"])
def test_a_folder_that_another_user_prepared_is_refused(home: Path, kind: str) -> None:
    """Neither a folder of another user's nor a link to one is used, and its owner stays as it was."""
    target, path = home / "target", home / "path"
    target.mkdir()
    os.chown(target, 12345, 12345)
    if kind == "link":
        path.symlink_to(target)
        os.chown(path, 12345, 12345, follow_symlinks=False)
    with pytest.raises(EnvironmentFailure, match="is not a folder of yours"):
        make_private_folder(target if kind == "folder" else path, owner=(65534, 65534))

    assert target.stat().st_uid == 12345


def test_locks_can_be_held_by_nobody_else(home: Path) -> None:
    """Lock files are private, also those that an earlier release made for everyone."""
    with open_database(Settings(home)):
        pass
    (home / "database" / "users.lock").chmod(0o666)
    with open_database(Settings(home)):
        pass

    locks = list((home / "database").glob("*.lock"))
    assert len(locks) == 3
    assert {lock.stat().st_mode & 0o777 for lock in locks} == {0o600}


def test_who_waits_for_a_start_says_for_whom(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A process that is stopped while it starts the database is named, and the wait ends."""
    folder = find_cluster_folder(home)
    monkeypatch.setattr(embedded, "_NOTICE_SECONDS", 0.1)
    monkeypatch.setattr(embedded, "_START_SECONDS", 0.3)
    with (folder / "start.lock").open("w") as lock:
        lock.write("process 4711 on tower (milkrun load)")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(
            EnvironmentFailure, match=rf"^process 4711 on tower \(milkrun load\) has held {folder}/start.lock"
        ):
            embedded.ensure_running(home)

    assert "Waiting for process 4711 on tower (milkrun load)" in caplog.text


def test_a_remainder_that_names_a_strange_process_is_removed(home: Path) -> None:
    """After a loss of power another process of the same account may have the number of the server that was."""
    write_answer(home)
    account = server_account()
    with subprocess.Popen(["/bin/sleep", "60"], user=account.pw_uid if account else None) as stranger:
        data = home / "database" / "data"
        for file in (data / "postmaster.pid", home / "database" / "socket" / ".s.PGSQL.5432.lock"):
            file.write_text(f"{stranger.pid}\n{data}\n")
        assert read_answer(home) == 42
        assert stranger.poll() is None
        stranger.terminate()


def test_a_server_that_was_killed_under_its_user_starts_again(home: Path) -> None:
    """The transaction after the kill is repeated on a new server; what was committed before is there."""
    with open_database(Settings(home)) as database:
        database.write(lambda connection: connection.execute(text("CREATE TABLE kept AS SELECT 42 AS answer")))
        os.kill(int((home / "database" / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        database.engine.dispose()  # the process of an open connection may live a moment longer

        assert database.write(lambda connection: connection.scalar(text("SELECT answer FROM kept"))) == 42
    assert not server_runs(home)


@pytest.mark.skipif(bool(containers.why_not()), reason=containers.why_not())
def test_two_containers_share_one_server(home: Path) -> None:
    """Neither sees the other's processes, network or name: the second uses the server of the first, which stops at the end."""
    with containers.running(home, "sql", "SELECT pg_sleep(8)") as first:
        containers.wait_for_the_server(home)
        second = containers.run(home, "load", str(containers.MILK))
        assert first.poll() is None
    assert second.returncode == 0, second.stderr
    assert first.returncode == 0
    assert not server_runs(home)
    assert containers.count_observations(home) == 168


@pytest.mark.skipif(bool(containers.why_not()), reason=containers.why_not())
def test_the_end_of_a_container_takes_nothing_from_the_other(home: Path) -> None:
    """The server ends with the container that started it; the other starts one, and its load is there once."""
    with containers.running(home, "sql", "SELECT pg_sleep(60)") as first:
        containers.wait_for_the_server(home)
        killer = threading.Timer(0.3, first.kill)
        killer.start()
        second = containers.run(home, "load", str(containers.MILK))
        killer.join()

    assert second.returncode in (0, 3), second.stderr
    assert containers.run(home, "load", str(containers.MILK)).returncode == 0
    assert containers.count_observations(home) == 168


def test_folders_on_the_way_are_never_opened_to_others(home: Path) -> None:
    """A private parent folder stays private; the database works, as root elsewhere, as a user right there."""
    private = home / "private"
    private.mkdir(mode=0o700)
    with open_database(Settings(private / "milkrun")) as database, database.reading() as connection:
        assert connection.scalar(text("SELECT 1")) == 1

    assert private.stat().st_mode & 0o777 == 0o700


def test_data_stay_where_they_are_when_rights_change(home: Path) -> None:
    """Under a private parent root's data lie elsewhere; they are there after a chmod, and after a move of the data folder."""
    parent = home / "parent"
    parent.mkdir(mode=0o700)
    write_answer(parent / "milkrun")
    parent.chmod(0o777)
    assert read_answer(parent / "milkrun") == 42

    (parent / "milkrun").rename(parent / "moved")
    assert read_answer(parent / "moved") == 42


@only_root
def test_a_copy_of_a_data_folder_does_not_share_the_data_of_the_first(home: Path) -> None:
    """The copy is refused as long as the first is there; both stay as they are."""
    parent = home / "parent"
    parent.mkdir(mode=0o700)
    write_answer(parent / "milkrun")
    shutil.copytree(parent / "milkrun", parent / "copy")

    with pytest.raises(InputError, match=r"copy is a copy of .*milkrun, whose data lie in"):
        read_answer(parent / "copy")
    assert read_answer(parent / "milkrun") == 42


@only_root
def test_data_that_the_account_of_the_server_cannot_reach_are_not_replaced(home: Path) -> None:
    """Data in an open folder that is closed later are refused with the remedy; no second, empty database is made."""
    parent = home / "parent"
    parent.mkdir(mode=0o755)
    write_answer(parent / "milkrun")
    parent.chmod(0o700)

    with pytest.raises(EnvironmentFailure, match=rf"cannot enter {parent}, .* \(chmod o\+x"):
        read_answer(parent / "milkrun")


def test_a_cluster_of_another_version_is_refused_with_the_remedy(home: Path) -> None:
    """Data of another PostgreSQL are left alone."""
    with open_database(Settings(home)):
        pass
    (home / "database" / "data" / "PG_VERSION").write_text("15\n")

    refusal = pytest.raises(EnvironmentFailure, match="is of PostgreSQL 15, this release brings 18")
    with refusal, open_database(Settings(home)):
        pass


def test_variables_for_other_servers_do_not_lead_astray(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Variables of libpq, which are set for another server, change neither the way to the embedded one nor any text."""
    write_answer(home)
    monkeypatch.setattr(embedded, "_START_SECONDS", 3)
    for name, value in (
        ("PGPORT", "5433"),
        ("PGHOST", "db.example.com"),
        ("PGHOSTADDR", "127.0.0.1"),
        ("PGOPTIONS", "-c default_transaction_read_only=on -c extra_float_digits=-14"),
        ("PGREQUIREPEER", "somebody"),
        ("PGREQUIREAUTH", "md5"),
        ("PGCHANNELBINDING", "require"),
        ("PGGSSENCMODE", "require"),
        ("PGSSLMODE", "verify-full"),
        ("PGTARGETSESSIONATTRS", "standby"),
        ("PGCLIENTENCODING", "LATIN1"),
    ):
        monkeypatch.setenv(name, value)

    with open_database(Settings(home)) as database:
        database.write(lambda connection: connection.execute(text("CREATE SCHEMA milkrun")))
        back_up(database, tmp_path / "backup")
        with database.reading() as connection:
            assert connection.scalar(text("SELECT answer FROM kept")) == 42
            assert connection.scalar(text("SHOW client_encoding")) == "UTF8"
            assert connection.scalar(text("SELECT (1::float8 / 3)::text")) == "0.3333333333333333"

    monkeypatch.setenv("PGSERVICE", "nowhere")
    with pytest.raises(EnvironmentFailure, match="PGSERVICE"), open_database(Settings(home)):
        pass


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cluster": "/tmp"}'])
def test_a_damaged_record_of_the_place_of_the_data_is_named(home: Path, content: str) -> None:
    """A record that a full disk cut off is no traceback, and no new empty cluster takes the place of the data."""
    (home / "database").mkdir(mode=0o700)
    (home / "database" / "location.json").write_text(content)

    with pytest.raises(EnvironmentFailure, match="is damaged"):
        find_cluster_folder(home)


def test_a_line_break_in_the_name_of_a_data_folder_is_refused(home: Path) -> None:
    """The server writes its folder into a file of lines, and its start would never be noticed."""
    with pytest.raises(InputError, match="line break"):
        find_cluster_folder(home / "a\nb")
