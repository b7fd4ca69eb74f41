"""Databases for tests: one migrated template for the session, cloned for each test, on a real PostgreSQL."""

import atexit
import contextlib
import functools
import importlib.resources
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from sqlalchemy import URL, Engine, make_url, text

from forecasting.domain.months import Month
from forecasting.domain.settings import Settings
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import open_file
from forecasting.intake.loads import LoadResult, load_observations
from forecasting.storage.db import embedded
from forecasting.storage.db.database import Database, create_engine, open_database
from forecasting.storage.db.schema import migrate
from tests.story import tell

_clones = itertools.count()

# Before Prefect is imported anywhere: a home of its own, no telemetry, patience on a busy machine.
_PREFECT_HOME = tempfile.mkdtemp(prefix="milkrun-prefect-")
atexit.register(shutil.rmtree, _PREFECT_HOME, ignore_errors=True)
os.environ.update(
    PREFECT_HOME=_PREFECT_HOME,
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="240",
    PREFECT_LOGGING_TO_API_ENABLED="false",
    DO_NOT_TRACK="1",
)
os.environ.pop("PREFECT_API_URL", None)

# The same examples every time; `make faults` draws others, ten times as many (--hypothesis-profile faults).
hypothesis_settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis_settings.register_profile("faults", deadline=None, max_examples=1000, print_blob=True)
hypothesis_settings.load_profile("steady")


@pytest.fixture(scope="session", autouse=True)
def _signals_of_pytest() -> Iterator[None]:
    """Leave the signals to pytest where a test calls a command in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forecasting.cli.stop_on_signals", lambda: None)
        yield


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


@pytest.fixture(scope="session")
def story(
    server: URL, administrator: Engine, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Give the settings of a database with a year of published runs, for tests that only read."""
    name = f"milkrun_story_{os.getpid()}"
    with _new_database(administrator, name, template):
        url = server.set(database=name).render_as_string(hide_password=False)
        home = tmp_path_factory.mktemp("story")
        settings = Settings(home=home, database_url=url)
        tell(settings, home)
        yield settings


@pytest.fixture
def story_copy_url(story: Settings, server: URL, administrator: Engine) -> Iterator[URL]:
    """Give the URL of a copy of that database, for a test that goes on from there."""
    name = f"milkrun_test_{os.getpid()}_{next(_clones)}"
    with _new_database(administrator, name, str(make_url(str(story.database_url)).database)):
        yield server.set(database=name)


@contextlib.contextmanager
def _new_database(administrator: Engine, name: str, template: str) -> Iterator[None]:
    with administrator.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    try:
        yield
    finally:
        with administrator.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
def elsewhere(server: URL, administrator: Engine, template: str, tmp_path: Path) -> Iterator[Database]:
    """Give a second database, migrated and empty, open."""
    name = f"milkrun_test_{os.getpid()}_{next(_clones)}"
    with _new_database(administrator, name, template):
        url = server.set(database=name).render_as_string(hide_password=False)
        with open_database(Settings(home=tmp_path, database_url=url)) as opened:
            yield opened


@pytest.fixture
def arrive(database: Database, tmp_path: Path) -> Callable[..., LoadResult]:
    """Give a function that loads values of consecutive months, as one load: `arrive("1974-01", milk=[1.0, 2.0])`."""
    return functools.partial(_arrive, database, tmp_path)


@pytest.fixture
def arrive_elsewhere(elsewhere: Database, tmp_path: Path) -> Callable[..., LoadResult]:
    """Give the same for the second database."""
    return functools.partial(_arrive, elsewhere, tmp_path)


def _arrive(database: Database, folder: Path, first: str, /, **values: Sequence[float | None]) -> LoadResult:
    length = max(len(months) for months in values.values())
    months = [Month.parse(first) + step for step in range(length)]
    rows = [
        ",".join([str(month), *("" if step >= len(v) or v[step] is None else repr(v[step]) for v in values.values())])
        for step, month in enumerate(months)
    ]
    file = folder / f"arrival-{next(_clones)}.csv"
    file.write_text("\n".join([",".join(["month", *values]), *rows]) + "\n")
    source = open_file(file, ColumnRoles(form="wide"))
    return load_observations(database, source, source=source.name, today=Month.of(2200, 1))


@pytest.fixture(scope="session")
def milk() -> list[float]:
    """Give the 168 months of the milk series, from 1962-01 on."""
    lines = importlib.resources.files("forecasting.examples").joinpath("milk.csv").read_text().splitlines()
    return [float(line.split(",")[1]) for line in lines[1:]]
