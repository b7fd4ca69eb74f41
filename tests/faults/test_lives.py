"""The short form of `python -m tests.faults.lives`: a few lives, the same every time, and the control arm."""

import subprocess
import sys

import pytest


def live(*options: str) -> subprocess.CompletedProcess[str]:
    """Live some lives, in a process that has imported no TensorFlow and may be forked."""
    program = [sys.executable, "-m", "tests.faults.lives", "--steady", *options]
    return subprocess.run(program, capture_output=True, text=True, timeout=590, check=False)


@pytest.mark.slow
def test_whatever_happens_in_whatever_order_what_is_published_is_whole_and_stays() -> None:
    """Loads, revisions, runs, backfills, orders, pruning and migrations, killed at drawn statements: all in order after each."""
    answer = live("--lives", "6", "--steps", "12")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    counted = dict(line.split(maxsplit=1)[::-1] for line in answer.stdout.splitlines())
    assert {"runs published", "forecasts computed again"} <= counted.keys()
    assert any(what.endswith(": killed") for what in counted)


@pytest.mark.slow
def test_a_program_that_publishes_before_it_writes_is_found() -> None:
    """The control arm fails: some life shows a published run without all outcomes."""
    answer = live("--lives", "40", "--steps", "15", "--naive")

    assert answer.returncode == 1
    assert "a series has no outcome" in answer.stderr or "a reader sees part of a run" in answer.stderr
