"""Tests of the migrations."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from operator import methodcaller
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, Connection, text

from forecasting.domain.errors import EnvironmentFailure, MilkrunError
from forecasting.domain.settings import Settings
from forecasting.storage.db.database import Database, open_database
from forecasting.storage.db.schema import current_revision, ensure_migrated, migrate, newest_revision
from forecasting.storage.db.tables import SCHEMA, metadata
from tests.coming_release import REVISION, coming_release
from tests.faults.rows import structure

_DIGEST = """
    SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM (
        SELECT s.name, o.month, o.load_id, o.value FROM milkrun.observation o JOIN milkrun.series s USING (series_id)) t
"""
_RELATIONS = """
    SELECT relname FROM pg_class WHERE relnamespace = 'milkrun'::regnamespace AND relkind = :kind
      AND relname <> 'alembic_version' ORDER BY relname"""


@pytest.fixture
def empty_database(empty_database_url: URL, tmp_path: Path) -> Iterator[Database]:
    """Give a database without any table, open."""
    url = empty_database_url.render_as_string(hide_password=False)
    with open_database(Settings(home=tmp_path, database_url=url)) as opened:
        yield opened


@pytest.fixture
def older(empty_database: Database) -> Database:
    """Give a database at revision 0012 with six months of runs in it."""
    script = Path(__file__).with_name("revision-0012.sql").read_text()
    with empty_database.engine.connect() as connection:
        connection.exec_driver_sql(script, execution_options={"no_parameters": True})
        connection.commit()
        connection.invalidate()  # the script's settings stay with the session
    return empty_database


def rows_of(connection: Connection) -> Counter[tuple[str, str]]:
    """Return every row of every table, with the table's name; columns without a value, such as added ones, are left out."""
    tables = connection.scalars(text(_RELATIONS), {"kind": "r"}).all()
    return Counter(
        (table, row)
        for table in tables
        for row in connection.scalars(text(f"SELECT jsonb_strip_nulls(to_jsonb(t))::text FROM milkrun.{table} AS t"))
    )


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


def test_an_older_database_keeps_every_row_and_gets_the_schema_of_a_new_one(
    older: Database, database: Database
) -> None:
    """Revision 0012 upgrades: each row stays, each view answers, and nothing differs from a database that begins anew."""
    with older.reading() as connection:
        before = rows_of(connection)

    migrate(older)

    with older.reading() as connection, database.reading() as new:
        assert rows_of(connection) == before
        assert structure(connection) == structure(new)
        views = connection.scalars(text(_RELATIONS), {"kind": "v"}).all()
        answers = {view: connection.scalar(text(f"SELECT count(*) FROM milkrun.{view}")) for view in views}
        assert (
            connection.scalar(text("SELECT count(*) FROM milkrun.forecast_as_of(now())")) == answers["latest_forecast"]
        )
    added = {"source_pull", "delivery"}  # by revision 0013: tables without rows, and views of them
    assert {table for table, _ in before} == {table.name for table in metadata.sorted_tables} - added
    assert {view for view, answer in answers.items() if not answer} == {"pull_history", "delivery_history"}


def test_a_coming_revision_goes_up_down_and_up_again(older: Database, tmp_path: Path) -> None:
    """A column, and a view that shows it at its end, come and go with their revision; all else stays, rows and schema."""
    migrate(older)
    with older.reading() as connection:
        rows, before = rows_of(connection), structure(connection)

    with coming_release(tmp_path):
        migrate(older)
        with older.reading() as connection:
            above = structure(connection)
            remarks = connection.scalars(text("SELECT DISTINCT remark FROM milkrun.latest_observation")).all()
        migrate(older, "-1")
        with older.reading() as connection:
            assert rows_of(connection) == rows
        migrate(older)
        with older.reading() as connection:
            assert structure(connection) == above
        assert current_revision(older) == newest_revision() == REVISION
        migrate(older, "-1")
    ensure_migrated(older)

    with older.reading() as connection:
        assert rows_of(connection) == rows
        assert structure(connection) == before
    assert remarks == ["none"]
    assert sum((above - before).values()) > sum((before - above).values()) > 0


def test_rights_stay_when_views_and_functions_are_replaced(database: Database, tmp_path: Path) -> None:
    """Who may read a view still may, and functions that run as their owner do so after the next release as well."""
    rights = text("""
        SELECT relacl::text FROM pg_class WHERE oid = 'milkrun.latest_observation'::regclass
        UNION ALL SELECT concat(proacl::text, prosecdef, proconfig) FROM pg_proc WHERE proname = 'forecast_as_of'""")
    for statement in (
        "GRANT SELECT ON milkrun.latest_observation TO PUBLIC",
        "REVOKE EXECUTE ON FUNCTION milkrun.forecast_as_of FROM PUBLIC",
        "ALTER FUNCTION milkrun.forecast_as_of SECURITY DEFINER SET search_path = pg_catalog, pg_temp",
    ):
        database.write(methodcaller("execute", text(statement)))
    with database.reading() as connection:
        before = connection.scalars(rights).all()

    with coming_release(tmp_path):
        migrate(database)

    with database.reading() as connection:
        assert connection.scalars(rights).all() == before


def test_down_and_up_again_on_data(database: Database, arrive: Callable[..., object]) -> None:
    """Going down to nothing leaves nothing, on a database with data as well; up again it is as before, and empty."""
    arrive("1974-01", milk=[1.0, 2.0])
    with database.reading() as connection:
        before = structure(connection)

    migrate(database, "base")
    assert current_revision(database) is None
    with database.reading() as connection:
        assert not [line for line in structure(connection) if "alembic_version" not in line]
    migrate(database)

    with database.reading() as connection:
        assert structure(connection) == before
    arrive("1974-01", milk=[1.0, 2.0])
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM milkrun.latest_observation")) == 2


def test_a_downgrade_is_refused_where_a_view_of_somebody_stands_on_ours(database: Database) -> None:
    """What an analyst has built on a view is not dropped with it: nothing changes."""
    database.write(
        lambda connection: connection.execute(text("CREATE VIEW public.mine AS SELECT * FROM milkrun.run_health"))
    )

    with pytest.raises(MilkrunError, match="2BP01"):
        migrate(database, "base")

    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM public.mine")) == 0
    assert current_revision(database) == newest_revision()


@pytest.mark.parametrize(
    ("revision", "remedy"),
    [("0011", "Install the last commit that has migrations/versions/0011_"), ("9999", "Install the release that")],
)
def test_tables_that_this_release_does_not_know_are_refused(database: Database, revision: str, remedy: str) -> None:
    """Those from before the baseline, and those of a newer release: a sentence says what to do."""
    statement = text("UPDATE milkrun.alembic_version SET version_num = :revision").bindparams(revision=revision)
    database.write(lambda connection: connection.execute(statement))

    with pytest.raises(
        EnvironmentFailure, match=rf"at revision {revision}, which this release does not know\. {remedy}"
    ):
        ensure_migrated(database)


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
