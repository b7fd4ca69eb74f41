"""Tests of deliveries: a published run is written where people look, once, whatever happens on the way."""

import json
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import URL, create_engine, text

from forecasting.domain.errors import InputError, PassingFailure
from forecasting.domain.settings import Settings
from forecasting.operations import target_files
from forecasting.operations.deliveries import (
    DeliveryResult,
    DeliverySettings,
    deliver,
    find_delivery,
    read_deliveries,
    record_failed_delivery,
    undelivered_runs,
)
from forecasting.storage import target_tables
from forecasting.storage.db.database import Database, open_database
from tests.faults.proxy import losing_commits


@pytest.fixture
def published(story_copy_url: URL, tmp_path: Path) -> Iterator[Database]:
    """Give a database with 16 published live runs of eight series."""
    url = story_copy_url.render_as_string(hide_password=False)
    with open_database(Settings(home=tmp_path, database_url=url)) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database that people look into."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'warehouse.db'}"
    url: URL = request.getfixturevalue("empty_database_url")
    return url.render_as_string(hide_password=False)


TABLES = DeliverySettings("warehouse", url_from="WAREHOUSE_URL", table="milkrun_forecast")


def send(database: Database, settings: DeliverySettings, url: str = "") -> list[DeliveryResult]:
    """Deliver what a target lacks."""
    runs = undelivered_runs(database, settings)
    return [deliver(database, settings, run, made_by="ada", find_url=lambda _: url) for run in runs]


def rows_at(url: str, query: str) -> list[tuple[Any, ...]]:
    """Read rows of the database that people look into."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return rows


def rows_of(database: Database, query: str) -> Sequence[Any]:
    """Read rows of Milkrun's own database."""
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(query)).all()]


NUMBERS = "run_id, series, horizon, value, lower_80, upper_95, seasonal_naive, outcome, recipe"


def test_tables_get_the_newest_run_and_then_each_later_one(published: Database, warehouse: str) -> None:
    """The tables are made; their rows are those of the views; a delivery once more adds none."""
    newest = max(run_id for (run_id,) in rows_of(published, "SELECT run_id FROM milkrun.run"))
    rmse = "run_id, series, split, horizon, n, rmse, skill"

    [result] = send(published, TABLES, warehouse)

    own = rows_of(published, f"SELECT {NUMBERS} FROM milkrun.forecast_history WHERE run_id = {newest} ORDER BY 2, 3")
    assert rows_at(warehouse, f"SELECT {NUMBERS} FROM milkrun_forecast ORDER BY 2, 3") == own
    scores = rows_of(published, f"SELECT {rmse} FROM milkrun.rmse_trend WHERE run_id = {newest} ORDER BY 2, 3, 4")
    assert rows_at(warehouse, f"SELECT {rmse} FROM milkrun_forecast_rmse ORDER BY 2, 3, 4") == scores
    assert (result.run_id, result.forecast_rows, result.rmse_rows) == (newest, len(own), len(scores))
    assert send(published, TABLES, warehouse) == []
    assert rows_of(published, "SELECT target, run_id, forecast_rows, error, made_by FROM milkrun.delivery") == [
        ("warehouse", newest, len(own), None, "ada")
    ]


def test_files_are_partitions_with_a_manifest(published: Database, tmp_path: Path) -> None:
    """Pandas reads the folder as one dataset; the manifest has the digests; a second delivery writes nothing."""
    settings = DeliverySettings("lake", path=str(tmp_path / "lake"))

    [result] = send(published, settings)

    frame = pd.read_parquet(tmp_path / "lake" / "forecast")
    assert sorted(frame["series"].unique()) == sorted(
        name for (name,) in rows_of(published, "SELECT DISTINCT series FROM milkrun.latest_forecast")
    )
    assert len(frame) == result.forecast_rows
    assert set(frame["run_id"].astype(int)) == {result.run_id}
    manifest = json.loads((tmp_path / "lake" / "manifest" / f"run_id={result.run_id}.json").read_text())
    assert (manifest["forecast"]["rows"], manifest["rmse"]["rows"]) == (result.forecast_rows, result.rmse_rows)
    files = sorted(path.relative_to(tmp_path / "lake") for path in (tmp_path / "lake").rglob("*") if path.is_file())
    assert [str(file) for file in files] == [
        manifest["forecast"]["path"],
        f"manifest/run_id={result.run_id}.json",
        manifest["rmse"]["path"],
    ]
    moments = {file: (tmp_path / "lake" / file).stat().st_mtime_ns for file in files}
    with published.engine.begin() as connection:
        connection.execute(text("TRUNCATE milkrun.delivery"))
    assert send(published, settings) == [result]
    assert moments == {file: (tmp_path / "lake" / file).stat().st_mtime_ns for file in files}


def test_a_record_that_was_lost_is_made_from_what_the_target_has(published: Database, warehouse: str) -> None:
    """Killed between the target's commit and the record: the run is there once, and the record says so."""
    first = send(published, TABLES, warehouse)
    before = rows_at(warehouse, f"SELECT {NUMBERS} FROM milkrun_forecast ORDER BY 2, 3")
    with published.engine.begin() as connection:
        connection.execute(text("TRUNCATE milkrun.delivery"))

    assert send(published, TABLES, warehouse) == first
    assert rows_at(warehouse, f"SELECT {NUMBERS} FROM milkrun_forecast ORDER BY 2, 3") == before


def test_eight_deliveries_at_once_are_one(published: Database, empty_database_url: URL) -> None:
    """The unique key of the target lets one of them through; all find the same rows."""
    url = empty_database_url.render_as_string(hide_password=False)
    [run] = undelivered_runs(published, TABLES)
    barrier, results, failures = threading.Barrier(8), [], []

    def work() -> None:
        barrier.wait()
        try:
            results.append(deliver(published, TABLES, run, made_by="ada", find_url=lambda _: url))
        except Exception as failure:  # noqa: BLE001 - the test shows it
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert len({(result.forecast_rows, result.rmse_rows) for result in results}) == 1
    assert rows_at(url, "SELECT count(*) FROM milkrun_forecast") == [(results[0].forecast_rows,)]
    assert rows_of(published, "SELECT count(*) FROM milkrun.delivery") == [(1,)]


def test_a_lost_reply_to_the_commit_of_the_target_doubles_nothing(published: Database, empty_database_url: URL) -> None:
    """The target has committed and nobody knows: the next attempt finds the run there."""
    sockets = empty_database_url.query.get("host")
    if not isinstance(sockets, str):
        pytest.skip("the server of DATABASE_URL has no socket that the proxy could stand before")
    direct = empty_database_url.render_as_string(hide_password=False)
    [run] = undelivered_runs(published, TABLES)
    with losing_commits(f"{sockets}/.s.PGSQL.5432", lambda number: number >= 1) as (port, lost):
        behind = empty_database_url.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
        failures = 0
        for _ in range(6):
            try:
                deliver(published, TABLES, run, made_by="ada", find_url=lambda _: behind)
            except PassingFailure:
                failures += 1
        assert lost.so_far() == failures >= 3

    result = deliver(published, TABLES, run, made_by="ada", find_url=lambda _: direct)

    assert rows_at(direct, "SELECT count(*), count(DISTINCT (series, horizon)) FROM milkrun_forecast") == [
        (result.forecast_rows,) * 2
    ]


@pytest.mark.parametrize("table", ["forecast", "rmse"])
def test_a_delivery_that_breaks_half_way_leaves_nothing(
    published: Database, warehouse: str, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """Both tables in one transaction: a reader has the whole run or none of it; a repetition has it once."""
    insert = target_tables._insert

    def break_off(connection: Any, into: Any, batches: Any) -> int:
        if into.name.endswith("rmse") == (table == "rmse"):
            insert(connection, into, iter([next(batches)]))
            raise PassingFailure("as if the connection broke")
        return insert(connection, into, batches)

    monkeypatch.setattr(target_tables, "_insert", break_off)
    with pytest.raises(PassingFailure):
        send(published, TABLES, warehouse)
    assert rows_at(warehouse, "SELECT count(*) FROM milkrun_forecast") == [(0,)]
    monkeypatch.undo()

    [result] = send(published, TABLES, warehouse)
    assert rows_at(warehouse, "SELECT count(*) FROM milkrun_forecast") == [(result.forecast_rows,)]


@pytest.mark.parametrize("write", range(3))
def test_files_of_a_delivery_that_breaks_off_are_written_once_more(
    published: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    """Killed before any of its files: no manifest, so that nobody takes the run for whole; then all files are."""
    settings = DeliverySettings("lake", path=str(tmp_path / "lake"))
    original, calls = target_files._write_whole, iter(range(99))

    def break_off(system: Any, path: str, content: bytes) -> None:
        if next(calls) == write:
            raise OSError("as if the disk were full")
        original(system, path, content)

    monkeypatch.setattr(target_files, "_write_whole", break_off)
    with pytest.raises(PassingFailure, match="cannot be written to"):
        send(published, settings)
    assert not list((tmp_path / "lake").rglob("*.json"))
    monkeypatch.undo()

    [result] = send(published, settings)
    assert len(pd.read_parquet(tmp_path / "lake" / "forecast")) == result.forecast_rows


def test_a_target_that_fails_is_told_and_gets_its_runs_later(published: Database, warehouse: str) -> None:
    """The run stays published; the attempt is on record; when the target is back it gets all that it lacks, in order."""
    [run] = undelivered_runs(published, TABLES)
    with pytest.raises(PassingFailure) as failure:
        deliver(published, TABLES, run, made_by="ada", find_url=lambda _: "postgresql://ada:s3cret@127.0.0.1:1/none")
    result = record_failed_delivery(published, TABLES, run, failure.value, made_by="ada")

    assert "stays published, but was not delivered to warehouse" in result.sentence
    assert "s3cret" not in result.sentence
    assert rows_of(published, "SELECT run_id, error IS NULL FROM milkrun.delivery") == [(run.run_id, False)]
    assert rows_of(published, f"SELECT state FROM milkrun.run WHERE run_id = {run.run_id}") == [("published",)]
    assert [each.run_id for each in send(published, TABLES, warehouse)] == [run.run_id]


def test_rows_of_another_milkrun_are_left_alone(published: Database, warehouse: str, tmp_path: Path) -> None:
    """The same run number published at another time is somebody else's: refused, in tables and in files."""
    lake = DeliverySettings("lake", path=str(tmp_path / "lake"))
    send(published, TABLES, warehouse)
    send(published, lake)
    with published.engine.begin() as connection:
        connection.execute(text("TRUNCATE milkrun.delivery"))
    [run] = undelivered_runs(published, TABLES)
    other = replace(run, published_at=run.published_at.replace(year=1999))

    for settings in (TABLES, lake):
        with pytest.raises(InputError, match="of another Milkrun"):
            deliver(published, settings, other, made_by="ada", find_url=lambda _: warehouse)


def test_a_table_of_another_shape_is_refused(published: Database, warehouse: str) -> None:
    """A table that lacks columns is somebody's own."""
    engine = create_engine(warehouse)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE milkrun_forecast (run_id integer, series text)"))
    engine.dispose()

    with pytest.raises(InputError, match="lacks the columns horizon, month"):
        send(published, TABLES, warehouse)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_without_rights_is_named(published: Database, tmp_path: Path) -> None:
    """The message has the place and the remedy."""
    (tmp_path / "lake").mkdir(mode=0o500)
    with pytest.raises(PassingFailure, match="check its address"):
        send(published, DeliverySettings("lake", path=str(tmp_path / "lake")))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("table = 'x'", "give either url_from, for tables, or path"),
        ("url_from = 'URL'", "table is missing"),
        ("path = '/x'\ntable = 'x'", "go with url_from"),
        ("url_from = 'URL'\ntable = 'x'\nrmse_table = 'x'", "must differ"),
        ("url_from = 'sqlite:///x'\ntable = 'x'", "may hold a password"),
        ("path = 1", "write it as a text"),
        ("path = 'lake'", "path must be absolute"),
        ("path = 's3://key:s3cret@bucket'", "path must hold no user"),
        ("url_from = 'URL'\ntable = '.'", "a table is written as NAME or SCHEMA.NAME"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(tmp_path: Path, lines: str, words: str) -> None:
    """The message names the delivery or its file, and the setting."""
    (tmp_path / "lake.toml").write_text(lines)
    with pytest.raises(InputError, match=words):
        read_deliveries(tmp_path)
    with pytest.raises(InputError, match="there are: lake"):
        find_delivery("other", tmp_path)


def test_a_run_that_is_published_late_is_delivered_although_its_number_is_lower(
    published: Database, tmp_path: Path
) -> None:
    """Runs are numbered when they are opened: what counts is when they were published."""
    lake = DeliverySettings("lake", path=str(tmp_path / "lake"))
    [(late,)] = rows_of(published, "SELECT max(run_id) - 1 FROM milkrun.run")
    with published.engine.begin() as connection:
        connection.execute(text("ALTER TABLE milkrun.run DISABLE TRIGGER USER"))
        connection.execute(text(f"UPDATE milkrun.run SET state = 'open', published_at = NULL WHERE run_id = {late}"))
    send(published, lake)
    with published.engine.begin() as connection:
        connection.execute(
            text(f"UPDATE milkrun.run SET state = 'published', published_at = now() WHERE run_id = {late}")
        )

    assert [result.run_id for result in send(published, lake)] == [late]


def test_a_target_at_another_place_is_a_new_one(published: Database, tmp_path: Path) -> None:
    """It gets the newest run, as a new target does; back at the first place nothing is missing."""
    here, there = (DeliverySettings("lake", path=str(tmp_path / name)) for name in ("here", "there"))
    first = send(published, here)

    assert send(published, there) == first
    assert send(published, here) == []
    assert len(pd.read_parquet(tmp_path / "there" / "forecast")) == first[0].forecast_rows


def test_a_table_that_lost_its_rows_gets_them_again(published: Database, warehouse: str) -> None:
    """Two tables, each looked at for itself: the one that lacks the run is filled."""
    [result] = send(published, TABLES, warehouse)
    engine = create_engine(warehouse)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM milkrun_forecast_rmse"))
    engine.dispose()
    with published.engine.begin() as connection:
        connection.execute(text("TRUNCATE milkrun.delivery"))

    assert send(published, TABLES, warehouse) == [result]


def test_failures_of_other_file_systems_pass(published: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of file system has errors of its own: they are told by their type, and tried again."""

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("403 with token=s3cret")

    monkeypatch.setattr("fsspec.core.url_to_fs", refuse)
    with pytest.raises(PassingFailure, match=r"cannot be written to \(RuntimeError\)") as failure:
        send(published, DeliverySettings("lake", path="memory://lake"))
    assert "s3cret" not in str(failure.value)
