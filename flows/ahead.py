"""Networks that were trained ahead, for the threads of this process; a module of its own, so that tasks can travel."""

from contextvars import ContextVar

from forecasting.together import Trained

trained: ContextVar[Trained | None] = ContextVar("trained", default=None)
