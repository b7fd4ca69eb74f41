"""Tests of milkrun backfill as a user types it: the plan, the question, doing it again, and leaving it to a worker."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from forecasting.domain.settings import Settings
from forecasting.storage.db.database import Database

Milkrun = Callable[..., subprocess.CompletedProcess[str]]
ASKED = ("backfill", "--start", "1975-01", "--end", "1975-02", "--recipe", "quick")


@pytest.fixture
def milkrun(
    settings: Settings, tmp_path: Path, database: Database, arrive: Callable[..., object], milk: list[float]
) -> Milkrun:
    """Give a function that runs `milkrun …` in a process of its own, with the milk series; answer: typed on a terminal."""
    arrive("1962-01", milk=milk)
    recipes = tmp_path / "home" / "recipes"
    recipes.mkdir(parents=True)
    (recipes / "quick.toml").write_text('base = "classic"\nepochs = 2\n')
    environment = {
        **os.environ,
        "DATABASE_URL": str(settings.database_url),
        "MILKRUN_HOME": str(tmp_path / "home"),
        "PREFECT_HOME": str(tmp_path / "prefect"),
    }
    environment.pop("PREFECT_API_URL", None)

    def call(*arguments: str, answer: str | None = None, **extra: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from forecasting.cli import main; main()", *arguments]
        terminal, end = pty.openpty()
        os.write(terminal, (answer or "").encode())
        try:
            return subprocess.run(
                command,
                env={**environment, **extra},
                stdin=subprocess.DEVNULL if answer is None else end,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
        finally:
            os.close(terminal)
            os.close(end)

    return call


def runs(database: Database) -> Sequence[Any]:
    """Return the stored runs."""
    with database.reading() as connection:
        return connection.execute(
            text("SELECT origin::text, attempt, state FROM milkrun.run ORDER BY attempt, origin")
        ).all()


@pytest.mark.slow
def test_the_plan_then_no_then_yes_then_again(milkrun: Milkrun, database: Database) -> None:
    """A dry run and a no write nothing; --yes asks nothing on a terminal; --reprocess runs beside what is there."""
    planned = milkrun(*ASKED, "--dry-run", "--json")
    assert planned.returncode == 0, planned.stderr
    assert json.loads(planned.stdout) == [
        {
            "origin": origin,
            "as_of": 1,
            "vintages": "latest",
            "series": 1,
            "attempt": 1,
            "published_as_run": None,
        }
        for origin in ("1975-01", "1975-02")
    ]

    refused = milkrun(*ASKED, answer="n\n")
    assert (refused.returncode, "Origins to run: 2. Go on?" in refused.stderr) == (130, True)
    assert "no_network" in refused.stdout
    assert runs(database) == []

    done = milkrun(*ASKED, "--yes", answer="")
    assert (done.returncode, "Origins to run: 2. Go on?" in done.stderr) == (0, False), done.stderr
    assert [*map(tuple, runs(database))] == [("1975-01-01", 1, "published"), ("1975-02-01", 1, "published")]

    again = milkrun(*ASKED, "--reprocess", "completed", "--retrain", "auto", "--json")
    assert again.returncode == 0, again.stderr
    assert [(row["origin"], row["state"]) for row in json.loads(again.stdout)] == [
        ("1975-01", "published"),
        ("1975-02", "published"),
    ]
    assert [row.attempt for row in runs(database)] == [1, 1, 2, 2]


def test_a_backfill_cannot_be_submitted_without_a_server(milkrun: Milkrun, database: Database) -> None:
    """Without an address it is refused, with a silent one the environment failed; each names the remedy, and nothing is run."""
    nowhere = milkrun(*ASKED, "--submit")
    silent = milkrun(*ASKED, "--submit", PREFECT_API_URL="http://127.0.0.1:9/api")

    assert (nowhere.returncode, "set PREFECT_API_URL" in nowhere.stderr) == (4, True)
    assert (silent.returncode, "No Prefect server answers" in silent.stderr) == (3, True)
    assert "Traceback" not in nowhere.stderr + silent.stderr
    assert runs(database) == []
