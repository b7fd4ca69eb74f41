"""Tests of backup and restore."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from forecasting.domain.errors import InputError
from forecasting.domain.settings import Settings
from forecasting.runs import job
from forecasting.storage.db import tables
from forecasting.storage.db.database import Database, open_database
from forecasting.storage.db.dumps import _url_without_password, back_up, restore
from forecasting.storage.db.schema import current_revision


def contents(database: Database) -> dict[str, str | None]:
    """Digest every table."""
    with database.reading() as connection:
        return {
            name: connection.scalar(text(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t"))
            for name in tables.metadata.tables
        }


def test_a_restored_database_is_the_one_that_was_backed_up(
    database: Database,
    settings: Settings,
    empty_database_url: URL,
    arrive: Callable[..., object],
    milk: list[float],
    tmp_path: Path,
) -> None:
    """Every table has the same rows, a repeated run is still known as published, and nothing is ever overwritten."""
    arrive("1962-01", milk=milk)
    run = job.open_run(database, job.run_parameters(settings, recipe="classic"))
    job.run_shard(database, run, 0)
    job.publish_run(database, run)
    back_up(database, tmp_path / "milkrun.dump")
    elsewhere = Settings(home=tmp_path, database_url=empty_database_url.render_as_string(hide_password=False))

    with open_database(elsewhere) as restored:
        restore(restored, tmp_path / "milkrun.dump")

        assert contents(restored) == contents(database)
        assert current_revision(restored) == current_revision(database)
        assert job.open_run(restored, job.run_parameters(elsewhere, recipe="classic")).state == "published"
        arrived = contents(restored)
        with pytest.raises(InputError, match="has Milkrun's tables already"):
            restore(restored, tmp_path / "milkrun.dump")
        assert contents(restored) == arrived
    with pytest.raises(InputError, match="exists"):
        back_up(database, tmp_path / "milkrun.dump")


def test_the_list_of_processes_shows_no_password(database_url: URL) -> None:
    """Neither a password before the host nor one in the query is an argument of pg_dump."""
    secret = "hushed"  # noqa: S105
    url = database_url.set(password=secret).update_query_dict({"password": secret})

    assert secret not in _url_without_password(url)
    assert _url_without_password(url).startswith("postgresql://")
