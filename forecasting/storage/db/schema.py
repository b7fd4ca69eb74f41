"""The tables' coming to be: migrations, which are installed with the package."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from forecasting.domain.errors import EnvironmentFailure
from forecasting.domain.settings import Settings
from forecasting.storage.db.database import Database, open_database, to_milkrun_error

# The wheel has the folder inside the package, a checkout beside it. It is found by path and not imported: the working
# folder, or another distribution, may have a package named migrations.
_PACKAGE = Path(__file__).parents[2]
MIGRATIONS = _PACKAGE / "_migrations" if (_PACKAGE / "_migrations").is_dir() else _PACKAGE.parent / "migrations"


@contextlib.contextmanager
def open_migrated_database(settings: Settings) -> Iterator[Database]:
    """Open the database of the settings, with its tables as this release needs them; raises as open_database does."""
    with open_database(settings) as database:
        ensure_migrated(database)
        yield database


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the tables to a revision, one process at a time (migrations/env.py takes the lock); a downgrade: base or -1.

    Raises EnvironmentFailure where they are at a revision that this release does not know.
    """
    current = current_revision(database)
    if current is not None and not knows_revision(current):
        raise EnvironmentFailure(
            f"The tables at {database.place} are at revision {current}, which this release does not know. "
            f"{remedy_of(current)}"
        )
    try:
        with database.engine.connect() as connection:
            config = alembic_config()
            downgrade = revision == "base" or revision.startswith("-")
            config.attributes.update(connection=connection, downgrade=downgrade)
            (command.downgrade if downgrade else command.upgrade)(config, revision)
    except DBAPIError as failure:
        raise to_milkrun_error(failure, database.place) from None


def ensure_migrated(database: Database) -> None:
    """Migrate when the tables are older than this release, or came down to it and lack its views; else a glance."""
    if current_revision(database) != newest_revision() or not _has_views(database):
        migrate(database)


def _has_views(database: Database) -> bool:
    with database.reading() as connection:
        views = "SELECT FROM pg_class WHERE relnamespace = to_regnamespace('milkrun') AND relkind = 'v'"
        return bool(connection.scalar(text(f"SELECT EXISTS ({views})")))


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


def remedy_of(revision: str) -> str:
    """Say what to do with tables at a revision that this release does not know."""
    if revision in _BEFORE_BASELINE:
        return (
            "Install the last commit that has migrations/versions/0011_intake_views.py, bring them to revision 0012 with "
            "its milkrun migrate, and come back."
        )
    return "Install the release that migrated them, or a newer one."


_BEFORE_BASELINE = {f"{number:04}" for number in range(1, 12)}  # never left development; the baseline has replaced them


def alembic_config() -> Config:
    """Return the configuration of the migrations that are installed with this release."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
