"""milkrun load, pull and sql, as a user meets them: output, messages and exit codes."""

import csv
import io
import json
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import make_url

from forecasting.cli import main
from forecasting.domain.settings import Settings

MILK = Path(__file__).parents[2] / "forecasting" / "examples" / "milk.csv"
SECRET = "s3cr3t-w0rd"  # noqa: S105 - opens nothing


@dataclass(frozen=True)
class Outcome:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


Milkrun = Callable[..., Outcome]


@pytest.fixture
def milkrun(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Milkrun:
    """Give a function that runs `milkrun …` on the test's own database."""
    assert settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.delenv("MILKRUN_SOURCE_URL", raising=False)

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["milkrun", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return Outcome(int(end.value.code or 0), printed.out, printed.err)

    return run


def write(folder: Path, content: str, name: str = "rows.csv") -> Path:
    """Write a file."""
    (folder / name).write_text(content)
    return folder / name


def test_the_milk_file_loads_once(milkrun: Milkrun) -> None:
    """The example gives 168 observations of one series, and nothing more the second time."""
    first, second = milkrun("load", MILK), milkrun("load", MILK)

    assert (first.code, second.code, first.err) == (0, 0, "")
    assert "168 observations read, stored as load 1" in first.out
    assert "New series: 1. Newest month: 1975-12." in first.out
    assert "168 unchanged" in second.out


def test_a_load_as_json_is_one_object(milkrun: Milkrun, tmp_path: Path) -> None:
    """For programs the result is one JSON object on the output; the warning goes elsewhere."""
    outcome = milkrun("load", write(tmp_path, "month,milk\n1962-01,1\n1962-02,x\n"), "--json")

    assert json.loads(outcome.out) == {
        "load_id": 1,
        "rows_read": 2,
        "rows_added": 1,
        "rows_unchanged": 0,
        "rows_collapsed": 0,
        "rows_rejected": 1,
        "new_series": 1,
        "newest_month": "1962-01",
        "rejected": [{"line": 3, "raw": "milk,1962-02,x", "reason": "not_a_number: write it like 1234.5"}],
    }


def test_rejected_rows_are_shown_and_do_not_fail_a_load(milkrun: Milkrun, tmp_path: Path) -> None:
    """Some rejected rows end with a warning that names line, reason and the query for all of them; the query works."""
    content = (
        "month,milk\n" + "".join(f"1962-{month:02d},{month % 2 or 'x'}\n" for month in range(1, 13)) + "x,1\n" * 20
    )
    outcome = milkrun("load", write(tmp_path, content))

    assert outcome.code == 0
    assert "26 of 32 rows were rejected" in outcome.err
    assert "line 3: milk,1962-02,x\n    not_a_number" in outcome.err
    assert "16 more" in outcome.err
    query = outcome.err.split('milkrun sql "')[1].split('"')[0]
    assert len(json.loads(milkrun("sql", query, "--json").out)) == 26


def test_nothing_accepted_is_a_refusal(milkrun: Milkrun, tmp_path: Path) -> None:
    """When every row is rejected the command is refused with the reasons, which are stored."""
    outcome = milkrun("load", write(tmp_path, "month,milk\n2999-01,1\n2100-01,1\n"))

    assert outcome.code == 4
    assert "No row was accepted" in outcome.err
    assert "future_month" in outcome.err
    assert json.loads(milkrun("sql", "select count(*) from rejected_row", "--json").out) == [{"count": 2}]


def test_strict_and_dry_run_store_nothing(milkrun: Milkrun, tmp_path: Path) -> None:
    """A strict load with a rejected row is refused; a dry run reports; neither leaves anything."""
    path = write(tmp_path, "month,milk\n1962-01,1\n1962-02,x\n")
    strict, dry = milkrun("load", path, "--strict"), milkrun("load", path, "--dry-run")

    assert (strict.code, dry.code) == (4, 0)
    assert "Nothing was stored" in strict.err
    assert "not stored" in dry.out
    assert milkrun("sql", "select * from load", "--json").out == "[]\n"


def test_escape_sequences_never_reach_the_terminal(milkrun: Milkrun, tmp_path: Path) -> None:
    """Names that would move the cursor or colour the screen are shown escaped."""
    outcome = milkrun("load", write(tmp_path, "series,month,value\n\x1b[2Jmilk,1962-01,1\nmilk,1962-01,\x1b]0;x\x07\n"))

    assert outcome.code == 4
    assert "\\x1b[2Jmilk" in outcome.err
    assert "\x1b" not in outcome.out + outcome.err
    assert "\x07" not in outcome.out + outcome.err


def test_columns_form_and_rows_are_chosen_by_option(milkrun: Milkrun, tmp_path: Path) -> None:
    """The options of a load reach the file."""
    path = write(tmp_path, "when,pounds,part\n1962-01,1,train\n1962-02,2,test\n")
    options = (
        "--month-column",
        "when",
        "--series",
        "milk",
        "--value-column",
        "pounds",
        "--unit",
        "lb",
        "--where",
        "part=train",
    )

    assert milkrun("load", path, *options).code == 0
    assert json.loads(milkrun("sql", "select name, unit from series", "--json").out) == [{"name": "milk", "unit": "lb"}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("load", "nowhere.csv"), "There is no file nowhere.csv"),
        (("load",), "Missing argument"),
        (("load", MILK, "--where", "split"), "write it as COLUMN=TEXT"),
        (("load", MILK, "--form", "tall"), "Invalid value"),
        (("load", MILK, "--month-column", "when"), "'when' of --month-column does not exist"),
        (("pull", "--from", "own"), "Give either --table or --query"),
        (("pull", "--table", "x"), "MILKRUN_SOURCE_URL"),
        (("pull", "--from", "own", "--table", "nothing"), "has no table 'nothing'"),
        (("pull", "--from", "own", "--table", "x", "--since", "spring"), "is not a month"),
        (("sql",), "Give either a query or --file"),
        (("sql", ""), "There is no query"),
        (("sql", "/* nothing */ ;"), "There is no query"),
    ],
)
def test_a_mistake_ends_in_a_message_and_exit_code_4(
    milkrun: Milkrun, arguments: tuple[object, ...], message: str
) -> None:
    """Wrong files, options and names are refused without a traceback."""
    outcome = milkrun(*arguments)

    assert (outcome.code, outcome.out) == (4, "")
    assert message in outcome.err


def test_a_pull_reads_the_url_from_the_environment(
    milkrun: Milkrun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source may stand in MILKRUN_SOURCE_URL; a repeated pull adds nothing."""
    connection = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
    connection.executescript("CREATE TABLE sales (name, month, value); INSERT INTO sales VALUES ('milk', '1962-01', 5)")
    connection.close()
    monkeypatch.setenv("MILKRUN_SOURCE_URL", f"sqlite:///{tmp_path}/shop.db")

    assert "1 added" in milkrun("pull", "--table", "sales").out
    assert "1 unchanged" in milkrun("pull", "--query", "select * from sales", "--since", "1962-01").out


def test_a_pull_reads_the_own_database(milkrun: Milkrun) -> None:
    """`own` is Milkrun's database: series can be made of series."""
    milkrun("load", MILK)
    query = "select 'double' as series, month, 2 * value as value from milkrun.observation"

    assert "168 added" in milkrun("pull", "--from", "own", "--query", query).out


def test_a_password_is_printed_and_stored_nowhere(milkrun: Milkrun, settings: Settings) -> None:
    """Neither a successful pull nor a failed one shows or stores the password of the source."""
    assert settings.database_url is not None
    url = make_url(settings.database_url)
    secret = str(url.password or SECRET)
    good = url.set(password=secret).render_as_string(hide_password=False)
    query = "select 'x' as series, '1962-01' as month, 1 as value"
    outcomes = [
        milkrun("pull", "--from", good, "--query", query),
        milkrun("pull", "--from", f"postgresql://u:{SECRET}@127.0.0.1:1/x", "--query", query),
        milkrun("pull", "--from", f"postgresql://127.0.0.1:1/x?password={SECRET}", "--query", query),
        milkrun("pull", "--from", f"postgresql://u:{SECRET}@y@127.0.0.1:1/x", "--query", query),
        milkrun("pull", "--from", good, "--query", query.replace("1 as", f"'{secret}' as nothing, no as")),
    ]
    stored = milkrun("sql", "select load::text from load").out

    assert [outcome.code for outcome in outcomes] == [0, 3, 3, 4, 4]
    printed = stored + "".join(outcome.out + outcome.err for outcome in outcomes)
    assert (SECRET in printed, secret in printed) == (False, False)


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


def test_sql_reads_a_file(milkrun: Milkrun, tmp_path: Path) -> None:
    """A query may come from a file, with comments, percent signs, colons and a semicolon at its end."""
    path = write(tmp_path, "-- all; of it\nselect '%s :x; ' as x, '12:30'::time as y /* ; */ ;\n", "query.sql")

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
        ("delete from load", "read-only transaction"),
        ("create table x ()", "read-only transaction"),
        ("select 1; drop table load", "one statement at a time"),
        ("commit; drop table load", "one statement at a time"),
        ("with x as (delete from load returning 1) select * from x", "data-modifying"),
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
    arguments = [sys.executable, "-c", "from forecasting.cli import main; main()"]
    with subprocess.Popen(
        [*arguments, "sql", "--csv", "select repeat('x', 100) as x from generate_series(1, 300000)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "DATABASE_URL": settings.database_url},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"x\n"
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize("command", ["load", "pull", "sql"])
def test_help_is_quick(command: str) -> None:
    """Asking for help costs less than half a second of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", "from forecasting.cli import main; main()", command, "--help"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5
