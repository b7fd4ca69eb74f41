"""Tests of the settings."""

from pathlib import Path

import pytest

from forecasting.domain.errors import InputError
from forecasting.domain.settings import Settings


def test_everything_may_be_set_by_the_environment() -> None:
    """Each variable reaches its field."""
    settings = Settings.from_environment(
        {"MILKRUN_HOME": "/data", "DATABASE_URL": "postgresql://h/d", "MILKRUN_RECIPE": "x", "MILKRUN_SHARD_SIZE": "5",
         "MILKRUN_LATE_MONTHS": "0", "MILKRUN_WORKERS": "2", "MILKRUN_DASK": "local:2", "MILKRUN_TIMEZONE": "Asia/Tokyo",
         "MILKRUN_ARRIVAL_SHARE": "0.9", "MILKRUN_ARRIVAL_DEADLINE": "7"}
    )  # fmt: skip

    expected = Settings(
        Path("/data"), "postgresql://h/d", "x", 5, 0, 2, "local:2", "Asia/Tokyo", arrival_share=0.9, arrival_deadline=7
    )
    assert expected == settings


def test_an_empty_variable_counts_as_unset() -> None:
    """Variables set to nothing, as compose files do, leave the defaults."""
    settings = Settings.from_environment({"DATABASE_URL": "", "MILKRUN_SHARD_SIZE": "", "MILKRUN_HOME": ""})

    assert settings.database_url is None
    assert settings.shard_size == 1000
    assert settings.home.is_absolute()


@pytest.mark.parametrize("value", ["9" * 5000, "many", "-1", "0", "1.5"])
def test_a_number_that_cannot_be_is_refused_by_name(value: str) -> None:
    """The error names the variable and its value."""
    with pytest.raises(InputError, match=f"MILKRUN_SHARD_SIZE is '{value}'"):
        Settings.from_environment({"MILKRUN_SHARD_SIZE": value})
