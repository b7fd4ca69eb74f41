"""Commands on a disk that is full: the embedded database, Prefect's own state and the temporary files lie on it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from forecasting.storage.db import embedded
from tests.faults.small_disk import NotPermitted, filled, mounted
from tests.faults.stories import FIRST

Command = Callable[..., subprocess.CompletedProcess[str]]
ROWS = "SELECT series, origin, month, value, lower_80, upper_95, outcome FROM forecast_history ORDER BY 1, 3"


def commands(home: Path, **extra: str) -> Command:
    """Return a function that runs `milkrun …` with everything of its own in a folder."""
    temporary = home / "temporary"
    temporary.mkdir()
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "DATABASE_URL"))}
    environment = {**own, "MILKRUN_HOME": str(home), "MILKRUN_RECIPE": "classic", "TMPDIR": str(temporary), **extra}

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-c", "from forecasting.cli import main; main()", *arguments]
        return subprocess.run(program, env=environment, capture_output=True, text=True, timeout=200, check=False)

    return call


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that root's server account reaches."""
    with tempfile.TemporaryDirectory(prefix="milkrun-disk-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def disk(folder: Path) -> Iterator[Path]:
    """Give a disk of 256 MiB."""
    place = folder / "disk"
    place.mkdir()
    try:
        with mounted(place, 256):
            yield place
    except NotPermitted as reason:
        pytest.skip(f"a full disk was not tried: {reason}")


@pytest.mark.long
def test_a_full_disk_ends_in_one_message_and_the_same_command_goes_on(folder: Path, disk: Path) -> None:
    """Load and run end with code 3 and say what to do; once there is room they finish with the numbers of any other disk."""
    (folder / "elsewhere").mkdir()
    arrival = write_arrival(folder)
    prefect = {"PREFECT_HOME": str(folder / "prefect"), "TMPDIR": str(folder)}  # on a disk with room
    here, undisturbed = commands(disk, **prefect), commands(folder / "elsewhere", **prefect)
    with embedded.running_server(disk), embedded.running_server(folder / "elsewhere"):
        for command in (["load", str(arrival)], ["run"]):
            with filled(disk):
                assert_ended_in_one_message(here(*command))
            assert here("sql", ROWS, "--csv").stdout.count("\n") == 1
            assert here(*command).returncode == 0
            assert undisturbed(*command).returncode == 0
        rows = here("sql", ROWS, "--csv").stdout

        assert rows.count("\n") > 1000
        assert rows == undisturbed("sql", ROWS, "--csv").stdout


@pytest.mark.slow
def test_a_server_that_cannot_start_for_want_of_room_says_so(folder: Path, disk: Path) -> None:
    """Neither the embedded database nor Prefect's own server is waited for in vain; with room, the load goes on."""
    arrival, milkrun = write_arrival(folder), commands(disk)
    assert milkrun("migrate").returncode == 0
    with filled(disk):
        load, run = milkrun("load", str(arrival)), milkrun("run")

    assert_ended_in_one_message(load)
    assert "No space left on device" in load.stderr
    assert_ended_in_one_message(run)
    assert "no room for Prefect's state" in run.stderr
    assert "28,000 added" in milkrun("load", str(arrival)).stdout


def assert_ended_in_one_message(answer: subprocess.CompletedProcess[str]) -> None:
    """Require an environment failure that speaks of the disk."""
    assert answer.returncode == 3
    assert "Traceback" not in answer.stdout + answer.stderr
    assert "disk" in answer.stderr or "No space" in answer.stderr


def write_arrival(folder: Path) -> Path:
    """Write 400 series that take megabytes."""
    lines = [f"series {n},{FIRST + m},{(n + 7 * m) % 12 + m}.5" for n in range(400) for m in range(70)]
    file = folder / "arrival.csv"
    file.write_text("\n".join(["series,month,value", *lines]))
    return file
