"""Tests of sources: the columns that are found, the line of each row, and the messages for unreadable files."""

import os
import sqlite3
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from sqlalchemy import URL, text

from forecasting.domain.errors import EnvironmentFailure, InputError
from forecasting.domain.months import Month
from forecasting.intake import csv_reader
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.databases import Selection, open_database_source
from forecasting.intake.files import Source, open_file
from forecasting.intake.loads import load_observations
from forecasting.storage.db.database import Database

MILK = Path(__file__).parents[2] / "forecasting" / "examples" / "milk.csv"
M3 = Path(__file__).parents[3] / "shared" / "data" / "m3_monthly.parquet"


NO_ROLES = ColumnRoles()
SECRET = "s3cr3t-w0rd"  # noqa: S105 - opens nothing


def rows_of(source: Source) -> list[tuple[Any, ...]]:
    """Return (line, series, month, value) of every row, in the order of lines."""
    rows = [row for batch in source for row in batch.to_pylist()]
    return sorted((row["line"], row["series"], row["month"], row["value"]) for row in rows)


def read_csv(
    folder: Path, content: str | bytes, roles: ColumnRoles = NO_ROLES, encoding: str = "utf-8"
) -> list[tuple[Any, ...]]:
    """Write a CSV file and return its rows."""
    path = folder / "rows.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return rows_of(open_file(path, roles, encoding=encoding))


def problems_of(source: Source) -> list[tuple[int, str, str]]:
    """Return (line, raw, problem) of the rows that no column could be read from."""
    rows = [row for batch in source for row in batch.to_pylist() if row["problem"]]
    return [(row["line"], row["value"], row["problem"]) for row in rows]


def write_parquet(folder: Path, columns: dict[str, Any]) -> Path:
    """Write a Parquet file."""
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "rows.parquet")
    return folder / "rows.parquet"


@pytest.mark.parametrize(
    "header",
    ["series,month,value", "unique_id,ds,y", "ID,Date,Value", " name , month , y ", '"series","month","value"'],
)
def test_the_usual_names_of_the_long_form_are_found(tmp_path: Path, header: str) -> None:
    """A long file with the usual column names needs no option, whatever their case."""
    assert read_csv(tmp_path, f"{header}\nmilk,1962-01,589\n") == [(2, "milk", "1962-01", "589")]


def test_columns_of_the_long_form_can_be_named(tmp_path: Path) -> None:
    """Options name the columns of a long file, in any order and among others."""
    roles = ColumnRoles(series_column="cow", month_column="when", value_column="pounds", unit_column="in")
    path = tmp_path / "rows.csv"
    path.write_text("note,pounds,cow,in,when\nx,589,milk,lb,1962-01\n")
    rows = [row for batch in open_file(path, roles) for row in batch.to_pylist()]

    assert rows == [{"line": 2, "series": "milk", "month": "1962-01", "value": "589", "unit": "lb", "problem": None}]


def test_every_column_of_the_wide_form_is_a_series(tmp_path: Path) -> None:
    """A wide file gives one row per cell; empty cells are months not observed."""
    rows = read_csv(tmp_path, "month,milk,oil\n1962-01,589,\n1962-02, ,7\n1962-03,NA,8\n")

    assert rows == [
        (2, "milk", "1962-01", "589"),
        (3, "oil", "1962-02", "7"),
        (4, "milk", "1962-03", "NA"),
        (4, "oil", "1962-03", "8"),
    ]


def test_a_wide_file_may_have_columns_called_as_in_the_long_form(tmp_path: Path) -> None:
    """The form can be given where the names of the columns mislead."""
    assert read_csv(tmp_path, "month,id,value\n1962-01,1,2\n", ColumnRoles(form="wide")) == [
        (2, "id", "1962-01", "1"),
        (2, "value", "1962-01", "2"),
    ]


@pytest.mark.parametrize("header", ["month,value", "ds,y", "date,pounds"])
def test_a_file_of_one_series_is_named_by_option(tmp_path: Path, header: str) -> None:
    """A month and a value column with the option for the name make one series."""
    assert read_csv(tmp_path, f"{header}\n1962-01,589\n", ColumnRoles(series="milk")) == [(2, "milk", "1962-01", "589")]


def test_rows_can_be_chosen(tmp_path: Path) -> None:
    """Only rows that hold the given texts are read; each keeps the line it has in the file."""
    content = "series,month,value,split,kind\na,1962-01,1,test,x\nb,1962-01,2,train,x\nc,1962-01,3,train,y\n"
    roles = ColumnRoles(where=(("split", "train"), ("kind", "y")))

    assert read_csv(tmp_path, content, roles) == [(4, "c", "1962-01", "3")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    """Commas, semicolons, tabs and bars separate columns, quoted fields may hold them, and a byte order mark is ignored."""
    content = f'\ufeff"month",milk,"oil{delimiter}gas"\n1962-01,1,2\n'.replace(",", delimiter)

    assert [row[1] for row in read_csv(tmp_path, content)] == ["milk", f"oil{delimiter}gas"]


def test_a_semicolon_brings_the_decimal_comma(tmp_path: Path) -> None:
    """With semicolons 12,5 is twelve and a half; a thousands separator is left for rejection; with commas nothing changes."""
    rows = read_csv(tmp_path, "month;milk\n1962-01;12,5\n1962-02;12.5\n1962-03;1.234,5\n1962-04;-,5e3\n")

    assert [row[3] for row in rows] == ["12.5", "12.5", "1.234,5", "-.5e3"]
    assert read_csv(tmp_path, 'month,milk\n1962-01,"12,5"\n')[0][3] == "12,5"


@pytest.mark.parametrize("block", [csv_reader._BLOCK_BYTES, 32])
def test_rows_have_the_line_they_start_on(tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blank lines, line breaks inside quotes and rows of the wrong width are counted, in one block or in many."""
    monkeypatch.setattr(csv_reader, "_BLOCK_BYTES", block)
    path = tmp_path / "rows.csv"
    path.write_text('\nmonth,milk,"a\nnote"\n1,1,x\n\n2,2,"two\nlines"\n3\n"4\n",4,5,6\n,,\n5,5,x\n\n6,6,x\n7\n8,8')
    source = open_file(path, ColumnRoles(value_column="milk", series="milk"))

    good = [(row[0], row[2]) for row in rows_of(source) if row[2]]
    assert good == [(4, "1"), (6, "2"), (12, "5"), (14, "6")]
    assert problems_of(source) == [
        (8, "3", "wrong_columns: the header has 3 fields, this row 1"),
        (9, '"4\n",4,5,6', "wrong_columns: the header has 3 fields, this row 4"),
        (15, "7", "wrong_columns: the header has 3 fields, this row 1"),
        (16, "8,8", "wrong_columns: the header has 3 fields, this row 2"),
    ]


def test_a_source_can_be_read_twice() -> None:
    """Reading a source again gives the same rows, and its digest is that of the file."""
    source = open_file(MILK, ColumnRoles())

    assert rows_of(source) == rows_of(source)
    assert len(rows_of(source)) == 168
    assert source.sha256 is not None
    assert len(source.sha256) == 64


@pytest.mark.parametrize(("encoding", "codec"), [("latin-1", "latin-1"), ("utf-16", "utf-16"), ("cp1252", "cp1252")])
def test_other_encodings_are_read_when_named(tmp_path: Path, encoding: str, codec: str) -> None:
    """A file in another encoding is read when the encoding is given."""
    assert read_csv(tmp_path, "month,Käse\n1962-01,5\n".encode(codec), encoding=encoding) == [
        (2, "Käse", "1962-01", "5")
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"abc\n1\n", "one column only"),
        (b"\x00\x01\x02,\x03", "is not text"),
        (b"PK\x03\x04abc", "save it as CSV"),
        (b"\x1f\x8babc", "unpack it"),
        (b"SQLite format 3\x00", "milkrun pull"),
        (b"PAR1 broken", "damaged Parquet"),
        ("month,a\n1,2".encode("utf-16"), "UTF-16"),
        ("month,Käse\n1,2\n".encode("latin-1"), "line 1 is not in the encoding"),
        ("month,a,b\n1,x,2\n1,ä,2\n".encode("latin-1"), "line 3 is not UTF-8"),
        ("month,a,b\n1,x,2\n1,ä\n".encode("latin-1"), "line 3 is not UTF-8"),
        (b",,\n,,\n", "no line that names the columns"),
        (b'month,"a\n' + b"x" * 200_000, "a quote in it is never closed"),
        (b"1962-01,5\n1962-02,6\n", "no month column.*'1962-01', '5'.*--month-column"),
        (b"month,value\n1962-01,6\n", "--series NAME"),
        (b"id,month,price\na,1962-01,6\n", "--value-column"),
        (b"month,a,a\n1962-01,6,7\n", "more than one column"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(tmp_path: Path, content: bytes, message: str) -> None:
    """Empty, binary and mislabelled files are refused with the file's name and the remedy."""
    with pytest.raises(InputError, match=message) as refusal:
        read_csv(tmp_path, content)

    assert "rows.csv" in str(refusal.value)


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        (ColumnRoles(month_column="when"), "'when' of --month-column does not exist"),
        (ColumnRoles(series_column="cow"), "'cow' of --series-column does not exist"),
        (ColumnRoles(value_column="pounds"), "'pounds' of --value-column does not exist"),
        (ColumnRoles(unit_column="in"), "'in' of --unit-column does not exist"),
        (ColumnRoles(where=(("split", "train"),)), "'split' of --where does not exist"),
        (ColumnRoles(form="wide", value_column="value"), "leave out"),
        (ColumnRoles(form="wide", series="milk"), "neither"),
        (ColumnRoles(unit="lb", unit_column="unit"), "exclude each other|does not exist"),
    ],
)
def test_a_wrong_option_is_refused_with_the_columns(tmp_path: Path, roles: ColumnRoles, message: str) -> None:
    """A column that does not exist and options that contradict each other are named."""
    with pytest.raises(InputError, match=message):
        read_csv(tmp_path, "series,month,value\nmilk,1962-01,1\n", roles)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    """A file that is not there and a folder are no sources."""
    with pytest.raises(InputError, match="There is no file"):
        open_file(tmp_path / "none.csv", ColumnRoles())
    with pytest.raises(InputError, match="is a folder"):
        open_file(tmp_path, ColumnRoles())


def test_an_unclosed_quote_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quote that is never closed cannot swallow a whole file."""
    monkeypatch.setattr(csv_reader, "_BLOCK_BYTES", 1 << 20)
    with pytest.raises(InputError, match="never closed"):
        read_csv(tmp_path, 'month,milk\n1962-01,"1\n' + "1962-02,2\n" * 300_000)


@pytest.mark.parametrize(
    ("months", "month_text"),
    [
        ([date(1962, 1, 31)], "1962-01-31"),
        ([datetime(1962, 1, 31, 23, 59)], "1962-01-31 23:59:00.000000"),  # noqa: DTZ001 - naive on purpose
        (
            pyarrow.array([datetime(1962, 2, 1, 4, tzinfo=UTC)], pyarrow.timestamp("us", "America/New_York")),
            "1962-01-31 23:00:00.000000",
        ),
        (["1962/01"], "1962/01"),
        (pyarrow.array(["1962-01"]).dictionary_encode(), "1962-01"),
    ],
)
def test_months_of_parquet_are_those_of_the_local_clock(tmp_path: Path, months: Any, month_text: str) -> None:
    """Dates, timestamps with and without a zone, text and dictionaries give the month as written."""
    path = write_parquet(tmp_path, {"ds": months, "y": [1.5], "id": ["milk"]})

    assert rows_of(open_file(path, ColumnRoles())) == [(2, "milk", month_text, "1.5")]


@pytest.mark.parametrize(
    ("value", "value_text"),
    [
        (pyarrow.array([0.1], pyarrow.float64()), "0.1"),
        (pyarrow.array([0.1], pyarrow.float32()), "0.1"),
        (pyarrow.array([589], pyarrow.int16()), "589"),
        (pyarrow.array([Decimal("12.50")]), "12.50"),
        (pyarrow.array([float("nan")]), "nan"),
        (pyarrow.array([None], pyarrow.float64()), ""),
        (pyarrow.array([True]), "true"),
    ],
)
def test_values_of_parquet_keep_every_digit(tmp_path: Path, value: pyarrow.Array, value_text: str) -> None:
    """Numbers become the shortest text that reads back as the same number; nothing becomes an empty text."""
    path = write_parquet(tmp_path, {"month": ["1962-01"], "value": value, "series": ["milk"]})

    assert rows_of(open_file(path, ColumnRoles()))[0][3] == value_text


def test_a_wide_parquet_file_leaves_out_what_is_not_observed(tmp_path: Path) -> None:
    """In a wide Parquet file an empty cell is a month not observed."""
    path = write_parquet(tmp_path, {"month": ["1962-01", "1962-02"], "milk": [1.5, None], "oil": [None, 7]})

    assert rows_of(open_file(path, ColumnRoles())) == [(2, "milk", "1962-01", "1.5"), (3, "oil", "1962-02", "7")]


def test_a_column_of_lists_is_refused(tmp_path: Path) -> None:
    """A Parquet column must hold single values."""
    path = write_parquet(tmp_path, {"month": ["1962-01"], "value": [[1, 2]], "series": ["milk"]})
    with pytest.raises(InputError, match="'value' holds lists"):
        open_file(path, ColumnRoles())


def test_text_in_a_parquet_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """A damaged name or value is the damage of the file, and is found before anything goes to the database."""
    path = write_parquet(tmp_path, {"month": ["1962-01"], "value": ["one month"], "series": ["milk"]})
    whole = path.read_bytes()
    for word in (b"series", b"one month"):
        path.write_bytes(whole.replace(word, b"\xff" + word[1:]))

        with pytest.raises(InputError, match="damaged Parquet file"):
            rows_of(open_file(path, ColumnRoles()))


def test_the_milk_file_is_168_observations_of_milk(database: Database) -> None:
    """The example loads whole, as series milk."""
    source = open_file(MILK, ColumnRoles())
    result = load_observations(database, source, source=source.name, today=Month.of(2024, 1), sha256=source.sha256)

    assert (result.rows_added, result.new_series, result.rows_rejected) == (168, 1, 0)
    with database.reading() as connection:
        load = connection.execute(text("SELECT source, sha256 FROM milkrun.load")).one()
    assert tuple(load) == ("milk.csv", source.sha256)


@pytest.mark.skipif(not M3.exists(), reason="the M3 data is not here")
def test_the_m3_file_is_1428_series(database: Database) -> None:
    """The train part of the M3 file loads whole."""
    source = open_file(M3, ColumnRoles(where=(("split", "train"),)))
    result = load_observations(database, source, source=source.name, today=Month.of(2024, 1))

    assert (result.rows_added, result.new_series, result.rows_rejected) == (141_858, 1428, 0)


# --- databases --------------------------------------------------------------------------------------------------------


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Give the URL of an SQLite file with a table of sales."""
    path = tmp_path / "sales.db"
    with sqlite3.connect(path) as connection:
        connection.execute('CREATE TABLE sales (id TEXT, ds TEXT, y REAL, "other column" TEXT)')
        write_sales(path, [("milk", "1962-01-01", 589), ("milk", "1962-02-28", 561.5), ("oil", "1962-02-01", None)])
    connection.close()
    return f"sqlite:///{path}"


def write_sales(path: Path, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows to the table of sales."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executemany("INSERT INTO sales (id, ds, y) VALUES (?, ?, ?)", rows)
    connection.close()


SALES = Selection(table="sales")


def test_a_table_of_sqlite_is_read(sqlite_url: str) -> None:
    """A table gives one row per record; an empty value is an empty text."""
    rows = rows_of(open_database_source(sqlite_url, SALES, ColumnRoles()))

    assert rows == [
        (2, "milk", "1962-01-01", "589.0"),
        (3, "milk", "1962-02-28", "561.5"),
        (4, "oil", "1962-02-01", ""),
    ]


def test_a_query_is_read_as_it_is_written(sqlite_url: str) -> None:
    """Percent signs, colons, quotes, a semicolon and a comment in a query mean what they mean to the database."""
    query = """SELECT id AS series, ds AS month, y AS value FROM sales WHERE id LIKE 'm%' AND ':x' <> "id"; -- all"""
    query = query.replace("; -- all", " -- all")

    assert len(rows_of(open_database_source(sqlite_url, Selection(query=query), ColumnRoles()))) == 2


def test_a_window_limits_what_is_read(sqlite_url: str) -> None:
    """With a first month, earlier rows are not read, for tables and for queries."""
    since = Month.of(1962, 2)
    for selection in (Selection("sales", None, since), Selection(None, "SELECT id, ds, y FROM sales;", since)):
        assert [row[2] for row in rows_of(open_database_source(sqlite_url, selection, ColumnRoles()))] == [
            "1962-02-28",
            "1962-02-01",
        ]


def test_a_pull_adds_only_what_changed(database: Database, sqlite_url: str, tmp_path: Path) -> None:
    """A second pull adds nothing; a changed value is a new vintage; new months are added."""

    def pull() -> tuple[int, int]:
        source = open_database_source(sqlite_url, SALES, ColumnRoles())
        result = load_observations(database, source, source=source.name, today=Month.of(2024, 1))
        return result.rows_added, result.rows_unchanged

    first, second = pull(), pull()
    connection = sqlite3.connect(tmp_path / "sales.db", isolation_level=None)
    connection.execute("UPDATE sales SET y = 590 WHERE ds = '1962-01-01'")
    connection.close()
    write_sales(tmp_path / "sales.db", [("milk", "1962-03", 640)])

    assert (first, second, pull()) == ((2, 0), (0, 2), (2, 1))


def test_sqlite_files_are_neither_made_nor_written(sqlite_url: str, tmp_path: Path) -> None:
    """A missing file is refused and not made; a query that writes is refused."""
    with pytest.raises(InputError, match="There is no SQLite file"):
        open_database_source(f"sqlite:///{tmp_path}/none.db", SALES, ColumnRoles())
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(InputError, match="refused a statement"):
        open_database_source(sqlite_url, Selection(query="DELETE FROM sales RETURNING id, ds, y"), ColumnRoles())
    assert len(rows_of(open_database_source(sqlite_url, SALES, ColumnRoles()))) == 3


@pytest.fixture
def postgresql_url(empty_database_url: URL) -> URL:
    """Give the URL of another PostgreSQL database, with a table of sales in a schema of its own."""
    from forecasting.storage.db.database import create_engine

    engine = create_engine(empty_database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA shop; CREATE TABLE shop.sales (id text, ds date, y numeric(10, 2))"))
        connection.execute(
            text("INSERT INTO shop.sales VALUES ('milk', '1962-01-31', 589), ('milk', '1962-02-28', 561.5)")
        )
    engine.dispose()
    return empty_database_url


def test_a_table_of_postgresql_is_read(postgresql_url: URL) -> None:
    """A table in a schema is read with its dates and exact numbers, from a month on."""
    rows = rows_of(
        open_database_source(postgresql_url, Selection("shop.sales", None, Month.of(1962, 2)), ColumnRoles())
    )

    assert rows == [(2, "milk", "1962-02-28", "561.50")]


def test_a_query_of_postgresql_is_read(postgresql_url: URL) -> None:
    """Percent signs, casts and times of day in a query mean what they mean to PostgreSQL."""
    query = "SELECT id, ds::timestamp + time '12:30' AS ds, y FROM shop.sales WHERE id LIKE 'm%' -- the milk"
    rows = rows_of(open_database_source(postgresql_url, Selection(None, query, Month.of(1962, 2)), ColumnRoles()))

    assert rows == [(2, "milk", "1962-02-28 12:30:00", "561.50")]


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO shop.sales VALUES ('x', '1962-01-01', 1) RETURNING id, ds, y",
        "SELECT id, ds, y FROM shop.sales) AS source; COMMIT; DROP TABLE shop.sales; SELECT * FROM (SELECT 2",
        "SELECT id, ds, y, set_config('transaction_read_only', 'off', true) FROM shop.sales",
    ],
)
def test_a_source_is_only_read(postgresql_url: URL, query: str) -> None:
    """Whatever the query tries, the source keeps its rows."""
    with pytest.raises(InputError):
        rows_of(
            open_database_source(postgresql_url, Selection(query=query), ColumnRoles(form="wide", month_column="ds"))
        )
    assert len(rows_of(open_database_source(postgresql_url, Selection("shop.sales"), ColumnRoles()))) == 2


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection("shop.sale"), "has no table 'shop.sale'. Tables there: sales"),
        (Selection("nowhere.sales"), "has no table"),
        (Selection(query="SELECT nothing FROM shop.sales"), 'column "nothing" does not exist'),
        (Selection(query="SELEC"), "syntax error"),
        (Selection(query="SELECT id, ds AS month_of_sale, y FROM shop.sales"), "there is no month column"),
    ],
)
def test_a_mistake_in_a_selection_is_explained(postgresql_url: URL, selection: Selection, message: str) -> None:
    """Unknown tables and columns are named, with the message of the database."""
    with pytest.raises(InputError, match=message):
        open_database_source(postgresql_url, selection, ColumnRoles())


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://reader:{SECRET}@127.0.0.1:1/shop",
        f"postgresql://127.0.0.1:1/shop?user=reader&password={SECRET}",
        f"postgresql://reader:{SECRET}@x@127.0.0.1:1/shop",
        f"postgresql://reader:{SECRET}/x@y@127.0.0.1:1/shop",
        f"postgresql://reader:x@{SECRET}?y=1@127.0.0.1:1/shop",
        f"postgresql://reader:{SECRET}@127.0.0.1:port/shop",
        f"mysql://reader:{SECRET}@127.0.0.1:1/shop",
        f"nonsense://reader:{SECRET}@127.0.0.1:1/shop",
        f"not a url {SECRET}",
        f"sqlite:////nowhere/{SECRET[:0]}x.db?password={SECRET}",
        f"postgresql://reader:{SECRET}@127.0.0.1:1/shop?sslmode={SECRET}",
    ],
)
def test_a_password_is_in_no_refusal(url: str) -> None:
    """A source that cannot be reached or understood is refused without its password, and without a hidden cause."""
    with pytest.raises((InputError, EnvironmentFailure)) as refusal:
        open_database_source(url, SALES, ColumnRoles())

    assert SECRET not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_a_password_is_in_no_name(postgresql_url: URL) -> None:
    """The stored name of a source shows the place and the query, with every password struck out."""
    secret = str(postgresql_url.password or SECRET)
    query = f"SELECT id, ds, y FROM shop.sales WHERE 'password={SECRET}' <> '{secret}'"
    source = open_database_source(postgresql_url.set(password=secret), Selection(query=query), NO_ROLES)

    assert (SECRET in source.name, secret in source.name) == (False, False)
    assert "***" in source.name
    assert "shop.sales" in source.name


@pytest.mark.parametrize(
    ("url", "package"),
    [("mysql://h/db", "mysqlclient"), ("duckdb:///x", "duckdb-engine"), ("oracle://h/db", "oracledb")],
)
def test_a_missing_driver_is_named(url: str, package: str) -> None:
    """A source whose driver is not installed says which package to install."""
    with pytest.raises(InputError, match=f"need the Python package .*{package}"):
        open_database_source(url, SALES, ColumnRoles())


def test_a_file_that_is_replaced_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """The header of one file and the rows of another would give values to the wrong series."""
    path, other = tmp_path / "wide.csv", tmp_path / "other.csv"
    path.write_text("month,a,b\n2020-01,1,2\n")
    other.write_text("month,b,a\n2020-01,2,1\n")
    source = open_file(path, NO_ROLES)
    other.rename(path)

    with pytest.raises(InputError, match=r"wide.csv was replaced or changed while it was read"):
        list(source)


@pytest.mark.timeout(20)
def test_a_pipe_or_a_device_is_refused(tmp_path: Path) -> None:
    """Neither can be read twice, and reading a pipe that nobody writes into would never end."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(InputError, match="is a pipe or a device"):
            open_file(path, NO_ROLES)


def test_a_password_in_an_address_within_a_query_is_not_stored(postgresql_url: URL) -> None:
    """The text of a query may hold the address of a third database, such as for dblink."""
    query = f"SELECT id, ds, y FROM shop.sales WHERE 'postgresql://u:{SECRET}@h/d' <> ''"
    source = open_database_source(postgresql_url, Selection(query=query), NO_ROLES)

    assert "postgresql://u:***@h/d" in source.name
    assert SECRET not in source.name


def test_an_sqlite_address_that_asks_for_writing_only_reads(tmp_path: Path) -> None:
    """A name of SQLite's own form with mode=rwc makes no file."""
    url = f"sqlite:///file:{tmp_path}/new.db?mode=rwc&uri=true"

    with pytest.raises((InputError, EnvironmentFailure)):
        open_database_source(url, Selection(table="x"), NO_ROLES)

    assert not (tmp_path / "new.db").exists()


def test_the_rows_of_a_query_are_read_without_the_rights_of_a_superuser(postgresql_url: URL) -> None:
    """A statement within a text, which is run when rows are read only, has no more rights than the query itself."""
    inner = "select pg_read_file(''PG_VERSION'')"
    query = f"SELECT query_to_xml('{inner}', true, false, '')::text AS id, '2020-01' AS ds, 1 AS y"
    source = open_database_source(postgresql_url, Selection(query=query), NO_ROLES)

    with pytest.raises(InputError, match="permission denied"):
        list(source)
