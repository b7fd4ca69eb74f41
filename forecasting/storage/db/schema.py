"""The tables' coming to be: migrations, which are installed with the package."""

import contextlib
import importlib.resources
from collections.abc import Iterator

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from forecasting.domain.settings import Settings
from forecasting.storage.db.database import Database, open_database, to_milkrun_error


@contextlib.contextmanager
def open_migrated_database(settings: Settings) -> Iterator[Database]:
    """Open the database of the settings, with its tables as this release needs them; raises as open_database does."""
    with open_database(settings) as database:
        ensure_migrated(database)
        yield database


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the tables to a revision, one process at a time (migrations/env.py takes the lock)."""
    try:
        with database.engine.connect() as connection:
            config = alembic_config()
            config.attributes["connection"] = connection
            try:
                if revision == "base" or revision.startswith("-"):
                    command.downgrade(config, revision)
                else:
                    command.upgrade(config, revision)
            finally:
                connection.invalidate()  # its limits are those of a migration
    except DBAPIError as failure:
        raise to_milkrun_error(failure, database.place) from None


def ensure_migrated(database: Database) -> None:
    """Migrate when the tables are older than this release; a glance at one row when they are not."""
    if current_revision(database) != newest_revision():
        migrate(database)


def current_revision(database: Database) -> str | None:
    """Return the revision of the tables, None where there are none."""
    with database.reading() as connection:
        if connection.scalar(text("SELECT to_regclass('milkrun.alembic_version')")) is None:
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM milkrun.alembic_version"))
        return revision


def newest_revision() -> str | None:
    """Return the revision that this release needs."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def knows_revision(revision: str) -> bool:
    """Say whether a revision is one of this release."""
    return revision in {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}


def alembic_config() -> Config:
    """Return the configuration of the migrations that are installed with this release."""
    config = Config()
    config.set_main_option("script_location", str(importlib.resources.files("migrations")))
    return config
