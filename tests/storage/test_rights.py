"""Every statement that somebody could try, as writer and as reader, on every object of the schema: a matrix that it gives."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from operator import methodcaller
from pathlib import Path

import pytest
from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import DBAPIError

from forecasting.storage.db.database import Database, create_engine
from forecasting.storage.db.schema import open_migrated_database
from forecasting.storage.views.sql import run_query
from tests.documents.test_blocks import blocks_of
from tests.documents.texts import DOCUMENTS, ROOT
from tests.storage.test_roles import apply_roles, as_role

pytestmark = pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="needs a server that trusts its roles")

WITHOUT_A_RIGHT = "42501"
NOT_FOR_VIEWS = ("55000", "0A000", "42809")
READ_FUNCTIONS = ("forecast_as_of", "running_month")


@dataclass(frozen=True)
class Relation:
    """A table, view or sequence of the schema; columns: its columns' names."""

    name: str
    kind: str
    columns: tuple[str, ...]

    @property
    def statements(self) -> dict[str, str]:
        """Statements on it, by what they need a right for; allowed ones change nothing, or fail for want of values."""
        place = f"milkrun.{self.name}"
        if self.kind == "S":
            return {"NEXTVAL": f"SELECT nextval('{place}')", "SETVAL": f"SELECT setval('{place}', 1)"}
        word = "VIEW" if self.kind == "v" else "TABLE"
        return {
            "SELECT": f"SELECT * FROM {place} LIMIT 0",
            "INSERT": f"INSERT INTO {place} DEFAULT VALUES",
            **{f"UPDATE {name}": f'UPDATE {place} SET "{name}" = DEFAULT WHERE false' for name in self.columns},
            "DELETE": f"DELETE FROM {place} WHERE false",
            "TRUNCATE": f"TRUNCATE {place} CASCADE",
            "LOCK": f"LOCK TABLE {place} IN ACCESS EXCLUSIVE MODE",
            "DROP": f"DROP {word} {place} CASCADE",
            "RENAME": f"ALTER {word} {place} RENAME TO other",
            "OWNER": f"ALTER {word} {place} OWNER TO CURRENT_USER",
            "COLUMN": f'ALTER {word} {place} RENAME COLUMN "{self.columns[0]}" TO other',
            "COMMENT": f"COMMENT ON {word} {place} IS 'mine'",
            "RULE": f"CREATE RULE mine AS ON INSERT TO {place} DO NOTHING",
            "TRIGGER": f"CREATE TRIGGER mine AFTER INSERT ON {place} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        }

    def allows(self, role: str) -> set[str]:
        """Return what a role may do with it: the promise that the matrix is held against."""
        if self.kind == "S":
            return set()
        if self.kind == "v" or self.name == "alembic_version":
            return {"SELECT"}
        if role == "milkrun_reader":
            return set()
        more = {"run": {"UPDATE state", "UPDATE published_at"}, "bundle": {"UPDATE payload"}}
        return {"SELECT", "INSERT"} | more.get(self.name, set())


FORBIDDEN = {
    "table": "CREATE TABLE milkrun.mine (x int)",
    "view": "CREATE VIEW milkrun.mine AS SELECT 1",
    "sequence": "CREATE SEQUENCE milkrun.mine",
    "type": "CREATE TYPE milkrun.mine AS (x int)",
    "function": "CREATE FUNCTION milkrun.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "table in public": "CREATE TABLE public.mine (x int)",
    "schema": "CREATE SCHEMA mine",
    "drop schema": "DROP SCHEMA milkrun CASCADE",
    "take schema": "ALTER SCHEMA milkrun OWNER TO CURRENT_USER",
    "become the owner": "SET ROLE milkrun_owner",
    "role": "CREATE ROLE mine",
    "password of another": "ALTER ROLE milkrun_owner PASSWORD 'mine'",
    "event trigger": "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION milkrun.bundle_payload_stays()",
    "defaults of the owner": "ALTER DEFAULT PRIVILEGES FOR ROLE milkrun_owner GRANT ALL ON TABLES TO PUBLIC",
    "no triggers": "SET session_replication_role = replica",
    "a file": "SELECT pg_read_file('postgresql.conf')",
    "write a file": "COPY (SELECT 1) TO '/tmp/milkrun-mine'",
    "a program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "large object": "SELECT lo_create(0)",
    "large object of bytes": "SELECT lo_from_bytea(0, 'mine')",
    "old large object": "SELECT lo_creat(-1)",
}
FORBIDDEN_ALONE = {  # not within a transaction
    "database": "CREATE DATABASE mine",
    "the server's settings": "ALTER SYSTEM SET fsync = off",
}
# A session that holds a lock of Milkrun would keep every run waiting.
FORBIDDEN_TO_READERS = {
    "temporary table": "CREATE TEMP TABLE mine (x int)",
    **{
        f"{name} of {arguments}": f"SELECT {name}({arguments})"
        for name in (
            "pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared",
            "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared", "pg_try_advisory_xact_lock",
            "pg_try_advisory_xact_lock_shared",
        )
        for arguments in ("7145202", "0, 7145202")
    },
}  # fmt: skip


@contextlib.contextmanager
def session(url: URL, role: str) -> Iterator[Connection]:
    """Log in as a role and lift what a session may lift by itself: read-only transactions and timeouts."""
    engine = create_engine(url.set(username=role))
    with engine.connect() as connection:
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(text("SET statement_timeout = 0"))
        connection.commit()
        yield connection
        connection.rollback()
    engine.dispose()


def outcome_of(connection: Connection, statement: str) -> str:
    """Try a statement, undo it, and return its SQLSTATE, empty where it was done."""
    try:
        connection.execute(text(statement.replace(":", "\\:")))
    except DBAPIError as failure:
        return str(getattr(failure.orig, "pgcode", None))
    finally:
        connection.rollback()
    return ""


@pytest.fixture
def relations(database: Database, database_url: URL) -> list[Relation]:
    """Give everything in the schema, once the roles have been made; PUBLIC may create tables, as in PostgreSQL 14."""
    database.write(lambda connection: connection.execute(text("GRANT CREATE ON SCHEMA public TO PUBLIC")))
    apply_roles(database_url)
    with database.reading() as connection:
        rows = connection.execute(
            text("""
                SELECT relname, relkind::text, array_agg(attname::text ORDER BY attnum)
                FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
                WHERE relnamespace = 'milkrun'::regnamespace AND relkind NOT IN ('i', 't', 'c') GROUP BY 1, 2
            """)
        )
        return [Relation(name, kind, tuple(columns)) for name, kind, columns in rows]


@pytest.mark.parametrize("role", ["milkrun_writer", "milkrun_reader"])
def test_each_role_may_do_what_it_must_and_nothing_else(
    relations: list[Relation], database_url: URL, role: str
) -> None:
    """On each table, view and sequence: what is promised goes, everything else is refused for want of a right."""
    wrong, tried = [], 0
    with session(database_url, role) as connection:
        for relation in relations:
            for what, statement in relation.statements.items():
                outcome = outcome_of(connection, statement)
                allowed = what in relation.allows(role)
                refused = outcome == WITHOUT_A_RIGHT or (relation.kind == "v" and outcome in NOT_FOR_VIEWS)
                wrong += [(relation.name, what, outcome)] if allowed == refused else []
                tried += 1

    assert wrong == []
    assert {"forecast", "forecast_change_part", "promotion", "promotion_history", "run_outcome"} <= {
        relation.name for relation in relations
    }
    assert tried > 500


@pytest.mark.parametrize("role", ["milkrun_writer", "milkrun_reader"])
def test_each_role_is_refused_what_would_lead_around_its_rights(
    relations: list[Relation], database: Database, database_url: URL, role: str
) -> None:
    """Objects of their own, other roles, files, programs, locks and the schema's functions are out of reach."""
    with database.reading() as connection:
        functions = connection.scalars(
            text("SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'milkrun'::regnamespace")
        ).all()
    forbidden = FORBIDDEN | (FORBIDDEN_TO_READERS if role == "milkrun_reader" else {})
    forbidden |= {f"drop {name}": f"DROP FUNCTION {name} CASCADE" for name in functions}
    forbidden |= {f"take {name}": f"ALTER FUNCTION {name} SECURITY INVOKER" for name in functions}

    with session(database_url, role) as connection:
        let_in = {what: code for what, code in ((w, outcome_of(connection, s)) for w, s in forbidden.items())
                  if code != WITHOUT_A_RIGHT}  # fmt: skip
        connection.execution_options(isolation_level="AUTOCOMMIT")
        let_in |= {what: code for what, code in ((w, outcome_of(connection, s)) for w, s in FORBIDDEN_ALONE.items())
                   if code != WITHOUT_A_RIGHT}  # fmt: skip
        internal_functions = [name for name in functions if not name.split(".")[1].startswith(READ_FUNCTIONS)]
        codes = {name: outcome_of(connection, f"SELECT {name}") for name in internal_functions}

    assert let_in == {}
    assert set(codes.values()) == {WITHOUT_A_RIGHT}  # functions of triggers: the owner's triggers alone call them
    assert len(functions) > len(internal_functions)


def test_the_writer_takes_the_locks_that_runs_need(relations: list[Relation], database_url: URL) -> None:
    """What the reader is refused, the writer and the owner may."""
    for role in ("milkrun_writer", "milkrun_owner"):
        with session(database_url, role) as connection:
            outcomes = {outcome_of(connection, statement) for statement in FORBIDDEN_TO_READERS.values()}
        assert outcomes == {""}, role


def test_tables_of_a_coming_migration_are_guarded_before_the_script_runs_again(
    relations: list[Relation], database: Database, database_url: URL
) -> None:
    """What the owner makes later can be written by runs at once, changed by nobody, and read by readers after the script."""
    with session(database_url, "milkrun_owner") as owner:
        owner.execute(text("CREATE TABLE milkrun.coming (x int)"))
        owner.execute(text("CREATE VIEW milkrun.coming_view AS SELECT * FROM milkrun.coming"))
        owner.commit()
    coming = Relation("coming", "r", ("x",))
    tried: dict[str, dict[str, str]] = {}
    for role in ("milkrun_writer", "milkrun_reader"):
        with session(database_url, role) as connection:
            tried[role] = {what: outcome_of(connection, statement) for what, statement in coming.statements.items()}
    assert {what for what, code in tried["milkrun_writer"].items() if code != WITHOUT_A_RIGHT} == {"SELECT", "INSERT"}
    assert set(tried["milkrun_reader"].values()) == {WITHOUT_A_RIGHT}

    apply_roles(database_url)

    with session(database_url, "milkrun_reader") as reader:
        assert outcome_of(reader, "SELECT * FROM milkrun.coming_view") == ""
        assert outcome_of(reader, "INSERT INTO milkrun.coming_view VALUES (1)") == WITHOUT_A_RIGHT
    with session(database_url, "milkrun_writer") as writer:
        assert outcome_of(writer, "INSERT INTO milkrun.coming_view VALUES (1)") == WITHOUT_A_RIGHT


def test_the_matrix_sees_a_right_too_many(relations: list[Relation], database: Database, database_url: URL) -> None:
    """Control: one column that the writer may change, or one table that the reader may read, is found."""
    for role, right, what in (
        ("milkrun_writer", "UPDATE (value)", "UPDATE value"),
        ("milkrun_reader", "SELECT", "SELECT"),
    ):
        grant = text(f"GRANT {right} ON milkrun.forecast TO {role}")
        database.write(methodcaller("execute", grant))
        [forecast] = [relation for relation in relations if relation.name == "forecast"]
        with session(database_url, role) as connection:
            assert outcome_of(connection, forecast.statements[what]) == ""
        assert what not in forecast.allows(role)


def test_a_reader_can_ask_whatever_the_guides_ask(story_copy_url: URL, tmp_path: Path) -> None:
    """Every SQL block under docs/ finds rows as milkrun_reader; ARCHITECTURE.md follows a number through the tables."""
    apply_roles(story_copy_url)
    guides = [document for document in DOCUMENTS if document.is_relative_to(ROOT / "docs")]
    blocks = [block for guide in guides for block in blocks_of(guide) if block.language == "sql"]
    with open_migrated_database(as_role(story_copy_url, "milkrun_reader", tmp_path)) as database:
        for block in blocks:
            with run_query(database, block.text) as (_, rows):
                assert list(rows), block.text
    assert len(blocks) > 20
