"""The database that commands work on."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from forecasting.cli.prefect_session import prefect_for_commands

if TYPE_CHECKING:
    from forecasting.storage.db.database import Database


@contextmanager
def configured_database() -> "Iterator[Database]":
    """Open the database that the environment names, with its tables at this release; it is closed after the block."""
    from forecasting.domain.settings import Settings
    from forecasting.storage.db.schema import open_migrated_database

    with open_migrated_database(Settings.from_environment()) as database:
        yield database


@contextmanager
def url_finder(url_names: Iterable[str | None]) -> Iterator[Callable[[str], str]]:
    """Give what finds the URL of a `url_from`; Prefect, which takes seconds to start, is used only where one is in a block.

    url_names: every `url_from` that will be looked up.
    """
    if any("/" in (name or "") for name in url_names):
        with prefect_for_commands(log_lines=False):
            from flows.blocks import find_url

            yield find_url
    else:
        from forecasting.domain.url_names import find_url_in_environment

        yield find_url_in_environment
