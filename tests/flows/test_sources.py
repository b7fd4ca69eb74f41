"""Tests of the month by itself, on Prefect's engine: the flow pulls, waits for its sources, publishes and delivers."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from prefect.client.schemas.objects import State
from pydantic import SecretStr
from sqlalchemy import text

from flows.blocks import find_url
from flows.monthly import monthly_forecast
from forecasting.domain.errors import EnvironmentFailure, InputError
from forecasting.domain.months import Month
from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult
from forecasting.intake.pulls import PullContext, PullResult, pull_source
from forecasting.intake.source_settings import SourceSettings
from forecasting.runs.job import RunSummary
from forecasting.storage.db.database import Database
from tests.runs.test_champion_challenger import seasonal

NEWEST = Month.containing(datetime.now(UTC)) - 1


@pytest.fixture
def shop(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """Give a configured source with eight years of one series, up to the month before the newest that is over."""
    file = tmp_path / "shop.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE sales (month text, series text, value real)")
    for step, value in enumerate(seasonal(96)):
        connection.execute("INSERT INTO sales VALUES (?, 'milk', ?)", (f"{NEWEST - 96 + step}-01", float(value)))
    connection.commit()
    monkeypatch.setenv("SALES_URL", f"sqlite:///{file}")
    settings.sources_folder.mkdir()
    (settings.sources_folder / "sales.toml").write_text("url_from = 'SALES_URL'\ntable = 'sales'\n")
    yield connection
    connection.close()


def forecast_month() -> RunSummary:
    """Run the flow, and return how it ended."""
    summary = monthly_forecast()
    assert isinstance(summary, RunSummary)
    return summary


def state_of_month(**parameters: Any) -> State[Any]:
    """Run the flow, and return the state that it ends in."""
    state: Any = monthly_forecast(return_state=True, **parameters)
    assert isinstance(state, State)
    return state


def rows_of(database: Database, query: str) -> Sequence[Any]:
    """Read rows."""
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(query)).all()]


@pytest.mark.usefixtures("environment")
def test_a_month_that_arrives_in_the_source_is_pulled_published_and_delivered(
    database: Database, settings: Settings, shop: sqlite3.Connection, tmp_path: Path
) -> None:
    """Between two runs of the flow a month appears and another is revised: the second publishes and delivers both."""
    settings.deliveries_folder.mkdir()
    (settings.deliveries_folder / "lake.toml").write_text(f"path = '{tmp_path / 'lake'}'\n")

    first = forecast_month()
    again = forecast_month()
    shop.execute("INSERT INTO sales VALUES (?, 'milk', 123.0)", (f"{NEWEST}-01",))
    shop.execute("UPDATE sales SET value = value + 1 WHERE month = ?", (f"{NEWEST - 1}-01",))
    shop.commit()
    second = forecast_month()

    assert [each.published_now for each in (first, again, second)] == [True, False, True]
    assert [str(each.run.request.origin) for each in (first, second)] == [str(NEWEST - 1), str(NEWEST)]
    assert second.other_steps[0].startswith(f"Source sales, from {NEWEST - 6} on: 7 rows read, 2 new or changed")
    assert second.other_steps[1].startswith(f"Run {second.run.run_id} is delivered to lake")
    assert rows_of(database, "SELECT run_id, made_by IS NULL FROM milkrun.run ORDER BY 1") == [
        (1, False),
        (second.run.run_id, False),
    ]
    assert rows_of(database, "SELECT run_id, error FROM milkrun.delivery ORDER BY 1") == [
        (1, None),
        (second.run.run_id, None),
    ]
    live = f"SELECT count(*) > 0 FROM milkrun.rmse_history WHERE run_id = {second.run.run_id} AND split = 'live'"
    assert rows_of(database, live) == [(True,)]


@pytest.mark.usefixtures("environment")
def test_a_required_source_that_fails_holds_the_run(
    database: Database, settings: Settings, shop: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State and message say so, nothing is forecast; an optional one is told and passed over; the next run goes on."""
    (settings.sources_folder / "extra.toml").write_text("path = '/nowhere/*.csv'\nrequired = false\n")
    monkeypatch.setenv("SALES_URL", "sqlite:////nowhere/shop.db")

    state = state_of_month()

    assert (state.name, state.is_failed()) == ("Held", True)
    assert "Source sales, required, failed: There is no SQLite file" in str(state.message)
    assert "extra" not in str(state.message)
    assert rows_of(database, "SELECT count(*) FROM milkrun.run") == [(0,)]
    assert rows_of(database, "SELECT source, error IS NULL FROM milkrun.source_pull ORDER BY 1") == [
        ("extra", False),
        ("sales", False),
    ]
    with pytest.raises(EnvironmentFailure, match="the next run of the schedule pulls again"):
        forecast_month()

    [(file,)] = [row[2:] for row in shop.execute("PRAGMA database_list")]
    monkeypatch.setenv("SALES_URL", f"sqlite:///{file}")
    summary = forecast_month()
    assert summary.published_now
    assert any("Source extra, optional, failed: No file matches" in step for step in summary.other_steps)


@pytest.mark.usefixtures("environment")
def test_a_source_that_fails_as_nobody_thought_stops_no_other(
    database: Database, settings: Settings, shop: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on record by the type of its error, whose text may hold a password; the run goes on without an optional source."""
    (settings.sources_folder / "odd.toml").write_text("url_from = 'SALES_URL'\ntable = 'sales'\nrequired = false\n")

    def fail(opened: Database, source: SourceSettings, context: PullContext) -> PullResult:
        if source.name == "odd":
            raise RuntimeError("password=s3cret")
        return pull_source(opened, source, context)

    monkeypatch.setattr("flows.sources.pull_source", fail)
    summary = forecast_month()

    assert summary.published_now
    [(error,)] = rows_of(database, "SELECT error FROM milkrun.source_pull WHERE source = 'odd'")
    assert "RuntimeError" in error
    assert "s3cret" not in error


@pytest.mark.usefixtures("environment", "shop")
@pytest.mark.parametrize("folder", ["sources", "deliveries"])
def test_a_mistake_in_a_file_ends_the_run_before_anything_is_done(
    database: Database, settings: Settings, folder: str
) -> None:
    """Nothing is pulled and nothing published: the file is named."""
    (settings.home / folder).mkdir(exist_ok=True)
    (settings.home / folder / "zzz.toml").write_text("foo = 1\n")

    state = state_of_month()

    assert state.is_failed()
    assert "zzz.toml: there is no setting 'foo'" in str(state.message)
    assert rows_of(database, "SELECT count(*) FROM milkrun.source_pull") == [(0,)]


@pytest.mark.usefixtures("environment")
def test_a_delivery_that_fails_leaves_the_run_published(
    database: Database, settings: Settings, shop: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The state says which delivery failed; the next run, which has nothing to forecast, delivers."""
    settings.deliveries_folder.mkdir()
    (settings.deliveries_folder / "shelf.toml").write_text("url_from = 'SHELF_URL'\ntable = 'forecast'\n")
    monkeypatch.setenv("SHELF_URL", "sqlite:////nowhere/shelf.db")

    state = state_of_month()
    monkeypatch.setenv("SHELF_URL", f"sqlite:///{tmp_path / 'shelf.db'}")
    summary = forecast_month()

    assert (state.name, state.is_failed()) == ("Undelivered", True)
    assert "Run 1 stays published, but was not delivered to shelf" in str(state.message)
    assert rows_of(database, "SELECT state FROM milkrun.run") == [("published",)]
    assert not summary.published_now
    assert any(step.startswith("Run 1 is delivered to shelf") for step in summary.other_steps)


@pytest.mark.usefixtures("environment", "shop")
def test_pulling_can_be_switched_off(database: Database) -> None:
    """Without a pull there is nothing to forecast here; a dry run reads no source either."""
    for parameters in ({"pull": False}, {"dry_run": True}):
        state = state_of_month(**parameters)
        assert state.is_failed()
        assert "There are no observations" in str(state.message)
    assert rows_of(database, "SELECT count(*) FROM milkrun.source_pull") == [(0,)]


class Connector(Block):
    """A block with the fields of prefect-sqlalchemy's SqlAlchemyConnector."""

    _block_type_name = "SQLAlchemy Connector"
    _block_type_slug = "sqlalchemy-connector"
    connection_info: Any


@pytest.mark.usefixtures("prefect")
def test_a_url_may_be_in_a_block() -> None:
    """A Secret, or a connector with a text, a url or parts; a block that is missing or empty is named, never its content."""
    Secret(value=SecretStr("postgresql://ada:s3cret@host/shop")).save("sales-url", overwrite=True)
    parts = {
        "driver": "postgresql+psycopg2",
        "username": "ada",
        "password": "p@ss",
        "host": "h",
        "port": 5433,
        "database": "d",
    }
    for name, info in (
        ("text", "sqlite:///x"),
        ("url", {"url": "sqlite:///y"}),
        ("parts", parts),
        ("empty", {"username": "s3cret"}),
    ):
        Connector(connection_info=info).save(name, overwrite=True)

    assert find_url("secret/sales-url") == "postgresql://ada:s3cret@host/shop"
    assert find_url("sqlalchemy-connector/text") == "sqlite:///x"
    assert find_url("sqlalchemy-connector/url") == "sqlite:///y"
    assert find_url("sqlalchemy-connector/parts") == "postgresql+psycopg2://ada:p%40ss@h:5433/d"
    for name, words in (("empty", "holds no URL"), ("missing", "has no block sqlalchemy-connector/missing")):
        with pytest.raises(InputError, match=words) as refusal:
            find_url(f"sqlalchemy-connector/{name}")
        assert "s3cret" not in str(refusal.value)


@pytest.mark.usefixtures("environment")
def test_a_month_that_is_not_over_counts_for_nothing(
    database: Database, arrive: Callable[..., LoadResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its value is kept and marked; no run, no newest month, no actual has it; to ask for it is refused."""
    arrive(str(NEWEST - 95), milk=[*map(float, seasonal(96)), 5.0])

    summary = forecast_month()
    state = state_of_month(origin=str(NEWEST + 1))

    assert str(summary.run.request.origin) == str(NEWEST)
    assert f"The origin {NEWEST + 1} is not over" in str(state.message)
    observed = rows_of(
        database, "SELECT to_char(month, 'YYYY-MM'), is_over FROM milkrun.latest_observation ORDER BY 1 DESC LIMIT 2"
    )
    assert observed == [(str(NEWEST + 1), False), (str(NEWEST), True)]
    assert rows_of(database, "SELECT to_char(month, 'YYYY-MM'), published FROM milkrun.month_health WHERE newest") == [
        (str(NEWEST), True)
    ]
    assert rows_of(database, "SELECT to_char(last_month, 'YYYY-MM'), months FROM milkrun.series_health") == [
        (str(NEWEST), 96)
    ]
    assert rows_of(database, "SELECT count(*) FROM milkrun.forecast_versus_actual") == [(0,)]


def test_the_form_lists_the_recipes() -> None:
    """As the server gets its schema: an empty choice, and the recipes of the machine that deploys."""
    fields = monthly_forecast.parameters.properties

    assert fields["recipe"]["enum"][:4] == ["", "monthly", "classic", "classic-published"]
    assert {name for name, field in fields.items() if "anyOf" in field} == set()
