"""Prefect for the tests of flows: one server for the session."""

from collections.abc import Iterator

import pytest
from prefect.testing.utilities import prefect_test_harness

from forecasting.domain.settings import Settings


@pytest.fixture(scope="session")
def prefect() -> Iterator[None]:
    """Run a Prefect server for the session."""
    with prefect_test_harness(server_startup_timeout=240):
        yield


@pytest.fixture
def environment(prefect: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment that the flows read their settings from."""
    monkeypatch.setenv("DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("MILKRUN_HOME", str(settings.home))
    monkeypatch.setenv("MILKRUN_RECIPE", "classic")
