"""Databases for tests: one migrated template for the session, cloned for each test, on a real PostgreSQL."""

import contextlib
import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, make_url, text

from forecasting.settings import Settings
from forecasting.storage import embedded
from forecasting.storage.database import Database, create_engine, migrate, open_database

_clones = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[URL]:
    """Give the URL of a server on which tests may make databases: DATABASE_URL, or an embedded one."""
    if os.environ.get("DATABASE_URL"):
        yield make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg2")
        return
    with tempfile.TemporaryDirectory(prefix="milkrun-tests-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # so that root's server account reaches it
        with embedded.running_server(home) as url:
            yield url


@pytest.fixture(scope="session")
def administrator(server: URL) -> Iterator[Engine]:
    """Give an engine that may create and drop databases."""
    engine = create_engine(server).execution_options(isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def template(server: URL, administrator: Engine) -> Iterator[str]:
    """Give the name of a migrated, empty database."""
    name = f"milkrun_template_{os.getpid()}"
    with _new_database(administrator, name, "template0"):
        engine = create_engine(server.set(database=name))
        migrate(Database(engine, name))
        engine.dispose()
        yield name


@pytest.fixture
def empty_database_url(server: URL, administrator: Engine) -> Iterator[URL]:
    """Give the URL of a database without any table."""
    name = f"milkrun_test_{os.getpid()}_{next(_clones)}"
    with _new_database(administrator, name, "template0"):
        yield server.set(database=name)


@pytest.fixture
def database_url(server: URL, administrator: Engine, template: str) -> Iterator[URL]:
    """Give the URL of a migrated database of the test's own."""
    name = f"milkrun_test_{os.getpid()}_{next(_clones)}"
    with _new_database(administrator, name, template):
        yield server.set(database=name)


@pytest.fixture
def settings(database_url: URL, tmp_path: Path) -> Settings:
    """Give the settings of an installation on the test's own database."""
    return Settings(home=tmp_path, database_url=database_url.render_as_string(hide_password=False))


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """Give the test's own database, open."""
    with open_database(settings) as opened:
        yield opened


@contextlib.contextmanager
def _new_database(administrator: Engine, name: str, template: str) -> Iterator[None]:
    with administrator.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    try:
        yield
    finally:
        with administrator.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
