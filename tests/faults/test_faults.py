"""The short form of `make faults`: each fault meets each story once, and the control arm fails."""

import json
import subprocess
import sys

import pytest
from sqlalchemy import text

from forecasting.storage.db.database import Database, create_engine
from tests.faults.proxy import losing_commits
from tests.faults.stories import FIRST, MIGRATE, ORIGIN, load
from tests.faults.trials import FAULTS, Count, running_worlds

GROUPS = (
    ("kill -9",),
    ("restart", "connections", "COMMIT"),
    ("eight", "paused", "locked", "memory"),
    ("disk",),
    ("killed",),
)


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("words", GROUPS, ids=lambda words: words[0])
def test_a_fault_loses_nothing_and_doubles_nothing(words: tuple[str, ...]) -> None:
    """Every row of every table is as undisturbed work leaves it, a reader never sees half of a run, a naive writer fails."""
    chosen = [argument for word in words for argument in ("--fault", word)]
    program = [sys.executable, "-m", "tests.faults", "--trials", "4", "--seed", "7", "--json", *chosen]

    answer = subprocess.run(program, capture_output=True, text=True, timeout=1400, check=False)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    found = json.loads(answer.stdout)
    if not found["faults"]:
        pytest.skip("; ".join(f"{name} was not tried: {reason}" for name, reason in found["left_out"].items()))
    for told in found["faults"].values():
        assert told["trials"] >= 4
        assert [told[word] for word in ("lost", "doubled", "half_seen", "unlike")] == [0, 0, 0, 0]


@pytest.mark.slow
def test_a_migration_that_stops_keeps_nobody_waiting() -> None:
    """Stopped while it holds the lock: the server ends its idle transaction, the other process migrates."""
    [paused] = [fault for fault in FAULTS if fault.name.startswith("paused")]
    count = Count()
    with running_worlds() as worlds:
        for moment in range(4, 10):
            worlds(paused).trial(paused, MIGRATE, moment, 7, count)
    assert count == Count(trials=6, met=6)


def test_every_fault_is_in_a_group() -> None:
    """A new fault has a short form too."""
    assert all(any(word in fault.name for words in GROUPS for word in words) for fault in FAULTS)


def test_a_load_whose_commit_was_not_answered_is_on_record_once(database: Database) -> None:
    """The server is asked what became of the transaction: rows are counted as added, and the load is there once."""
    sockets = database.engine.url.query.get("host")
    if not isinstance(sockets, str):
        pytest.skip("the server of DATABASE_URL has no socket that the proxy could stand before")
    with losing_commits(f"{sockets}/.s.PGSQL.5432", {1}.__contains__) as (port, lost):
        engine = create_engine(database.engine.url.set(host="127.0.0.1", port=port, query={}))
        load(FIRST, ORIGIN)(Database(engine, "behind the proxy"))
        engine.dispose()
        assert lost.so_far() == 1
    with database.reading() as connection:
        loads = connection.execute(text("SELECT rows_added > 0 FROM milkrun.load")).scalars().all()
    assert loads == [True]
