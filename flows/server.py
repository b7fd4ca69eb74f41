"""The Prefect server: how its address is shown, and the folder of the state of one that runs on this machine."""

import contextlib
import os
import re
import stat
from pathlib import Path
from urllib.parse import quote


def public_address() -> str:
    """Return PREFECT_API_URL as it may be shown: without a user and a password, where it has any."""
    return re.sub("//[^/]*@", "//", os.environ.get("PREFECT_API_URL", ""))


def prepare_state_folder(home: Path) -> dict[str, str]:
    """Make the folder `prefect` of a data folder, private with all that is in it; returns the variables that name it.

    Raises EnvironmentFailure where the folder is another user's.
    """
    from forecasting.storage.db.cluster_folder import make_private_folder

    if not home.exists():
        make_private_folder(
            home, mode=0o700 if os.geteuid() else 0o711
        )  # the account of root's PostgreSQL passes through
    folder = home / "prefect"
    make_private_folder(folder)
    database = folder / "prefect.db"
    database.touch(mode=0o600)  # SQLite gives the files beside it the same rights
    for path in folder.rglob("*"):
        mode = stat.S_IMODE(path.lstat().st_mode)
        if mode & 0o077 and not path.is_symlink():
            with contextlib.suppress(PermissionError):
                path.chmod(mode & 0o700)
    variables = {"PREFECT_HOME": str(folder)}
    if "?" in str(folder):  # where Prefect's own address of this file would end
        address = f"sqlite+aiosqlite:///file:{quote(str(database.absolute()))}?uri=true"
        variables["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = address
    return variables
