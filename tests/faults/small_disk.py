"""A small disk of its own: a tmpfs, where this account may mount one, and a file that takes its room."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


class NotPermitted(Exception):
    """No tmpfs can be mounted here; the message says why."""


@contextlib.contextmanager
def mounted(folder: Path, mebibytes: int) -> Iterator[None]:
    """Mount a tmpfs of that size over an empty folder; raises NotPermitted where that cannot be done."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        raise NotPermitted("no tmpfs can be mounted: there are no programs mount and umount")
    command = [mount, "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=755", "milkrun", str(folder)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise NotPermitted(f"no tmpfs can be mounted: {answer.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run([umount, "--lazy", str(folder)], check=True)


def why_not() -> str:
    """Say why no tmpfs can be mounted here; empty where one can."""
    with tempfile.TemporaryDirectory(prefix="milkrun-disk-") as folder:
        try:
            with mounted(Path(folder), 1):
                return ""
        except NotPermitted as reason:
            return str(reason)


@contextlib.contextmanager
def filled(folder: Path, room: int = 0) -> Iterator[Path]:
    """Take all of a disk's free bytes but `room` with one file: removing it, or leaving the context, makes room."""
    ballast = folder / "ballast"
    try:
        with ballast.open("wb") as file:
            while (free := os.statvfs(folder)).f_bavail * free.f_frsize > room:
                with contextlib.suppress(OSError):  # what is free changes while it is taken
                    size = os.fstat(file.fileno()).st_size
                    os.posix_fallocate(file.fileno(), size, free.f_bavail * free.f_frsize - room)
        yield ballast
    finally:
        ballast.unlink(missing_ok=True)
