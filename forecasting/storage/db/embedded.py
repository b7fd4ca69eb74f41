"""The embedded PostgreSQL server of a data folder, started by its first user and stopped by its last.

Users may live in several containers that share the folder: what they agree by are locks of files and the socket, which
reach across the process numbers, networks and names of containers. The server process itself holds the lock of a file for as
long as it lives.
"""

import contextlib
import fcntl
import logging
import os
import pwd
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import psycopg2
from sqlalchemy import URL

from forecasting.domain.errors import EnvironmentFailure
from forecasting.storage.db.cluster_folder import find_cluster_folder, find_socket_folder, make_private_folder
from forecasting.storage.db.programs import run_program, server_account

_VERSION = "18"
_START_SECONDS = 120  # for a start or a stop, recovery after a crash included
_NOTICE_SECONDS = 3
_logger = logging.getLogger(__name__)


@contextlib.contextmanager
def running_server(home: Path) -> Iterator[URL]:
    """Keep the server of `home` running for the length of the context, and give its URL.

    Every user holds a shared lock on a file, which the system releases when a process is killed; the last user stops the
    server. Raises EnvironmentFailure with the remedy when the server cannot be created or started.
    """
    folder = find_cluster_folder(home.expanduser().absolute())
    with _open_lock_file(folder / "users.lock") as users_lock:
        with _start_lock(folder):
            _ensure_running(folder)
            fcntl.flock(users_lock, fcntl.LOCK_SH)
        try:
            yield URL.create("postgresql+psycopg2", "postgres", database="postgres", query=_address(folder))
        finally:
            with _start_lock(folder):
                _stop_if_unused(folder, users_lock)


def ensure_running(home: Path) -> None:
    """Start the server of `home` again where it was killed under its users; raises as running_server does."""
    folder = find_cluster_folder(home.expanduser().absolute())
    with _start_lock(folder):
        _ensure_running(folder)


def _ensure_running(folder: Path) -> None:
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        _make_cluster(folder)
    cluster_version = (data / "PG_VERSION").read_text().strip()
    if cluster_version != _VERSION:
        raise EnvironmentFailure(
            f"The database in {data} is of PostgreSQL {cluster_version}, this release brings {_VERSION}: "
            "dump it with the older release and load it here, or set MILKRUN_HOME to another folder."
        )
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(folder):
        with _open_lock_file(folder / "server.lock") as server_lock:
            if _has_lock(server_lock) and not _is_running_without_lock(data):
                _start(folder, server_lock)
                continue
        if time.monotonic() > deadline:
            raise EnvironmentFailure(
                f"The PostgreSQL that uses {data} does not answer at its socket in {find_socket_folder(folder)}. It may run in "
                "another container or on another machine that shares the folder: end it there, or set MILKRUN_HOME to "
                "another folder."
            )
        time.sleep(0.05)


def _address(folder: Path) -> dict[str, Any]:
    """Return the parameters of a connection; each stands against a variable such as PGPORT, which is meant for other servers."""
    return {
        "host": str(find_socket_folder(folder)),
        "port": "5432",
        "hostaddr": "",
        "options": "",
        "requirepeer": "",
        "channel_binding": "prefer",
        "target_session_attrs": "any",
        "gssencmode": "disable",
        "sslmode": "disable",
        "require_auth": "",
    }


def _answers(folder: Path) -> bool:
    """Return whether the server lets this process log in; a server without a free connection answers as well."""
    try:
        _connect(folder).close()
    except psycopg2.OperationalError as failure:
        if "definition of service" in str(failure):  # the one variable that no parameter replaces
            raise EnvironmentFailure("PGSERVICE names a service that is not defined: unset it.") from None
        return "too many clients" in str(failure) or "remaining connection slots" in str(failure)
    return True


def _connect(folder: Path) -> Any:
    return psycopg2.connect(**_address(folder), user="postgres", dbname="postgres", connect_timeout=10)


def _has_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_running_without_lock(data: Path) -> bool:
    """Return whether a process that was started by hand, and so holds no lock, has these data open."""
    try:
        process_id = int((data / "postmaster.pid").read_text().split()[0])
        return Path(f"/proc/{process_id}/cwd").resolve(strict=True) == data.resolve()
    except (OSError, ValueError, IndexError):
        return False


def _start(folder: Path, server_lock: IO[str]) -> None:
    """Start the server, which inherits the locked file. No process has the data open: the caller has the lock.

    The files of a server that was killed name its process. Another process may have that number today, and PostgreSQL would
    take it for the server.
    """
    sockets = find_socket_folder(folder)
    for remainder in (folder / "data" / "postmaster.pid", sockets / ".s.PGSQL.5432", sockets / ".s.PGSQL.5432.lock"):
        remainder.unlink(missing_ok=True)
    _write_access_rules(folder)
    # pg_ctl gives the options to a shell: relative paths have no character that means something there.
    socket_option = "../socket" if sockets.parent == folder else shlex.quote(str(sockets))
    options = f"-h '' -k {socket_option} -c hba_file=pg_hba.conf -c ident_file=pg_ident.conf"
    arguments = ("start", "-w", "-t", _START_SECONDS, "-D", "data", "-l", "data/log", "-o", options)
    if run_program("pg_ctl", *arguments, folder=folder, check=False, open_files=[server_lock.fileno()]) != 0:
        log = folder / "data" / "log"
        lines = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
        raise EnvironmentFailure("The embedded PostgreSQL did not start. Its log ends with:\n  " + "\n  ".join(lines))


def _write_access_rules(folder: Path) -> None:
    """Let the user of this process log in as any role of the database, and nobody else as anyone."""
    user = pwd.getpwuid(os.geteuid()).pw_name
    for name, line in (("pg_hba.conf", "local all all peer map=milkrun"), ("pg_ident.conf", f'milkrun "{user}" all')):
        unfinished = folder / f"{name}.unfinished"
        unfinished.write_text(line + "\n")
        unfinished.chmod(0o644)  # the account of the server reads it
        unfinished.rename(folder / name)


def _make_cluster(folder: Path) -> None:
    """Create the cluster in a folder beside `data` and rename it, so that `data` is never incomplete after a kill."""
    unfinished = folder / "data.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    account = server_account()
    make_private_folder(unfinished, owner=(account.pw_uid, account.pw_gid) if account else None)
    arguments = ("-D", unfinished.name, "-U", "postgres", "--auth=peer", "--encoding=UTF8", "--locale=C")
    run_program("initdb", *arguments, folder=folder)
    unfinished.rename(folder / "data")
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)  # a new name lasts through a loss of power once its folder is on the disk
    os.close(descriptor)


def _stop_if_unused(folder: Path, users_lock: IO[str]) -> None:
    fcntl.flock(users_lock, fcntl.LOCK_UN)
    if not _has_lock(users_lock):
        return
    try:
        connection = _connect(folder)
    except psycopg2.OperationalError:
        return  # it was killed, or is busy: the next user stops it
    connection.autocommit = True
    with contextlib.closing(connection), contextlib.suppress(psycopg2.Error), connection.cursor() as cursor:
        # The server may live in another container, where its process has another number: it ends itself.
        program = "read process < postmaster.pid; kill -INT $process"
        cursor.execute(f"COPY (SELECT 1 WHERE false) TO PROGRAM '{program}'")
    deadline = time.monotonic() + _START_SECONDS
    with _open_lock_file(folder / "server.lock") as server_lock:
        while not _has_lock(server_lock) and time.monotonic() < deadline:
            time.sleep(0.005)


@contextlib.contextmanager
def _start_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of starts and stops. Who waits for it says for whom, and gives up after a time."""
    with _open_lock_file(folder / "start.lock") as file:
        begin, has_told = time.monotonic(), False
        while not _has_lock(file):
            waited = time.monotonic() - begin
            file.seek(0)
            holder = file.read(300).strip() or "another process"
            if waited > 2 * _START_SECONDS:
                raise EnvironmentFailure(
                    f"{holder} has held {folder / 'start.lock'} for {waited:.0f} s: end it, then repeat the command."
                )
            if waited > _NOTICE_SECONDS and not has_told:
                _logger.warning("Waiting for %s, which starts or stops the database in %s.", holder, folder)
                has_told = True
            time.sleep(0.01)
        file.truncate(0)
        file.write(
            f"process {os.getpid()} on {os.uname().nodename} ({' '.join(Path(each).name for each in sys.argv[:2])})"
        )
        file.flush()
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def _open_lock_file(path: Path) -> IO[str]:
    """Open a file for a lock, which no other user can open: whoever opens it could hold the lock for ever."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "a+")
