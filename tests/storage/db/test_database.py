"""Tests of connections."""

import pytest
from sqlalchemy import URL, text

from forecasting.domain.errors import EnvironmentFailure, InputError, StatementRefused
from forecasting.domain.settings import Settings
from forecasting.storage.db.database import Database, open_database


def test_every_connection_speaks_utc_and_gives_up_in_time(database: Database) -> None:
    """Session settings hold on each connection."""
    with database.reading() as connection:
        assert connection.scalar(text("SHOW TimeZone")) == "UTC"
        assert connection.scalar(text("SHOW lock_timeout")) == "1min"
        assert connection.scalar(text("SHOW transaction_read_only")) == "on"


def test_a_failed_transaction_leaves_nothing_and_names_the_constraint(database: Database) -> None:
    """The error tells SQLSTATE and constraint, and never quotes the row."""
    with pytest.raises(StatementRefused, match=r"SQLSTATE 23514, constraint series_name_check") as failure:
        database.write(
            lambda connection: connection.execute(
                text("INSERT INTO milkrun.series (name, first_load_id) VALUES (:name, 1)"), {"name": "secret\n"}
            )
        )

    assert "secret" not in str(failure.value)
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM milkrun.series")) == 0


def test_a_transaction_is_repeated_whole_when_its_backend_is_terminated(database: Database) -> None:
    """A connection killed in the middle costs nothing but a second attempt."""
    attempts = []

    def transaction(connection: object) -> None:
        attempts.append(1)
        connection.execute(  # type: ignore[attr-defined]
            text("INSERT INTO milkrun.recipe (recipe_hash, name, settings) VALUES (:h, 'x', '{}')"),
            {"h": str(len(attempts))},
        )
        if len(attempts) == 1:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))  # type: ignore[attr-defined]

    database.write(transaction)

    with database.reading() as connection:
        assert connection.scalars(text("SELECT recipe_hash FROM milkrun.recipe")).all() == ["2"]


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:topsecret@h/d",
        "postgresql://u:se@topsecret@h:1/d",
        "postgresql://u:topsecret@h:port/d",
        "nonsense topsecret",
    ],
)
def test_an_unusable_url_is_refused_without_quoting_it(settings: Settings, url: str) -> None:
    """The remedy names the form; the password stays out."""
    with (
        pytest.raises(InputError, match=r"PostgreSQL|DATABASE_URL") as refusal,
        open_database(Settings(settings.home, url)),
    ):
        pass

    assert "topsecret" not in str(refusal.value)


def test_a_database_that_is_not_there_is_an_environment_failure(settings: Settings, database_url: URL) -> None:
    """Nothing listens, or the database does not exist: the place is named, the password is not."""
    for url in ("postgresql://u:topsecret@127.0.0.1:1/d", database_url.set(database="absent").render_as_string(False)):
        with (
            pytest.raises(EnvironmentFailure, match=r"cannot be reached|does not exist on its server") as failure,
            open_database(Settings(settings.home, url)),
        ):
            pass
        assert "topsecret" not in str(failure.value)
