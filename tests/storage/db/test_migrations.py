"""Tests of the migrations."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, text

from forecasting.storage.db.database import Database
from forecasting.storage.db.schema import current_revision, ensure_migrated, migrate
from forecasting.storage.db.tables import SCHEMA, metadata

_DIGEST = """
    SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM (
        SELECT s.name, o.month, o.load_id, o.value FROM milkrun.observation o JOIN milkrun.series s USING (series_id)) t
"""


def test_migrations_and_models_agree(database: Database) -> None:
    """A freshly migrated database has exactly the tables, columns, constraints and comments of tables.py."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "version_table_schema": SCHEMA,
                "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
            },
        )
        assert compare_metadata(context, metadata) == []


def test_check_constraints_are_those_of_the_models(database: Database) -> None:
    """Alembic does not compare CHECK constraints, so their names are compared here."""
    expected = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if type(constraint).__name__ == "CheckConstraint"
    }
    with database.reading() as connection:
        found = set(
            connection.scalars(
                text(
                    "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid::regclass::text LIKE 'milkrun.%'"
                )
            )
        )

    assert expected == found


def test_every_view_and_function_is_commented(database: Database) -> None:
    """The contract with analysts explains itself in the database."""
    with database.reading() as connection:
        silent = connection.scalars(
            text("""
                SELECT relname FROM pg_class WHERE relnamespace = 'milkrun'::regnamespace AND relkind IN ('v', 'r')
                  AND relname <> 'alembic_version' AND obj_description(oid, 'pg_class') IS NULL
                UNION ALL
                SELECT proname FROM pg_proc WHERE pronamespace = 'milkrun'::regnamespace
                  AND obj_description(oid, 'pg_proc') IS NULL
            """)
        ).all()

    assert silent == []


def test_down_and_up_again_on_data(database: Database, arrive: Callable[..., object]) -> None:
    """Going down to nothing and up again works on a database with data, and leaves it empty and usable."""
    arrive("1974-01", milk=[1.0, 2.0])

    migrate(database, "base")
    assert current_revision(database) is None
    migrate(database)

    arrive("1974-01", milk=[1.0, 2.0])
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM milkrun.latest_observation")) == 2


def test_migrating_again_changes_nothing(database: Database, arrive: Callable[..., object]) -> None:
    """A second upgrade leaves revision and data as they are."""
    arrive("1974-01", milk=[1.0, 2.0])
    with database.reading() as connection:
        before = connection.scalar(text(_DIGEST))

    migrate(database)
    ensure_migrated(database)

    with database.reading() as connection:
        assert before == connection.scalar(text(_DIGEST))


def test_eight_migrations_at_once_end_as_one(empty_database_url: URL, tmp_path: Path) -> None:
    """Concurrent upgrades of an empty database wait for one another; none fails."""
    program = (
        "from forecasting.domain.settings import Settings\n"
        "from forecasting.storage.db.database import open_database\n"
        "from forecasting.storage.db.schema import migrate\n"
        "with open_database(Settings.from_environment()) as database: migrate(database)"
    )
    environment = {**os.environ, "DATABASE_URL": empty_database_url.render_as_string(hide_password=False)}
    upgrades = [
        subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(8)
    ]

    assert [(upgrade.communicate()[1], upgrade.returncode) for upgrade in upgrades] == [("", 0)] * 8
