"""Tests of milkrun sql: the rows, their formats, and queries that are refused."""

import csv
import io
import json
import os
import subprocess
from pathlib import Path

import pytest

from forecasting.domain.settings import Settings
from tests.cli.conftest import PROGRAM, Milkrun


def test_sql_prints_plain_json(milkrun: Milkrun) -> None:
    """In JSON numbers are numbers, dates are ISO, and what JSON lacks has a name."""
    query = "select 7::numeric n, 1.50::numeric x, date '1962-01-01' d, null e, true t, 'NaN'::float8 f, 3::bigint b, array[1] a"

    assert json.loads(milkrun("sql", query, "--json").out) == [
        {"n": 7, "x": 1.5, "d": "1962-01-01", "e": None, "t": True, "f": "NaN", "b": 3, "a": [1]}
    ]


def test_sql_prints_csv_with_headers(milkrun: Milkrun) -> None:
    """CSV has a header even without rows, and quotes what needs it."""
    assert milkrun("sql", "select 1 as x where false", "--csv").out == "x\n"
    assert list(csv.reader(io.StringIO(milkrun("sql", "select 'a,b' as x, 'c\"d' as y", "--csv").out))) == [
        ["x", "y"],
        ["a,b", 'c"d'],
    ]
    assert "x" in milkrun("sql", "select 1 as x where false").out


@pytest.mark.parametrize(
    "name", ["=HYPERLINK(0)", "+1+1", "@SUM(1)", "-1", "\t=1", "\r=1", " =1", "\N{FULLWIDTH EQUALS SIGN}1"]
)
def test_text_that_a_spreadsheet_would_compute_begins_with_an_apostrophe(milkrun: Milkrun, name: str) -> None:
    """In CSV for people; --raw and --json give it as it is."""
    query = ("sql", f"select '{name}' as name")

    guarded, raw = (list(csv.reader(io.StringIO(milkrun(*query, flag).out, newline=""))) for flag in ("--csv", "--raw"))

    assert (guarded[1], raw[1]) == ([f"'{name}"], [name])
    assert (
        milkrun(*query, "--csv", "--raw").out == milkrun(*query, "--raw", "--csv").out == milkrun(*query, "--raw").out
    )
    assert json.loads(milkrun(*query, "--json").out) == [{"name": name}]


def test_numbers_and_headers_in_csv_for_people(milkrun: Milkrun) -> None:
    """A negative number is no text, whatever its type; the name of a column is."""
    query = (
        "select -1 as i, -1.5::numeric as n, -2.5::float8 as f, '-Infinity'::float8 as least, 'a-b' as t, 1 as \"=1\""
    )

    assert milkrun("sql", query, "--csv").out == "i,n,f,least,t,'=1\n-1,-1.5,-2.5,-Infinity,a-b,1\n"


def test_sql_reads_a_file(milkrun: Milkrun, tmp_path: Path) -> None:
    """A query may come from a file, with comments, percent signs, colons and a semicolon at its end."""
    path = tmp_path / "query.sql"
    path.write_text("-- all; of it\nselect '%s :x; ' as x, '12:30'::time as y /* ; */ ;\n")

    assert json.loads(milkrun("sql", "--file", path, "--json").out) == [{"x": "%s :x; ", "y": "12:30:00"}]


@pytest.mark.parametrize(
    "query", ["explain select 1", "show timezone", "with x as (select 1) select * from x", "(select 1)"]
)
def test_sql_runs_what_reads(milkrun: Milkrun, query: str) -> None:
    """Explanations, settings and every form of a query are printed."""
    assert milkrun("sql", query).code == 0


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select *\nfrom nothing", 'relation "nothing" does not exist\nline 2: from nothing\n             ^'),
        ("selec 1", "syntax error"),
        ("select 1/(load_id - load_id) from generate_series(1, 3) as load_id", "division by zero"),
        ("delete from load", "only reads"),
        ("create table x ()", "only reads"),
        ("delete from load returning load_id", "read-only transaction"),
        ("copy (select 1) to program 'id'", "only reads"),
        ("select 1 as a$$; commit; delete from load; select 1 as b$$", "one statement at a time"),
        ("select set_config('transaction_read_only', 'off', true)", "before any query"),
        ("select 1; drop table load", "one statement at a time"),
        ("commit; drop table load", "one statement at a time"),
        ("with x as (delete from load returning 1) select * from x", "read-only transaction"),
        ("select $$;$$; select 2", "one statement at a time"),
    ],
)
def test_sql_explains_a_mistake(milkrun: Milkrun, query: str, message: str) -> None:
    """A mistake ends in PostgreSQL's message and the place in the query; nothing can be changed."""
    outcome = milkrun("sql", query)

    assert outcome.code == 4
    assert message in outcome.err


def test_sql_stops_a_query_that_takes_too_long(milkrun: Milkrun) -> None:
    """A query that exceeds its time is stopped."""
    outcome = milkrun("sql", "select pg_sleep(20)", "--timeout", 1)

    assert outcome.code == 4
    assert "longer than 1 s" in outcome.err


def test_sql_streams_csv(milkrun: Milkrun, settings: Settings) -> None:
    """Many rows as CSV go out as they come, and a reader that stops early is no error."""
    assert settings.database_url is not None
    with subprocess.Popen(
        [*PROGRAM, "sql", "--csv", "select repeat('x', 100) as x from generate_series(1, 300000)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "DATABASE_URL": settings.database_url},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"x\n"
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_a_query_cannot_lift_its_time_limit(milkrun: Milkrun) -> None:
    """A query that sets its own limits ends at the same second, in its first statement or while its rows are fetched."""
    lift = "select set_config('statement_timeout', '0', false)"
    first = milkrun("sql", f"{lift}, pg_sleep(20)", "--timeout", 1)
    later = milkrun("sql", f"{lift} union all select pg_sleep(n)::text from generate_series(0, 20) n", "--timeout", 1)

    assert (first.code, later.code) == (4, 4)
    assert "took longer than 1 s" in first.err
    assert "took longer than 1 s" in later.err


def test_rows_that_would_fill_the_memory_end_a_table_and_json_and_not_csv(milkrun: Milkrun) -> None:
    """The message names the way that keeps no rows."""
    query = "select repeat('x', 1000000) as text from generate_series(1, 300)"

    for option in ("--table", "--json"):
        outcome = milkrun("sql", query, option)
        assert (outcome.code, outcome.out) == (4, "")
        assert "--csv" in outcome.err
    assert milkrun("sql", query, "--csv").code == 0
