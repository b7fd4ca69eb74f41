"""Tests of milkrun source and milkrun delivery, as a person types them."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from forecasting.domain.errors import EXIT_ENVIRONMENT, EXIT_REFUSED
from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult
from forecasting.storage.db.database import Database
from tests.cli.conftest import Milkrun
from tests.operations.test_diagnostics import publish


@pytest.fixture
def call(milkrun: Milkrun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Milkrun:
    """Give a function that runs a command; SALES_URL names an SQLite file with a year of sales."""
    shop = sqlite3.connect(tmp_path / "shop.db")
    shop.execute("CREATE TABLE sales (tag text, month text, amount real)")
    shop.executemany("INSERT INTO sales VALUES ('tea', ?, ?)", [(f"1990-{month:02}", month) for month in range(1, 13)])
    shop.commit()
    shop.close()
    monkeypatch.setenv("SALES_URL", f"sqlite:///{tmp_path / 'shop.db'}")
    return milkrun


ADD = ("source", "add", "sales", "--url-from", "SALES_URL", "--table", "sales", "--series-column", "tag")


def test_a_source_is_added_tested_pulled_and_removed(call: Milkrun, database: Database, settings: Settings) -> None:
    """Each command says what it did; the file is what was typed; removing keeps the observations."""
    added = call(*ADD, "--value-column", "amount", "--optional", "--overlap", "3").out
    shown = call("source", "show", "sales").out
    tested = call("source", "test", "sales").out
    pulled = call("source", "pull")
    [listed] = json.loads(call("source", "list", "--json").out)
    planned = call("plan", "--late-months", "9999").out
    removed = call("source", "remove", "sales").out

    assert "tea, 1990-01: 1.0" in added
    assert "The next run pulls it" in added
    assert shown.splitlines()[1:] == [
        'url_from = "SALES_URL"', 'table = "sales"', "required = false", "overlap = 3", 'series_column = "tag"',
        'value_column = "amount"',
    ]  # fmt: skip
    assert "can be read" in tested
    assert (pulled.code, "12 rows read, 12 new or changed" in pulled.out) == (0, True)
    assert (listed["source"], listed["rows_read"], listed["newest_month"], listed["error"]) == (
        "sales", 12, "1990-12-01", None,
    )  # fmt: skip
    assert "Source sales would be read first: from 1990-10 on." in planned
    assert "Its observations stay" in removed
    assert not list(settings.sources_folder.iterdir())
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM milkrun.observation")) == 12


def test_a_source_that_cannot_be_read_is_not_added(
    call: Milkrun, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake shows at once, with the columns there are; one that fails later ends the pull with exit code 3."""
    mistake, nothing = call(*ADD), call("source", "pull")
    assert not settings.sources_folder.exists()
    call(*ADD, "--value-column", "amount")
    again = call(*ADD, "--value-column", "amount")
    monkeypatch.setenv("SALES_URL", "")
    failed = call("source", "pull", "sales")

    for refused, words in (
        (mistake, "name the right one with --value-column"),
        (nothing, "There is no source in"),
        (again, "There is a source sales already"),
    ):
        assert (refused.code, words in refused.err) == (EXIT_REFUSED, True)
    assert (failed.code, "SALES_URL is empty" in failed.err) == (EXIT_ENVIRONMENT, True)


def test_a_delivery_is_added_sent_and_removed(
    call: Milkrun,
    database: Database,
    settings: Settings,
    arrive: Callable[..., LoadResult],
    milk: list[float],
    tmp_path: Path,
) -> None:
    """What is published goes to the tables and to the folder; a list says what is missing."""
    arrive("1974-01", milk=milk[144:], butter=milk[144:])
    publish(database)
    call("delivery", "add", "shelf", "--url-from", "SALES_URL", "--table", "forecasts")
    call("delivery", "add", "lake", "--path", str(tmp_path / "lake"))
    before = {row["delivery"]: row["runs_to_deliver"] for row in json.loads(call("delivery", "list", "--json").out)}
    sent = call("delivery", "send")
    after = {row["delivery"]: row["runs_to_deliver"] for row in json.loads(call("delivery", "list", "--json").out)}
    again = call("delivery", "send", "shelf").out
    shown = call("delivery", "show", "shelf").out
    call("delivery", "remove", "shelf")

    assert (before, after) == ({"lake": 1, "shelf": 1}, {"lake": 0, "shelf": 0})
    assert (sent.code, sent.out.count("is delivered to")) == (0, 2)
    assert "shelf has every published run" in again
    assert shown.splitlines()[1:] == ['url_from = "SALES_URL"', 'table = "forecasts"']
    assert "there are: lake" in call("delivery", "show", "shelf").err
