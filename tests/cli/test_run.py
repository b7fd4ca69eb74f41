"""Tests of milkrun run, as a user types it."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from tests.cli.conftest import PROGRAM, MilkrunProcess
from tests.cli.test_signals import take_signals


def test_load_plan_run_status_sql_and_plot(milkrun_process: MilkrunProcess, tmp_path: Path) -> None:
    """The whole circle by commands: data in, plan, run, run again, and the forecast out by SQL and as a picture."""
    milk = Path("forecasting/examples/milk.csv").resolve()
    assert milkrun_process("load", str(milk), "--unit", "pounds per cow").returncode == 0
    [plan] = json.loads(milkrun_process("plan", "--json").stdout)
    assert plan == {
        "decision": "retrain",
        "reason": "no_network",
        "challenge": False,
        "series": 1,
        "such as": "milk",
        "origin": "1975-12",
        "recipe": "classic",
        "published_as_run": None,
        "seconds": None,
    }

    first, second = milkrun_process("run", "--json"), milkrun_process("run")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert json.loads(first.stdout)[0]["state"] == "published"
    assert "Run 1: origin 1975-12, 1 series" in first.stderr
    assert "nothing to do" in second.stdout
    rows = json.loads(milkrun_process("sql", "select * from latest_forecast where series = 'milk'", "--json").stdout)
    expected = {"series", "origin", "month", "horizon", "value", "lower_80", "upper_95", "recipe", "published_at"}
    assert expected <= set(rows[0])
    assert (len(rows), rows[0]["origin"], rows[0]["month"]) == (12, "1975-12-01", "1976-01-01")
    assert json.loads(milkrun_process("plan", "--json").stdout)[0]["published_as_run"] == 1
    [status] = json.loads(milkrun_process("status", "--json").stdout)
    assert (status["state"], status["forecast"], status["published_at"][:2]) == ("published", 1, "20")
    picture = tmp_path / "milk.png"
    assert milkrun_process("plot", "milk", "--out", str(picture)).stdout == f"{picture}\n"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_run_that_is_refused_inside_the_flow_has_no_traceback(milkrun_process: MilkrunProcess) -> None:
    """A refusal that needs the database also ends in one message; the log of Prefect stays quiet."""
    answer = milkrun_process("run")

    assert answer.returncode == 4
    assert answer.stderr.endswith(
        "Error: There are no observations: load some with milkrun load FILE or milkrun pull.\n"
    )
    assert "Traceback" not in answer.stderr + answer.stdout


def test_an_unreachable_database_is_an_environment_failure(milkrun_process: MilkrunProcess) -> None:
    """Exit code 3, the place named, the password not."""
    answer = milkrun_process("status", DATABASE_URL="postgresql://user:topsecret@127.0.0.1:1/none")

    assert answer.returncode == 3
    assert "127.0.0.1:1/none" in answer.stderr
    assert "topsecret" not in answer.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_at_once_and_the_next_one_goes_on(
    environment: dict[str, str], arrive: Callable[..., object], milk: list[float], number: signal.Signals
) -> None:
    """Sent to the whole group, as a terminal does: one line, the usual exit code, no process left behind."""
    arrive("1962-01", **{f"series {number}": milk for number in range(60)})
    environment["MILKRUN_SHARD_SIZE"] = "1"
    command = [*PROGRAM, "run"]
    started = subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=take_signals
    )
    assert started.stderr is not None
    while "shard 2 of 60" not in started.stderr.readline():
        assert started.poll() is None
    os.killpg(started.pid, number)

    rest = started.communicate(timeout=30)[1]

    assert started.returncode == 128 + number
    assert "Stopped. The same command goes on where this one ended." in rest
    assert "Traceback" not in rest
    with pytest.raises(ProcessLookupError):
        os.killpg(started.pid, 0)
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert finished.returncode == 0, finished.stderr
    assert "shard 2 of 60: was written before" in finished.stderr


@pytest.mark.slow
def test_a_data_folder_may_have_any_name(
    environment: dict[str, str], arrive: Callable[..., object], milk: list[float], tmp_path: Path
) -> None:
    """Prefect's state lies in it, private, and nowhere beside it, whatever its name means in an address or a shell."""
    arrive("1962-01", milk=milk)
    home = tmp_path / "a,b'c\"d$e f%20g?h#i&j"
    environment |= {"MILKRUN_HOME": str(home)}
    del environment["PREFECT_HOME"]

    run = subprocess.run([*PROGRAM, "run"], env=environment, capture_output=True, text=True, timeout=300, check=False)

    assert (run.returncode, "Traceback" in run.stderr) == (0, False), run.stderr
    assert [path.name for path in tmp_path.glob("a,b*")] == [home.name]
    state = home / "prefect"
    assert (state / "prefect.db").stat().st_size > 100_000
    assert {path.stat().st_mode & 0o077 for path in (state, *state.iterdir())} == {0}


@pytest.mark.slow
def test_the_server_of_a_run_asks_for_a_password_that_no_other_user_can_see(
    environment: dict[str, str], arrive: Callable[..., object], milk: list[float]
) -> None:
    """Requests without it are refused; it is not in the list of processes and in no file."""
    arrive("1962-01", milk=milk)
    run = subprocess.Popen(
        [*PROGRAM, "run"], env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=take_signals
    )
    while (answer := ask_own_server(run.pid)) is None:
        assert run.poll() is None
        time.sleep(0.05)
    [password] = {value for name, value in answer.variables.items() if name.endswith("API_AUTH_STRING")}
    assert answer.status == 401
    assert password not in answer.command
    assert "Run 1 published" in run.communicate(timeout=300)[1]
    files = [file for file in Path(environment["PREFECT_HOME"]).rglob("*") if file.is_file()]
    assert files
    assert not any(password.encode() in file.read_bytes() for file in files)


@dataclass(frozen=True)
class Answer:
    """What a server that a command has started says to a stranger, its command line and its environment."""

    status: int
    command: str
    variables: dict[str, str]


def ask_own_server(process_id: int) -> Answer | None:
    """Ask the Prefect server among the children of a process for its version; None where none answers yet."""
    with contextlib.suppress(psutil.NoSuchProcess, httpx.TransportError):
        for child in psutil.Process(process_id).children():
            command = child.cmdline()
            if "uvicorn" in command:
                port = command[command.index("--port") + 1]
                status = httpx.get(f"http://127.0.0.1:{port}/api/admin/version", timeout=5).status_code
                return Answer(status, " ".join(command), child.environ())
    return None


def test_a_prefect_server_that_does_not_answer_is_an_environment_failure(milkrun_process: MilkrunProcess) -> None:
    """The address is named, and how to go on without a server."""
    answer = milkrun_process("run", PREFECT_API_URL="http://127.0.0.1:9/api")

    assert answer.returncode == 3
    assert "PREFECT_API_URL, http://127.0.0.1:9/api" in answer.stderr
    assert "Traceback" not in answer.stderr
