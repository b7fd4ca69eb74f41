"""The processes of an installation, as another program sees them."""

import contextlib
from pathlib import Path


def commands_of(home: Path) -> list[str]:
    """Return the command lines of all processes that have a data folder in their environment, or work in it.

    PostgreSQL writes over the environment of its sessions; they work in the folder of the cluster.
    """
    commands = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(home).encode() in (process / "environ").read_bytes() or str(home) in str(
                (process / "cwd").readlink()
            ):
                commands.append((process / "cmdline").read_text().replace("\0", " "))
    return commands
