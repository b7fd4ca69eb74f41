"""Processes that do a story and are disturbed: forked, so that a trial costs what its work costs."""

import contextlib
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import URL, Engine, event

from forecasting.domain.errors import MilkrunError, PassingFailure
from forecasting.reports import page
from forecasting.storage.db import copy as copying
from forecasting.storage.db.database import Database, create_engine
from tests.faults.stories import Act

Tick = Callable[[], None]
PATIENCE = 120.0  # seconds that a story may take in all, whatever happens to it
GAVE_UP = 3


def start(url: URL, act: Act, tick: Tick | None = None, *, prepare: Callable[[], None] | None = None) -> int:
    """Fork a process that does the work, and return its id; tick is called around each statement and after each commit.

    What fails in passing is done again, as by a flow's tasks. It ends with 0, or with GAVE_UP for an error that is named.
    """
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    ended = 1
    try:
        signal.alarm(int(PATIENCE))
        if prepare:
            prepare()
        database = Database(create_engine(url), "the database of the trial")
        with ticking(tick) if tick else contextlib.nullcontext():
            _until_it_passes(lambda: act(database))
        ended = 0
    except (MilkrunError, MemoryError):
        ended = GAVE_UP
    except BaseException:  # noqa: BLE001 - nothing may go back into the process that forked
        traceback.print_exc()  # a fault of the program: the trial fails with it
    finally:
        sys.stderr.flush()
        os._exit(ended)


def _until_it_passes(work: Callable[[], None]) -> None:
    draw = random.Random(os.getpid())  # noqa: S311 - spreads those that wait for one another
    while True:
        try:
            return work()
        except PassingFailure:
            time.sleep(draw.uniform(0.05, 0.3))


def end(child: int) -> int:
    """Wait for a process; return its exit code, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def ended_by_now(child: int) -> int | None:
    """Return the same for a process that has ended, else None."""
    found, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def do(url: URL, act: Act) -> None:
    """Let a process do the work undisturbed."""
    ended = end(start(url, act))
    assert ended == 0, f"undisturbed work ended with {ended}"


@contextlib.contextmanager
def ticking(tick: Tick) -> Iterator[None]:
    """Call tick before and after every statement and COPY, every file of a page, and every commit."""

    def listener(*_arguments: Any) -> None:
        tick()

    # Every engine of this process: a delivery has one of its own for its target.
    for moment in ("before_cursor_execute", "after_cursor_execute", "commit", "checkin"):
        event.listen(Engine, moment, listener)
    plain = copying._copying

    @contextlib.contextmanager
    def observed(connection: Any) -> Iterator[Any]:
        with plain(connection) as cursor:
            tick()
            yield cursor
            tick()

    def between_ticks(step: Callable[..., None]) -> Callable[..., None]:
        def stepping(*arguments: Any) -> None:
            tick()
            step(*arguments)
            tick()

        return stepping

    steps = page._write_script, page._remove
    copying._copying = observed
    page._write_script, page._remove = between_ticks(steps[0]), between_ticks(steps[1])
    try:
        yield
    finally:
        copying._copying = plain
        page._write_script, page._remove = steps


def count_ticks(url: URL, act: Act) -> int:
    """Return how many moments a process could be killed at."""
    read, write = os.pipe()

    def tick() -> None:
        os.write(write, b".")

    child = start(url, act, tick)
    os.close(write)
    count = 0
    while dots := os.read(read, 4096):
        count += len(dots)
    os.close(read)
    assert end(child) == 0
    return count


def at(number: int, act: Callable[[], None]) -> Tick:
    """Return a tick that acts when it is called for the `number`-th time."""
    seen = 0

    def tick() -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            act()

    return tick


def kill_oneself() -> None:
    """End at once, as by kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)


def stop_oneself() -> None:
    """Stop until somebody continues this process."""
    os.kill(os.getpid(), signal.SIGSTOP)
