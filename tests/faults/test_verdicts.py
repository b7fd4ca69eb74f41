"""Tests of the programs with trials: a series that shows nothing is a failure, in each of them."""

import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.faults import __main__ as faults
from tests.faults import containers, lives, signals
from tests.faults.injections import Trial
from tests.faults.rows import Lines
from tests.faults.stories import MIGRATE
from tests.faults.trials import Fault

NOTHING = "trials met its moment; nothing is shown"


def disturb_nothing(trial: Trial, _number: int) -> int:
    """Let the work go on undisturbed, as a fault does that comes too late."""
    trial.go_on()
    return 0


def test_a_fault_that_no_trial_meets_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """All rows are right, and the program ends with 1, for drawn faults too."""
    monkeypatch.setattr(faults, "FAULTS", (Fault("too late", disturb_nothing, 1, (MIGRATE,), naive_fails=False),))
    monkeypatch.setattr(sys, "argv", ["faults", "--trials", "1"])
    assert faults.main() == 1
    monkeypatch.setattr(sys, "argv", ["faults", "--soak", "0.005"])
    assert faults.main() == 1
    assert capsys.readouterr().err.count(NOTHING) == 2


def test_signals_that_no_command_meets_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Every command had ended before its signal."""
    ends = iter(["", "", "finished", "finished"] * 2)
    monkeypatch.setattr(signals, "prepare", lambda *_: signals.Undisturbed((), tmp_path, Lines(), Lines(), 0))
    monkeypatch.setattr(signals, "copy", lambda _, other: other)
    monkeypatch.setattr(signals, "trial", lambda *_: next(ends))
    monkeypatch.setattr(sys, "argv", ["signals", "--trials", "2", "--command", "sql"])
    assert signals.main() == 1  # SIGTERM was met, SIGHUP was not
    assert f"SIGHUP at any time, sql: none of 2 {NOTHING}" in capsys.readouterr().err
    ends = iter([""] * 4)
    assert signals.main() == 0


def test_containers_that_no_kill_meets_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both containers had always ended before the kill."""
    monkeypatch.setattr(containers, "why_not", lambda: "")
    monkeypatch.setattr(containers, "run", lambda *_: None)
    monkeypatch.setattr(containers, "_digest", lambda _: "row\n" * 20_001)
    monkeypatch.setattr(containers, "_play", lambda *_: (False, "row\n" * 20_001))
    monkeypatch.setattr(sys, "argv", ["containers", "--trials", "3"])
    assert containers.main() == 1
    assert f"none of 3 {NOTHING}" in capsys.readouterr().err
    monkeypatch.setattr(containers, "_play", lambda *_: (True, "row\n" * 20_001))
    assert containers.main() == 0


def test_damage_is_told_from_an_orderly_stop() -> None:
    """A server process that aborts is damage; a kill of the trial, and the shell by which a server stops itself, are not."""
    abort = "LOG:  server process (PID 47) was terminated by signal 6: Aborted"
    assert containers._find_damage(f"LOG:  ready\n{abort}\nLOG:  restarted") == abort
    assert containers._find_damage("x\nPANIC:  could not locate a valid checkpoint record") != ""
    assert containers._find_damage("LOG:  server process (PID 47) was terminated by signal 9: Killed") == ""
    assert containers._find_damage("DETAIL:  child process was terminated by signal 15: Terminated") == ""


def test_lives_without_a_kill_fail(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """All was in order because nothing happened."""
    monkeypatch.setattr(lives, "run_state_machine_as_test", lambda *_, **__: None)
    monkeypatch.setattr(sys, "argv", ["lives", "--lives", "2"])
    monkeypatch.setattr(lives.Life, "counted", Counter({"run: done": 9}))
    assert lives.main() == 1
    assert f"none of 2 {NOTHING}" in capsys.readouterr().err
    monkeypatch.setattr(lives.Life, "counted", Counter({"run: killed": 1}))
    assert lives.main() == 0


def test_a_command_of_a_trial_is_ended_by_sighup_under_nohup_too(tmp_path: Path) -> None:
    """Where the trials ignore SIGHUP, as under nohup, a command does not inherit that: else no signal would meet it."""
    program = "import signal, sys; sys.exit(0 if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL else 9)"
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        command = signals.start(tmp_path, (), program)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert command.wait() == 0
