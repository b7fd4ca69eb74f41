"""How far a run is, for whoever listens; a module of its own, so that tasks can travel to other processes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from forecasting.storage.runs import Run

# Receives (series done, series in all) while shards are worked on; the command line draws a bar with it.
listener: ContextVar[Callable[[int, int], None] | None] = ContextVar("listener", default=None)

# Series done of each shard of the run at hand; the threads of this process share the list, other processes have none.
_done: ContextVar[list[int] | None] = ContextVar("done", default=None)
_telling = threading.Lock()


@contextmanager
def following(run: Run) -> Iterator[None]:
    """Follow a run: what its shards report meanwhile adds up."""
    token = _done.set([0] * len(run.shards))
    try:
        yield
    finally:
        _done.reset(token)


def report(run: Run, shard: int, series: int) -> None:
    """Tell the listener, if there is one, that so many series of a shard are done."""
    tell, done = listener.get(), _done.get()
    if tell is not None and done is not None:
        with _telling:
            done[shard] = max(done[shard], series)
            tell(sum(done), len(run.series_ids))
