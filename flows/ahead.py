"""Networks that were trained ahead, for the threads of this process; a module of its own, so that tasks can travel."""

from contextvars import ContextVar

from forecasting.together import TrainedAhead

trained: ContextVar[TrainedAhead | None] = ContextVar("trained", default=None)
