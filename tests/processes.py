"""The processes of an installation, as another program sees them."""

import contextlib
from pathlib import Path


def processes_of(home: Path) -> list[int]:
    """Return the numbers of all processes that have a data folder in their environment, or work in it.

    PostgreSQL writes over the environment of its sessions; they work in the folder of the cluster.
    """
    numbers = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(home).encode() in (process / "environ").read_bytes() or str(home) in str(
                (process / "cwd").readlink()
            ):
                numbers.append(int(process.name))
    return numbers


def commands_of(home: Path) -> list[str]:
    """Return the command lines of those processes."""
    commands = []
    for number in processes_of(home):
        with contextlib.suppress(OSError):
            commands.append(Path(f"/proc/{number}/cmdline").read_text().replace("\0", " "))
    return commands
