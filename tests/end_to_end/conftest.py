"""One hosted Milkrun for the session."""

import contextlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, text

from forecasting.domain.settings import Settings
from forecasting.storage.db.database import create_engine
from tests.end_to_end.hosting import DEPLOY, Api, Hosting, Process, hosted


@pytest.fixture(scope="session")
def prefect_database(server: URL, administrator: Engine) -> Iterator[URL]:
    """Give an empty database with the extension pg_trgm, which a Prefect server needs."""
    name = f"milkrun_prefect_{os.getpid()}"
    folder = Path(tempfile.mkdtemp(prefix="milkrun-pg-trgm-"))
    with administrator.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template0'))
        if not connection.scalar(text("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")):
            _lend_pg_trgm(folder)
            connection.execute(text(f"ALTER DATABASE \"{name}\" SET extension_control_path = '$system:{folder}'"))
            connection.execute(text(f"ALTER DATABASE \"{name}\" SET dynamic_library_path = '$libdir:{folder}'"))
    url = server.set(database=name)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE EXTENSION pg_trgm"))
    engine.dispose()
    yield url
    with administrator.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    shutil.rmtree(folder)


def _lend_pg_trgm(folder: Path) -> None:
    """Copy the extension out of a package that brings it for PostgreSQL 18, to where the server's account can read it."""
    found = importlib.util.find_spec("pgserver")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent / "pginstall"
    (folder / "extension").mkdir()
    for file in (package / "share/postgresql/extension").glob("pg_trgm*"):
        shutil.copy(file, folder / "extension")
    shutil.copy(package / "lib/postgresql/pg_trgm.so", folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)


@pytest.fixture(scope="session")
def hosting(prefect_database: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosting]:
    """Host a Prefect server for the session, without any deployment yet."""
    with hosted(tmp_path_factory.mktemp("hosting"), prefect_database) as running:
        yield running


@pytest.fixture(scope="session")
def deployed(hosting: Hosting) -> Hosting:
    """Give the server with Milkrun deployed, and a notification block that is told of failures."""
    with contextlib.closing(Api(hosting)) as visitor:
        visitor.save_webhook("operations", {"url": "http://127.0.0.1:9/hook", "name": "operations"})
    answer = hosting.milkrun(None, *DEPLOY)
    assert answer.returncode == 0, answer.stderr
    return hosting


@pytest.fixture
def api(hosting: Hosting) -> Iterator[Api]:
    """Give the API as the UI uses it."""
    with contextlib.closing(Api(hosting)) as visitor:
        yield visitor


@pytest.fixture
def work(deployed: Hosting, settings: Settings) -> Iterator[Callable[..., Process]]:
    """Give a function that starts a worker on the test's own database; whatever it starts ends with the test."""
    started: list[Process] = []

    def start(**extra: str) -> Process:
        started.append(deployed.start_worker(settings, **extra))
        return started[-1]

    yield start
    for process in started:
        deployed.stop(process)
