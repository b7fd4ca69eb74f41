"""The database that commands work on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecasting.storage.db.database import Database


@contextmanager
def configured_database() -> "Iterator[Database]":
    """Open the database that the environment names, with its tables at this release; it is closed after the block."""
    from forecasting.domain.settings import Settings
    from forecasting.storage.db.schema import open_migrated_database

    with open_migrated_database(Settings.from_environment()) as database:
        yield database
