"""Milkrun from Python: `forecasting.open()` for a database, `forecasting.forecast(frame)` without one.

Nothing heavy is imported before a name is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from forecasting.domain.version import __version__ as __version__

if TYPE_CHECKING:
    from forecasting.api import Milkrun as Milkrun
    from forecasting.api import forecast as forecast
    from forecasting.api import open as open  # noqa: A004 - as in gzip.open
    from forecasting.domain.months import Month as Month
    from forecasting.domain.recipes import Recipe as Recipe
    from forecasting.domain.recipes import read_recipe as read_recipe

_MODULES = {
    "Milkrun": "forecasting.api",
    "Month": "forecasting.domain.months",
    "Recipe": "forecasting.domain.recipes",
    "forecast": "forecasting.api",
    "open": "forecasting.api",
    "read_recipe": "forecasting.domain.recipes",
}
__all__ = ["Milkrun", "Month", "Recipe", "__version__", "forecast", "open", "read_recipe"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is used for the first time."""
    if name not in _MODULES:
        raise AttributeError(f"module 'forecasting' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
