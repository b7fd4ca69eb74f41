"""How far a run is, for whoever listens; a module of its own, so that tasks can travel to other processes."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

# Receives (series done, series in all) while series are worked on; the command line draws a bar with it.
listener: ContextVar[Callable[[int, int], None] | None] = ContextVar("listener", default=None)

# Series done of each part of the work at hand, and in all; the threads of this process share the list, others have none.
_followed: ContextVar[tuple[list[int], int] | None] = ContextVar("followed", default=None)
_telling = threading.Lock()


@contextmanager
def following(series_counts: Sequence[int]) -> Iterator[None]:
    """Follow work in parts of so many series, as the shards of a run: what they report meanwhile adds up."""
    token = _followed.set(([0] * len(series_counts), sum(series_counts)))
    try:
        yield
    finally:
        _followed.reset(token)


def report(part_number: int, done_count: int) -> None:
    """Tell the listener, if there is one, that so many series of a part are done."""
    tell, followed = listener.get(), _followed.get()
    if tell is not None and followed is not None:
        done_counts, total_count = followed
        with _telling:
            done_counts[part_number] = max(done_counts[part_number], done_count)
            tell(sum(done_counts), total_count)
