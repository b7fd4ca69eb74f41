"""Where the data of an embedded PostgreSQL lie: decided once for a data folder, recorded there, and private."""

import contextlib
import hashlib
import json
import os
import stat
import tempfile
import uuid
from pathlib import Path

from forecasting.domain.errors import EnvironmentFailure, InputError
from forecasting.storage.db.programs import SHARED_FOLDER, is_open_to_all, server_account

_SOCKET_PATH_LIMIT = 90  # the system's limit is 104 to 108 bytes, the socket's own name included
_RECORD = "location.json"


def find_cluster_folder(home: Path) -> Path:
    """Return the folder of the cluster, its locks and its settings; create it when it is missing.

    It is `home`/database. PostgreSQL refuses to run as root, and the account that runs it instead cannot enter private folders
    such as /root: then a new cluster gets a folder below /var/lib/milkrun, and a file in `home`/database records the place. The
    rights of `home` and the folders above it are never changed.

    Raises EnvironmentFailure where the folder cannot be made or entered, or the record cannot be read; InputError where `home`
    is a copy of another home whose cluster lies elsewhere, or has a line break in its name.
    """
    if "\n" in str(home):
        raise InputError(
            "The name of the data folder has a line break, which PostgreSQL cannot have: set MILKRUN_HOME to another."
        )
    folder = home / "database"
    account = server_account()
    mode = 0o700 if account is None else 0o711  # the account of the server passes through
    try:
        if not home.exists():
            make_private_folder(home, mode=mode)
        make_private_folder(folder, mode=mode)
        record = folder / _RECORD
        if record.exists():
            return _read_record(record)
        if account is None or is_open_to_all(folder):
            return folder
        if (folder / "data").exists():
            closed = next(each for each in reversed((folder, *folder.parents)) if not each.stat().st_mode & 0o001)
            raise EnvironmentFailure(
                f"The account {account.pw_name}, which runs PostgreSQL for root, cannot enter {closed}, and the data of "
                f"{home} lie there: allow it (chmod o+x {closed}), or move the data folder to an open place."
            )
        cluster = SHARED_FOLDER / "databases" / str(uuid.uuid4())
        make_private_folder(cluster, mode=mode)
        _write_record(record, cluster)
    except OSError as failure:
        raise EnvironmentFailure(
            f"The data folder {folder} cannot be made ({failure.strerror}): set MILKRUN_HOME to a folder you own."
        ) from None
    return cluster


def find_socket_folder(cluster: Path) -> Path:
    """Return a private folder for the server's socket, made where it is missing, with a path that every client can use.

    It lies beside the data. Where that path is above the system's limit, or has a comma, which separates hosts in addresses, it
    is a folder of the user's own in the folder for temporary files. Raises EnvironmentFailure where another user has made it.
    """
    path = cluster / "socket"
    if len(os.fsencode(path)) + len("/.s.PGSQL.5432") > _SOCKET_PATH_LIMIT or "," in str(path):
        name = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]
        parent = SHARED_FOLDER / "sockets" if os.geteuid() == 0 else Path(tempfile.gettempdir())
        path = parent / (name if os.geteuid() == 0 else f"milkrun-{os.geteuid()}-{name}")
    account = server_account()
    make_private_folder(path, owner=(account.pw_uid, account.pw_gid) if account else None)
    return path


def make_private_folder(path: Path, *, mode: int = 0o700, owner: tuple[int, int] | None = None) -> None:
    """Make a folder that nobody else can use, or take the one that is there.

    owner: user and group to whom root gives it. Raises EnvironmentFailure where another user owns `path`, and where it is no
    folder; a link of the user's own to such a folder counts as one, except where root gives it away.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=mode)
        path.chmod(mode)  # whatever the umask is
    status = path.lstat()
    if owner is None and stat.S_ISLNK(status.st_mode) and status.st_uid == os.geteuid() and path.is_dir():
        status = path.stat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {os.geteuid(), *(owner or ())[:1]}:
        raise EnvironmentFailure(
            f"{path} is not a folder of yours, perhaps another user has made it: remove it, or set MILKRUN_HOME and TMPDIR "
            "to folders of your own."
        )
    if owner is not None and status.st_uid != owner[0]:
        os.chown(path, *owner, follow_symlinks=False)
    if status.st_mode & 0o777 & ~mode:
        path.chmod(mode)


def _write_record(record: Path, cluster: Path) -> None:
    status = record.parent.stat()
    content = {"cluster": str(cluster), "folder": str(record.parent), "device": status.st_dev, "inode": status.st_ino}
    unfinished = record.with_suffix(".unfinished")
    with unfinished.open("w") as file:
        file.write(json.dumps(content, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())  # else a loss of power may leave a record without content
    unfinished.rename(record)


def _read_record(record: Path) -> Path:
    """Return the recorded place of the cluster; a home that was moved takes it along, a copy of a home does not."""
    try:
        content = json.loads(record.read_text())
        cluster, first_folder = Path(content["cluster"]), Path(content["folder"])
        first_identity = (content["device"], content["inode"])
    except (ValueError, TypeError, KeyError):
        raise EnvironmentFailure(
            f"{record}, which records where the data of {record.parent.parent} lie, is damaged. They lie in a folder of "
            f"{SHARED_FOLDER / 'databases'}: bring the file back from a backup, or remove it to begin without data."
        ) from None
    if not cluster.is_dir():
        raise EnvironmentFailure(
            f"The data of {record.parent.parent} lie in {cluster}, which is not on this machine: bring it back, or remove "
            f"{record} to begin without data."
        )
    first, here = _identity(first_folder), _identity(record.parent)
    if first not in (None, here) and first == first_identity:
        raise InputError(
            f"{record.parent.parent} is a copy of {first_folder.parent}, whose data lie in {cluster}: use that home, or "
            f"write its data with milkrun backup, remove {record}, and read them with milkrun restore."
        )
    if first_folder != record.parent:
        _write_record(record, cluster)
    return cluster


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
