"""Test of milkrun serve: everything on one machine, on the embedded database."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.hosting import Process, wait_until
from tests.processes import commands_of

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1800)]
MILKRUN = [sys.executable, "-c", "from forecasting.cli import main; main()"]


@pytest.fixture
def home() -> Iterator[Path]:
    """Give a data folder that root's server account can reach."""
    with tempfile.TemporaryDirectory(prefix="milkrun-serve-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextlib.contextmanager
def serving(home: Path, environment: dict[str, str], port: int) -> Iterator[Process]:
    """Keep `milkrun serve` running, and see that it ends cleanly when it is asked to."""
    with (home / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [*MILKRUN, "serve", "--port", str(port)], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        begun = (home / "serve.log").read_text().count("Serving at")
        wait_until(
            lambda: process.poll() is not None or (home / "serve.log").read_text().count("Serving at") > begun,
            "it serves",
            600,
        )
        assert process.poll() is None, (home / "serve.log").read_text()
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)
    assert process.returncode == 0, (home / "serve.log").read_text()


def test_one_command_hosts_everything_and_stops_cleanly(home: Path) -> None:
    """UI behind a password, a run by the form, a clean stop without any process left, and a second start on the same data."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MILKRUN_"))}
    environment = {
        **own,
        "MILKRUN_HOME": str(home),
        "DATABASE_URL": "",
        "MILKRUN_RECIPE": "classic",
        "DO_NOT_TRACK": "1",
    }
    password = home / "prefect" / "password"
    client = {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api", "PREFECT_HOME": str(home / "client")}

    def milkrun(*arguments: str, **extra: str) -> str:
        answer = subprocess.run(
            [*MILKRUN, *arguments], env={**environment, **extra}, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    milkrun("load", "forecasting/examples/milk.csv")
    with serving(home, environment, port):
        assert password.stat().st_mode & 0o777 == 0o600
        assert httpx.get(f"http://127.0.0.1:{port}/api/csrf-token", params={"client": "x"}).status_code == 401
        milkrun("run", "--submit", PREFECT_API_AUTH_STRING=password.read_text().strip(), **client)
        wait_until(lambda: '"state": "published"' in milkrun("status", "--json"), "the run is published", 600)
        assert milkrun("status", "--check").startswith("1975-12 is published as run 1")

    assert commands_of(home) == []
    with serving(home, environment, port):
        assert milkrun("status", "--check").startswith("1975-12 is published as run 1")
