"""Tests of milkrun prune beside others: a second one, a run that writes, a publication."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from forecasting.domain.recipes import CLASSIC
from forecasting.runs import job
from forecasting.storage import pruning, runs
from forecasting.storage.db.database import Database
from forecasting.storage.pruning import Prunable
from tests.end_to_end.hosting import wait_until
from tests.storage.test_pruning import age, counts, digests, three_trainings

Pruning = AbstractContextManager[Future[Prunable]]


def prune(database: Database) -> Prunable:
    """Prune as the command does."""
    return database.write(lambda connection: pruning.prune(connection, datetime.now(UTC)))


def waits(database: Database) -> bool:
    """Return whether a session waits for a lock."""
    with database.reading() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


@contextmanager
def pruning_meanwhile(database: Database) -> Any:
    """Start to prune in another thread, and check that it waits for the open transaction of this one."""
    with ThreadPoolExecutor(1) as other:
        removed = other.submit(prune, database)
        wait_until(lambda: waits(database) or removed.done(), "it waits", 30)
        assert not removed.done(), "it did not wait"
        yield removed


def test_two_at_once_remove_what_one_would(database: Database, arrive: Callable[..., object]) -> None:
    """The second waits for the first and then finds nothing to remove."""
    three_trainings(database, arrive, CLASSIC)
    age(database, 1, 2, 3, 4)
    published = digests(database)

    with database.engine.connect() as connection:
        first = pruning.prune(connection, datetime.now(UTC))
        with pruning_meanwhile(database) as second:
            connection.commit()
            second_removed = second.result(30)

    assert first
    assert not second_removed
    assert digests(database) == published
    assert counts(database)["runs"] == 3


@pytest.mark.parametrize("number", range(3))
def test_eight_at_once_remove_what_one_would(database: Database, arrive: Callable[..., object], number: int) -> None:
    """Started together, one removes everything and seven nothing; none fails."""
    three_trainings(database, arrive, CLASSIC)
    age(database, 1, 2, 3, 4)
    together = threading.Barrier(8)

    def wait_and_prune() -> Prunable:
        together.wait()
        return prune(database)

    with ThreadPoolExecutor(8) as pool:
        removed = [each.result() for each in [pool.submit(wait_and_prune) for _ in range(8)]]

    assert sum(map(bool, removed)) == 1
    assert counts(database)["runs"] == 3


def test_a_run_that_is_just_being_published_stays(database: Database, arrive: Callable[..., object]) -> None:
    """An old run whose publication has not been committed yet is waited for, and is then history."""
    three_trainings(database, arrive, CLASSIC)
    old = job.read_run(database, 4)
    job.run_shard(database, old, 1)
    age(database, 1, 2, 3, 4)

    with database.engine.connect() as connection:
        assert runs.publish(connection, old)
        with pruning_meanwhile(database) as removed:
            connection.commit()
            assert removed.result(30).run_ids == ()

    published = digests(database)
    assert not prune(database).run_ids
    assert digests(database) == published
    assert counts(database)["runs"] == 4
