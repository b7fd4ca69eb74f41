"""Tests of the folder of a Prefect server's state."""

import sqlite3
from pathlib import Path

from flows.server import prepare_state_folder


def test_the_state_of_a_server_is_private_from_the_start(tmp_path: Path) -> None:
    """The database is there before the server opens it; SQLite gives the files beside it the same rights."""
    home = tmp_path / "home"

    assert prepare_state_folder(home) == {"PREFECT_HOME": str(home / "prefect")}

    database = sqlite3.connect(home / "prefect" / "prefect.db")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE state (name TEXT)")
    files = list((home / "prefect").iterdir())
    assert len(files) == 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert (home / "prefect").stat().st_mode & 0o777 == 0o700
    assert home.stat().st_mode & 0o066 == 0
    database.close()


def test_a_state_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    """Files and folders of earlier releases lose the rights of others; what a link leads to keeps its own."""
    storage = tmp_path / "prefect" / "storage"
    storage.mkdir(parents=True)
    (storage / "result").touch(mode=0o666)
    (tmp_path / "elsewhere").touch()
    (tmp_path / "elsewhere").chmod(0o644)
    (storage / "link").symlink_to(tmp_path / "elsewhere")

    prepare_state_folder(tmp_path)

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "prefect", storage, *storage.iterdir())}
    assert modes == {"prefect": 0o700, "storage": 0o700, "result": 0o600, "link": 0o644}
