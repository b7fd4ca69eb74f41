"""PostgreSQL servers of several versions, started for a test in a private folder."""

import contextlib
import importlib.util
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL

from forecasting.storage.db.programs import binaries, run_program, server_account


def find_program_folders() -> dict[str, Path]:
    """Return the programs of each PostgreSQL of this machine: the packaged one, Debian's, and that of the wheel pgserver."""
    folders = {"packaged": binaries()}
    folders |= {path.parent.name: path for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"))}
    wheel = importlib.util.find_spec("pgserver")
    if wheel is not None and wheel.origin is not None:
        folders["pgserver"] = Path(wheel.origin).parent / "pginstall" / "bin"
    return {name: folder for name, folder in folders.items() if (folder / "initdb").exists()}


@contextlib.contextmanager
def running_server(programs: Path, *options: str, copy_of: URL | None = None) -> Iterator[URL]:
    """Start a server that trusts everyone in a private folder, and give its address; copy_of: the primary of a replica."""
    account = server_account()
    with tempfile.TemporaryDirectory(prefix="milkrun-server-") as name:
        folder = Path(name)
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)

        def run(program: str, *arguments: object) -> None:
            if programs == binaries():  # for root a copy that the account can read
                run_program(program, *arguments, folder=folder)
                return
            subprocess.run(
                [str(programs / program), *map(str, arguments)],
                cwd=folder,
                check=True,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

        if copy_of is None:
            run("initdb", "-D", "data", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        else:
            run("pg_basebackup", "-D", "data", "-R", "-h", copy_of.query["host"], "-U", "postgres", "--no-sync")
        settings = " ".join(("-h ''", f"-k {folder}", *(f"-c {option}" for option in options)))
        run("pg_ctl", "start", "-w", "-D", "data", "-l", "data/log", "-o", settings)
        try:
            yield URL.create("postgresql", "postgres", database="postgres", query={"host": str(folder)})
        finally:
            run("pg_ctl", "stop", "-w", "-m", "fast", "-D", "data")
