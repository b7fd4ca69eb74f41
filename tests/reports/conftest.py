"""Pages of a year of runs."""

from pathlib import Path

import pytest

from forecasting.domain.settings import Settings
from forecasting.operations.run_report import report_run
from forecasting.storage.db.database import open_database


@pytest.fixture(scope="session")
def page(story: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the index.html of the newest run of the story."""
    with open_database(story) as database:
        return report_run(database, None, tmp_path_factory.mktemp("page") / "report")
