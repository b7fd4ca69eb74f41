"""Every hostile statement is given to milkrun sql and to milkrun pull, as each kind of user; nothing happens."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from forecasting.domain.errors import MilkrunError
from forecasting.domain.settings import Settings
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.databases import Selection, open_database_source
from forecasting.storage.db.database import Database, open_database
from forecasting.storage.db.schema import open_migrated_database
from forecasting.storage.views.sql import query_url, run_query
from tests.faults.rows import stored, structure
from tests.storage.hostile_statements import FILES, HARMLESS_STATEMENTS, HOSTILE_STATEMENTS
from tests.storage.test_roles import apply_roles, as_role

pytestmark = pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="needs a server that trusts its roles")


class Target:
    """A database as one user sees it, a folder that nothing may be written into, and what both hold at first."""

    def __init__(self, database: Database, owner: Database, folder: Path) -> None:
        self.database, self.owner, self.folder = database, owner, folder
        self.secret = folder / "secret"
        self.secret.write_text("sesame")
        folder.chmod(0o777)
        self.secret.chmod(0o644)
        self.first_state = self.state()

    def state(self) -> tuple[str, ...]:
        """Return a digest of all that could be changed: rows, structure, roles, settings, locks, large objects and files."""
        with self.owner.reading() as connection:
            contents = [*sorted(stored(connection).items()), *sorted(structure(connection).items())]
            others = [str(connection.execute(text(query)).all()) for query in _OTHER_STATE]
        digest = hashlib.sha256(repr(contents).encode()).hexdigest()
        return (digest, *others, *sorted(file.name for file in self.folder.iterdir()))

    def try_query(self, statement: str) -> str | None:
        """Run a statement as milkrun sql does; returns its rows, None where it is refused."""
        try:
            with run_query(self.database, self._fill_in(statement), seconds=20) as (_, rows):
                return str(list(rows))
        except MilkrunError:
            return None

    def try_pull(self, statement: str) -> str | None:
        """Run a statement as milkrun pull does, alone and within a query of observations; returns rows, None where refused."""
        answer, statement = None, self._fill_in(statement)
        for query in (statement, f"select h::text as series, '1962-01' as month, 1 as value from ({statement}) as h"):
            with contextlib.suppress(MilkrunError):
                source = open_database_source(query_url(self.database), Selection(query=query), ColumnRoles())
                answer = str([batch.to_pylist() for batch in source])
        return answer

    def _fill_in(self, statement: str) -> str:
        return statement.replace("{folder}", str(self.folder)).replace("{secret}", str(self.secret))


_OTHER_STATE = (
    "SELECT rolname, rolsuper, rolcanlogin FROM pg_roles WHERE rolname <> 'milkrun_query' ORDER BY 1",
    "SELECT name, setting FROM pg_file_settings ORDER BY seqno",
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
    "SELECT count(*) FROM pg_largeobject_metadata",
    "SELECT count(*) FROM pg_prepared_xacts",
    "SELECT slot_name FROM pg_replication_slots",
    "SELECT extname FROM pg_extension ORDER BY 1",
)


@pytest.fixture(scope="module", params=["embedded owner", "owner", "writer", "reader"])
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, story: Settings
) -> Iterator[Target]:
    """Give a database with a year of runs, as a user of each kind sees it."""
    with tempfile.TemporaryDirectory(prefix="milkrun-hostile-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "files").mkdir()
        if request.param == "embedded owner":
            settings = Settings(home=folder / "home")
            database = owner = stack.enter_context(open_migrated_database(settings))
            with owner.engine.begin() as connection:
                _fill(connection)
        else:
            owner = stack.enter_context(open_database(story))
            apply_roles(owner.engine.url)
            role = as_role(owner.engine.url, f"milkrun_{request.param}", folder)
            database = stack.enter_context(open_database(role))
        yield Target(database, owner, folder / "files")


def _fill(connection: Connection) -> None:
    connection.execute(
        text("""
        INSERT INTO milkrun.load (source, rows_read, rows_added, rows_unchanged, rows_collapsed, rows_rejected)
        VALUES ('file', 1, 1, 0, 0, 0)
        """)
    )
    connection.execute(text("INSERT INTO milkrun.series (name, first_load_id) VALUES ('milk', 1)"))
    connection.execute(text("INSERT INTO milkrun.observation VALUES (1, '1962-01-01', 1, 589)"))


def test_no_hostile_statement_does_anything(target: Target) -> None:
    """Whoever asks: every statement is refused, or gives rows that hold no file, and everything is as it was."""
    assert len(HOSTILE_STATEMENTS) >= 60
    for statement in HOSTILE_STATEMENTS:
        for answer in (target.try_query(statement), target.try_pull(statement)):
            assert answer is None or statement not in FILES, f"{statement}: {answer}"
            assert "sesame" not in (answer or ""), statement
        assert target.state() == target.first_state, statement


def test_no_setting_or_lock_outlives_a_query(target: Target) -> None:
    """What a query may do to its own session ends with the session or the transaction."""
    for statement in HARMLESS_STATEMENTS:
        target.try_query(statement)
        with run_query(target.database, "select current_setting('statement_timeout')") as (_, rows):
            assert list(rows) == [("1min",)], statement
        assert target.state() == target.first_state, statement
