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
def following(sizes: Sequence[int]) -> Iterator[None]:
    """Follow work in parts of so many series, as the shards of a run: what they report meanwhile adds up."""
    token = _followed.set(([0] * len(sizes), sum(sizes)))
    try:
        yield
    finally:
        _followed.reset(token)


def report(part: int, series: int) -> None:
    """Tell the listener, if there is one, that so many series of a part are done."""
    tell, followed = listener.get(), _followed.get()
    if tell is not None and followed is not None:
        counts, total = followed
        with _telling:
            counts[part] = max(counts[part], series)
            tell(sum(counts), total)
