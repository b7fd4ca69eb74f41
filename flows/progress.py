"""How far a run is, for whoever listens; a module of its own, so that tasks can travel to other processes."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

# Receives (series done, series in all) while series are worked on; the command line draws a bar with it.
listener: ContextVar[Callable[[int, int], None] | None] = ContextVar("listener", default=None)

# Series done of each part of the work at hand, and in all; the threads of this process share the list, others have none.
_progress: ContextVar[tuple[list[int], int] | None] = ContextVar("progress", default=None)
_listener_lock = threading.Lock()


@contextmanager
def track_progress(series_counts: Sequence[int]) -> Iterator[None]:
    """While the context is open, `report` adds up the finished series of all parts of the work and tells the listener the sum.

    series_counts: the number of series of each part, such as each shard of a run.
    """
    token = _progress.set(([0] * len(series_counts), sum(series_counts)))
    try:
        yield
    finally:
        _progress.reset(token)


def report(part_number: int, done_count: int) -> None:
    """Count done_count series of a part as finished, and pass the sum over all parts to the listener, if there is one.

    A lower count than before changes nothing: a repeated attempt begins anew.
    """
    notify_listener, progress = listener.get(), _progress.get()
    if notify_listener is not None and progress is not None:
        done_counts, total_count = progress
        with _listener_lock:
            done_counts[part_number] = max(done_counts[part_number], done_count)
            notify_listener(sum(done_counts), total_count)
