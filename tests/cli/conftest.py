"""Fixtures that call commands: in this process, or in a process of their own as a user does."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from forecasting.cli import main
from forecasting.domain.settings import Settings

PROGRAM = (sys.executable, "-c", "from forecasting.cli import main; main()")


@dataclass(frozen=True)
class Outcome:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


Milkrun = Callable[..., Outcome]
MilkrunProcess = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Milkrun:
    """Give a function that runs `milkrun …` in this process."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["milkrun", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        return Outcome(int(end.value.code or 0), output.out, output.err)

    return run


@pytest.fixture
def milkrun(settings: Settings, monkeypatch: pytest.MonkeyPatch, call: Milkrun) -> Milkrun:
    """Give a function that runs `milkrun …` in this process, on the test's own database."""
    monkeypatch.setenv("DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("MILKRUN_HOME", str(settings.home))
    monkeypatch.delenv("MILKRUN_SOURCE_URL", raising=False)
    return call


@pytest.fixture
def milkrun_after_runs(story: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, call: Milkrun) -> Milkrun:
    """Give a function that runs `milkrun …` in an empty folder, on the database with a year of runs."""
    monkeypatch.setenv("DATABASE_URL", str(story.database_url))
    monkeypatch.chdir(tmp_path)
    return call


@pytest.fixture
def environment(settings: Settings, tmp_path: Path) -> dict[str, str]:
    """Give the environment of a process that works on the test's own database."""
    variables = {
        **os.environ,
        "DATABASE_URL": str(settings.database_url),
        "MILKRUN_HOME": str(tmp_path / "home"),
        "MILKRUN_RECIPE": "classic",
    }
    variables.pop("PREFECT_API_URL", None)
    return variables


@pytest.fixture
def milkrun_process(environment: dict[str, str]) -> MilkrunProcess:
    """Give a function that runs `milkrun …` in a process of its own; stdin: without it there is no input."""

    def run(*arguments: str, stdin: int = subprocess.DEVNULL, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *arguments],
            env={**environment, **variables},
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run
