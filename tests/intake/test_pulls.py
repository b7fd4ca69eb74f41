"""Tests of pulls: which months are read, what is stored with them, and that a pull is whole or not there."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Connection, create_engine, text

from forecasting.domain.errors import InputError, PassingFailure
from forecasting.domain.months import Month
from forecasting.domain.vocabulary import Aggregate
from forecasting.intake import pulls
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.file_patterns import public_pattern
from forecasting.intake.pulls import PullContext, PullResult, first_month_to_read, pull_source, record_failure
from forecasting.intake.source_settings import SourceSettings
from forecasting.storage.db.database import Database

NOW = datetime(1976, 2, 10, 6, tzinfo=UTC)


class Shop:
    """A source: an SQLite file with a table of sales, whose month is text."""

    def __init__(self, file: Path) -> None:
        self.connection = sqlite3.connect(file)
        self.connection.execute("CREATE TABLE sales (month text, series text, value real)")
        self.url = f"sqlite:///{file}"

    def sell(self, series: str, first: str, *values: float) -> None:
        """Add values of consecutive months."""
        rows = [(f"{Month.parse(first) + step}-01", series, value) for step, value in enumerate(values)]
        self.connection.executemany("INSERT INTO sales VALUES (?, ?, ?)", rows)
        self.connection.commit()

    def change(self, series: str, month: str, value: float) -> None:
        """Change the value of a month."""
        self.connection.execute(
            "UPDATE sales SET value = ? WHERE series = ? AND month = ?", (value, series, f"{month}-01")
        )
        self.connection.commit()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Give a source with two years of two series, up to 1975-12."""
    shop = Shop(tmp_path / "shop.db")
    for name, level in (("milk", 100.0), ("butter", 10.0)):
        shop.sell(name, "1974-01", *(level + step for step in range(24)))
    yield shop
    shop.connection.close()


@pytest.fixture
def context(shop: Shop) -> PullContext:
    """Give the context of a pull in February 1976."""
    return PullContext(NOW, "UTC", "ada", "a-flow-run", lambda name: {"SALES_URL": shop.url}[name])


SALES = SourceSettings("sales", url_from="SALES_URL", table="sales", overlap=3)


def rows_of(database: Database, query: str) -> Sequence[Any]:
    """Read rows."""
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(query)).all()]


def counts(result: PullResult) -> tuple[int, int, str | None]:
    """Return rows read, rows added and the first month of a pull."""
    assert result.load is not None
    return result.load.rows_read, result.load.rows_added, str(result.since) if result.since else None


def test_the_first_pull_reads_all_and_the_next_reads_the_overlap(
    database: Database, shop: Shop, context: PullContext
) -> None:
    """New months and revisions within the overlap arrive; a revision before it waits for the first pull of a quarter."""
    first = pull_source(database, SALES, context)
    shop.sell("milk", "1976-01", 200.0)
    shop.change("milk", "1975-11", 99.0)
    shop.change("milk", "1974-06", 98.0)
    second = pull_source(database, SALES, replace(context, moment=NOW.replace(month=3)))
    unchanged = pull_source(database, SALES, replace(context, moment=NOW.replace(month=3, day=11)))
    third = pull_source(database, SALES, replace(context, moment=datetime(2200, 1, 2, tzinfo=UTC)))

    assert counts(first) == (48, 48, None)
    assert counts(second) == (7, 2, "1975-10")
    assert counts(unchanged) == (5, 0, "1975-11")
    assert counts(third) == (49, 1, None)
    assert rows_of(database, "SELECT source, rows_added, made_by FROM milkrun.load ORDER BY load_id") == [
        (f"sales: sqlite {shop.url.removeprefix('sqlite:///')} table sales", added, "ada") for added in (48, 2, 1)
    ]
    assert rows_of(database, "SELECT since::text, rows_read, error, prefect_flow_run_id FROM milkrun.source_pull") == [
        (None, 48, None, "a-flow-run"),
        ("1975-10-01", 7, None, "a-flow-run"),
        ("1975-11-01", 5, None, "a-flow-run"),
        (None, 49, None, "a-flow-run"),
    ]


def test_all_months_are_read_on_demand_and_after_a_change_of_the_settings(
    database: Database, shop: Shop, context: PullContext
) -> None:
    """Another selection of rows has months that were never read; whether a run waits for it changes no row."""
    pull_source(database, SALES, context)
    query = replace(SALES, table=None, query="SELECT * FROM sales WHERE value > 0")

    assert first_month_to_read(database, SALES, context) == Month.of(1975, 10)
    assert first_month_to_read(database, replace(SALES, required=False, overlap=1), context) == Month.of(1975, 12)
    assert first_month_to_read(database, query, context) is None
    assert counts(pull_source(database, SALES, context, full=True)) == (48, 0, None)


def test_a_new_series_is_read_from_its_first_month(database: Database, shop: Shop, context: PullContext) -> None:
    """Its history would otherwise begin with the overlap."""
    pull_source(database, SALES, context)
    shop.sell("cream", "1974-01", *map(float, range(24)))

    result = pull_source(database, SALES, context)

    assert counts(result) == (72, 24, None)
    assert rows_of(database, "SELECT count(*) FROM milkrun.source_pull") == [(2,)]
    assert rows_of(database, "SELECT min(month)::text FROM milkrun.latest_observation WHERE series = 'cream'") == [
        ("1974-01-01",)
    ]


def test_the_overlap_counts_from_the_newest_month_that_is_over(
    database: Database, shop: Shop, context: PullContext
) -> None:
    """A value of the running month is kept, and moves no overlap."""
    shop.sell("milk", "1976-01", 200.0, 7.0)
    pull_source(database, SALES, context)

    assert first_month_to_read(database, SALES, context) == Month.of(1975, 11)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"table": "nothing"}, InputError, "has no table 'nothing'"),
        (
            {"table": "sales", "roles": ColumnRoles(value_column="series", series="x")},
            InputError,
            "no row was accepted",
        ),
        ({"table": "sales", "url_from": "OTHER_URL"}, PassingFailure, "cannot be reached"),
    ],
)
def test_a_pull_that_fails_stores_nothing_and_is_on_record(
    database: Database, context: PullContext, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    """No load, no observation, one row that says why; the next pull reads all months."""
    source = SourceSettings(**{"name": "sales", "url_from": "SALES_URL", **changes})
    urls = {"SALES_URL": context.find_url("SALES_URL"), "OTHER_URL": "postgresql://127.0.0.1:1/none"}
    context = replace(context, find_url=urls.__getitem__)

    with pytest.raises(error, match=words) as failure:
        pull_source(database, source, context)
    result = record_failure(database, source, context, failure.value, 0.5)  # type: ignore[arg-type]

    assert (result.load, result.holds_the_run) == (None, True)
    assert words in result.sentence
    assert rows_of(database, "SELECT count(*) FROM milkrun.load") == [(0,)]
    [(source_name, load_id, message)] = rows_of(database, "SELECT source, load_id, error FROM milkrun.source_pull")
    assert (source_name, load_id) == ("sales", None)
    assert words in message
    assert first_month_to_read(database, source, context) is None


def test_load_and_record_are_committed_together(
    database: Database, context: PullContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the record cannot be written, there is no load either."""

    def refuse(_connection: Connection, _row: object) -> None:
        raise PassingFailure("as if the server were gone")

    monkeypatch.setattr(pulls, "write_pull", refuse)
    with pytest.raises(PassingFailure):
        pull_source(database, SALES, context)

    assert rows_of(database, "SELECT count(*) FROM milkrun.observation") == [(0,)]


def test_files_are_pulled_as_one_source(database: Database, context: PullContext, tmp_path: Path) -> None:
    """All files of a pattern make one load; the same files once more, none."""
    folder = tmp_path / "exports"
    folder.mkdir()
    for month in (1, 2):
        (folder / f"1975-{month:02}.csv").write_text(f"month,series,value\n1975-{month:02},milk,{month}\n")
    source = SourceSettings("exports", path=f"{folder}/*.csv")

    first, second = (pull_source(database, source, context) for _ in range(2))
    (folder / "1975-03.csv").write_text("month,series,value\n1975-03,milk,3\n")
    third = pull_source(database, source, context)

    assert [counts(each) for each in (first, second, third)] == [(2, 2, None), (2, 0, None), (3, 1, None)]
    assert first.load is not None
    assert second.load is not None
    assert second.load.load_id == first.load.load_id
    with pytest.raises(InputError, match=r"No file matches .*\.parquet"):
        pull_source(database, replace(source, path=f"{folder}/*.parquet"), context)


def test_files_at_a_url_are_read(database: Database, context: PullContext) -> None:
    """Any file system of fsspec will do; a password or a key in a URL is shown nowhere."""
    import fsspec

    system = fsspec.filesystem("memory")
    system.pipe_file("/shop/1975.csv", b"month,series,value\n1975-01,milk,1\n1975-02,milk,2\n")

    result = pull_source(database, SourceSettings("exports", path="memory://shop/*.csv"), context)

    assert counts(result) == (2, 2, None)
    [(name,)] = rows_of(database, "SELECT source FROM milkrun.load")
    assert name == "exports: memory://shop/*.csv"
    assert public_pattern("ftp://ada:s3cret@host:21/shop/*.csv?key=s3cret") == "ftp://host:21/shop/*.csv"


def test_a_pull_of_another_release_does_not_count(database: Database, context: PullContext) -> None:
    """Pulls of another source of the same rows say nothing about this one."""
    pull_source(database, SALES, context)

    assert first_month_to_read(database, replace(SALES, name="others"), context) is None


def test_a_series_that_was_late_by_more_than_the_overlap_is_read_whole(
    database: Database, shop: Shop, context: PullContext
) -> None:
    """Its months before the overlap would otherwise be a gap that nobody is told of."""
    shop.sell("cream", "1974-01", *map(float, range(12)))
    pull_source(database, SALES, context)
    shop.sell("cream", "1975-01", *map(float, range(12)))

    result = pull_source(database, SALES, context)
    again = pull_source(database, SALES, context)

    assert counts(result) == (72, 12, None)
    assert counts(again) == (9, 0, "1975-10")


def test_blanks_around_months_hide_no_row(database: Database, shop: Shop, context: PullContext) -> None:
    """What a pull of all months takes, a pull of the newest takes as well."""
    pull_source(database, SALES, context)
    shop.connection.execute("INSERT INTO sales VALUES (' 1976-01', 'milk', 7.0)")
    shop.connection.commit()

    assert counts(pull_source(database, SALES, context)) == (7, 1, "1975-10")


def test_the_overlap_ends_where_the_tables_begin(database: Database, context: PullContext) -> None:
    """No overlap leads before the first month that can be stored."""
    early = PullContext(datetime(1976, 2, 10, tzinfo=UTC), "UTC", "ada", None, context.find_url)
    pull_source(database, replace(SALES, overlap=1_200), early)

    assert first_month_to_read(database, replace(SALES, overlap=1_200), early) == Month.of(1876, 1)
    with pytest.raises(InputError, match="overlap must be from 1 to 1200 months"):
        replace(SALES, overlap=1_201)


def test_moments_of_a_database_are_read_in_utc(
    database: Database, empty_database_url: URL, context: PullContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever PGTZ or the role say; with a time zone, its calendar counts, and the last moment is the last by the clock."""
    engine = create_engine(empty_database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE sold (series text, month timestamptz, value float)"))
        connection.execute(
            text(
                "INSERT INTO sold VALUES ('tea', '1975-09-30 23:30Z', 1), ('tea', '1975-10-26 00:30Z', 2), "
                "('tea', '1975-10-26 01:30Z', 3)"
            )
        )
    engine.dispose()
    url = empty_database_url.render_as_string(hide_password=False)
    context = replace(context, find_url=lambda _: url)
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    newest = "SELECT to_char(month, 'YYYY-MM'), value FROM milkrun.latest_observation ORDER BY month"

    utc = SourceSettings("utc", url_from="SALES_URL", table="sold", roles=ColumnRoles(aggregate=Aggregate.LAST))
    pull_source(database, utc, context)
    assert rows_of(database, newest) == [("1975-09", 1.0), ("1975-10", 3.0)]
    berlin = replace(utc, name="berlin", roles=replace(utc.roles, time_zone="Europe/Berlin"))
    pull_source(database, berlin, context)
    assert rows_of(database, newest) == [("1975-09", 1.0), ("1975-10", 3.0)]
    first = replace(utc, name="first", roles=ColumnRoles(aggregate=Aggregate.FIRST, time_zone="Europe/Berlin"))
    pull_source(database, first, context)
    assert rows_of(database, newest) == [("1975-09", 1.0), ("1975-10", 1.0)]


def test_what_is_on_record_of_a_source_holds_no_password(database: Database, context: PullContext) -> None:
    """A query may name one; the table has it hidden, and the next pull still finds the earlier one."""
    query = "SELECT month, series, value FROM sales WHERE 'password=s3cret' <> ''"
    source = SourceSettings("sales", url_from="SALES_URL", query=query)
    pull_source(database, source, context)

    [(stored,)] = rows_of(database, "SELECT settings::text FROM milkrun.source_pull")
    assert "s3cret" not in stored
    assert first_month_to_read(database, source, context) is not None
