"""How far a run is, for whoever listens; a module of its own, so that tasks can travel to other processes."""

from collections.abc import Callable
from contextvars import ContextVar

# Receives (series done, series in all) while shards are worked on; the command line draws a bar with it.
listener: ContextVar[Callable[[int, int], None] | None] = ContextVar("listener", default=None)


def report(done: int, total: int) -> None:
    """Tell the listener, if there is one."""
    tell = listener.get()
    if tell is not None:
        tell(done, total)
