"""Tests of milkrun backfill as a user types it: the plan, the question, doing it again, and leaving it to a worker."""

import json
import os
import pty
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from forecasting.storage.db.database import Database
from tests.cli.conftest import MilkrunProcess

ARGUMENTS = ("backfill", "--start", "1975-01", "--end", "1975-02", "--recipe", "quick")


@pytest.fixture
def milkrun(
    milkrun_process: MilkrunProcess,
    database: Database,
    environment: dict[str, str],
    arrive: Callable[..., object],
    milk: list[float],
) -> MilkrunProcess:
    """Give a function that runs `milkrun …` in a process of its own, with the milk series; answer: typed on a terminal."""
    arrive("1962-01", milk=milk)
    recipes = Path(environment["MILKRUN_HOME"]) / "recipes"
    recipes.mkdir(parents=True)
    (recipes / "quick.toml").write_text('base = "classic"\nepochs = 2\n')

    def call(*arguments: str, answer: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        if answer is None:
            return milkrun_process(*arguments, **variables)
        terminal, end = pty.openpty()
        os.write(terminal, answer.encode())
        try:
            return milkrun_process(*arguments, stdin=end, **variables)
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
def test_the_plan_then_no_then_yes_then_again(milkrun: MilkrunProcess, database: Database) -> None:
    """A dry run and a no write nothing; --yes asks nothing on a terminal; --reprocess runs beside what is there."""
    dry_run = milkrun(*ARGUMENTS, "--dry-run", "--json")
    assert dry_run.returncode == 0, dry_run.stderr
    assert json.loads(dry_run.stdout) == [
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

    refused = milkrun(*ARGUMENTS, answer="n\n")
    assert (refused.returncode, "Origins to run: 2. Go on?" in refused.stderr) == (130, True)
    assert "no_network" in refused.stdout
    assert runs(database) == []

    confirmed = milkrun(*ARGUMENTS, "--yes", answer="")
    assert (confirmed.returncode, "Origins to run: 2. Go on?" in confirmed.stderr) == (0, False), confirmed.stderr
    assert [*map(tuple, runs(database))] == [("1975-01-01", 1, "published"), ("1975-02-01", 1, "published")]

    repeated = milkrun(*ARGUMENTS, "--reprocess", "completed", "--retrain", "auto", "--json")
    assert repeated.returncode == 0, repeated.stderr
    assert [(row["origin"], row["state"]) for row in json.loads(repeated.stdout)] == [
        ("1975-01", "published"),
        ("1975-02", "published"),
    ]
    assert [row.attempt for row in runs(database)] == [1, 1, 2, 2]


def test_a_backfill_cannot_be_submitted_without_a_server(milkrun: MilkrunProcess, database: Database) -> None:
    """Without an address it is refused, with a silent one the environment failed; each names the remedy, and nothing is run."""
    nowhere = milkrun(*ARGUMENTS, "--submit")
    silent = milkrun(*ARGUMENTS, "--submit", PREFECT_API_URL="http://127.0.0.1:9/api")

    assert (nowhere.returncode, "set PREFECT_API_URL" in nowhere.stderr) == (4, True)
    assert (silent.returncode, "No Prefect server answers" in silent.stderr) == (3, True)
    assert "Traceback" not in nowhere.stderr + silent.stderr
    assert runs(database) == []
