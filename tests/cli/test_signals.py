"""Tests of the end of commands by signals, on an embedded database of their own."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM
from tests.processes import commands_of

SENTENCE = "Stopped. The same command goes on where this one ended.\n"


@pytest.fixture
def home() -> Iterator[Path]:
    """Give a data folder that root's server account can reach."""
    with tempfile.TemporaryDirectory(prefix="milkrun-signals-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def take_signals() -> None:
    """Give signals their usual effect: the tests themselves may run under nohup, or in the background of a shell."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def start(home: Path, *command: str) -> subprocess.Popen[str]:
    """Start a command on the embedded database of a home."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_API")}
    environment = {**own, "MILKRUN_HOME": str(home), "DATABASE_URL": ""}
    return subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=take_signals,
    )


def wait_for_the_query(home: Path) -> None:
    """Wait until a session of the embedded server fetches rows."""
    while not any("FETCH" in command for command in commands_of(home)):
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_query_and_the_embedded_server(home: Path, number: signal.Signals) -> None:
    """The query would take minutes; the command ends with one sentence and the usual code, and no process stays."""
    query = start(home, *PROGRAM, "sql", "select pg_sleep(3000)", "--timeout", "3000")
    wait_for_the_query(home)

    query.send_signal(number)

    assert query.communicate(timeout=60) == ("", SENTENCE)
    assert query.returncode == 128 + number
    assert commands_of(home) == []


def test_a_terminal_that_closes_sends_its_signal_twice(home: Path) -> None:
    """The second SIGHUP, of the shell, does not end the program that ends the server."""
    query = start(home, *PROGRAM, "sql", "select pg_sleep(3000)", "--timeout", "3000")
    wait_for_the_query(home)

    for pause in (0, 0.02, 0.1):
        time.sleep(pause)
        query.send_signal(signal.SIGHUP)

    assert query.communicate(timeout=60) == ("", SENTENCE)
    assert query.returncode == 128 + signal.SIGHUP
    assert commands_of(home) == []


def test_a_command_under_nohup_goes_on_when_its_terminal_closes(home: Path) -> None:
    """SIGHUP was ignored at the start and stays ignored."""
    query = start(home, "nohup", *PROGRAM, "sql", "select pg_sleep(1), 42 as answer", "--csv")
    wait_for_the_query(home)

    query.send_signal(signal.SIGHUP)

    assert "42" in query.communicate(timeout=60)[0]
    assert query.returncode == 0


def test_another_user_of_the_embedded_server_keeps_it(home: Path) -> None:
    """A command that is ended takes nothing from the one beside it."""
    other = start(home, *PROGRAM, "sql", "select pg_sleep(4), 42 as answer", "--csv")
    wait_for_the_query(home)
    query = start(home, *PROGRAM, "sql", "select pg_sleep(3000)", "--timeout", "3000")
    time.sleep(1)

    query.send_signal(signal.SIGTERM)

    query.communicate(timeout=60)
    assert "42" in other.communicate(timeout=60)[0]
    assert (query.returncode, other.returncode) == (128 + signal.SIGTERM, 0)
    assert commands_of(home) == []


def test_the_end_of_a_forked_child_by_a_signal_is_none_of_its_parent(home: Path) -> None:
    """A pool that ends its processes by SIGTERM does not end the command."""
    program = """
import multiprocessing, time
from forecasting.cli.signals import stop_on_signals
stop_on_signals()
child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(3000,))
child.start()
child.terminate()
child.join()
time.sleep(0.5)
print(child.exitcode)
"""
    parent = start(home, sys.executable, "-W", "ignore", "-c", program)

    assert parent.communicate(timeout=60) == (f"{-signal.SIGTERM}\n", "")
    assert parent.returncode == 0


def test_ctrl_c_while_prefect_is_imported_ends_in_one_sentence(home: Path) -> None:
    """No traceback of the import, and the usual code."""
    run = start(home, *PROGRAM, "run")
    while "pydantic_core" not in Path(f"/proc/{run.pid}/maps").read_text():  # a compiled package that Prefect imports
        assert run.poll() is None
        time.sleep(0.01)

    run.send_signal(signal.SIGINT)

    assert run.communicate(timeout=60) == ("", SENTENCE)
    assert run.returncode == 128 + signal.SIGINT
