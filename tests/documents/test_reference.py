"""Tests of the reference that is made from the program and from the schema."""

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest
from sqlalchemy import text

from forecasting.cli import milkrun
from forecasting.domain.settings import Settings
from forecasting.storage.db.database import Database, open_database
from forecasting.storage.views.sql import run_query
from tests.documents.texts import DOCUMENTS, load_script

DOCS = Path(__file__).parents[2] / "docs"
_write = load_script(DOCS / "write.py")
SQL = (DOCS / "reference" / "sql.md").read_text()
QUERIES = re.findall(r"```sql\n(.*?)```", SQL, re.DOTALL)


def _check(settings: Settings) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(DOCS / "write.py"), "--check", "--database", str(settings.database_url)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "80"})


def test_every_column_of_every_view_and_table_is_commented(database: Database) -> None:
    """Whoever adds a column says what it means, in the unit it is in."""
    assert _write.find_uncommented(database) == []


def test_the_reference_is_what_program_and_schema_say(settings: Settings) -> None:
    """A new command, option, view, comment or decision that `make docs` has not written yet fails here."""
    answer = _check(settings)

    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_view_or_a_command_without_documentation_is_found(database: Database, settings: Settings) -> None:
    """A made-up view makes both checks above fail, and a made-up command the check of the commands."""
    database.write(lambda connection: connection.execute(text("CREATE VIEW milkrun.made_up AS SELECT 1 AS one")))
    wanted = _write.describe_commands(milkrun)
    made_up = click.Group(milkrun.name, commands={**milkrun.commands, "skim": click.Command("skim")}, help=milkrun.help)

    answer = _check(settings)

    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [
        "made_up has no comment: its migration must say what it means.",
        "made_up.one has no comment: its migration must say what it means.",
        "docs/reference/sql.md is out of date: make docs writes it.",
    ]
    assert (DOCS / "reference" / "commands.md").read_text() == wanted
    assert "## `milkrun skim`" in _write.describe_commands(made_up)
    assert _write.describe_commands(made_up) != wanted


def test_every_command_and_view_is_told_of_where_people_read() -> None:
    """Beside its entry in the reference, each command and each view stands in a document written by hand."""
    by_hand = "\n".join(
        document.read_text().split(_write.MARK)[0]
        for document in DOCUMENTS
        if document.name not in ("commands.md", "CHANGELOG.md")
    )
    commands = [f"milkrun {name}" for name in milkrun.commands]

    assert [name for name in commands if not re.search(rf"\b{name}\b", by_hand)] == []
    assert [name for name in _write.VIEWS if not re.search(rf"\b{name}\b", by_hand)] == []


@pytest.mark.parametrize("query", QUERIES, ids=[str(number) for number in range(len(QUERIES))])
def test_every_query_of_the_reference_has_an_answer(story: Settings, query: str) -> None:
    """On a year of runs, each query that the reference offers runs and finds rows."""
    with open_database(story) as opened, run_query(opened, query) as (_, rows):
        assert list(rows)


def test_the_five_questions_have_these_answers(story: Settings, milk: list[float]) -> None:
    """The last five queries answer the questions above them, from the story's own numbers."""
    with open_database(story) as opened:
        answers = [rows_of(opened, query) for query in QUERIES[-5:]]
        ahead = dict(rows_of(opened, _AHEAD.format(series="milk")))
    months = {date(1962 + step // 12, step % 12 + 1, 1): value for step, value in enumerate(milk)}
    nearer = [
        abs(value - months[month]) < abs(months[month.replace(year=month.year - 1)] - months[month])
        for month, value in ahead.items()
        if month.year == 1975
    ]

    third, in_last_year, worse, held, moves = answers
    assert third[0][1] == months[date(1975, 3, 1)] == 892
    assert in_last_year == [(sum(nearer), 12)]
    assert (worse[0][1], worse[0][0] >= 3) == (6, True)
    assert [(series, str(month)) for series, month, _ in held] == [("whey", "1974-05-01")]
    assert sum(moves[0]) == 15 * 11


_AHEAD = """
    SELECT month, value FROM milkrun.forecast JOIN milkrun.series USING (series_id)
    WHERE name = '{series}' AND horizon = 1 AND month <= '1975-12-01'"""


def rows_of(database: Database, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with run_query(database, query) as (_, rows):
        return [tuple(row) for row in rows]


def query_below(sentence: str, **names: str) -> str:
    """Return the query of the reference that stands below a sentence, with names put in the place of its own."""
    found: list[str] = re.findall(rf"^{re.escape(sentence)}[^\n]*\n\n```sql\n(.*?)```", SQL, re.DOTALL | re.MULTILINE)
    [query] = found
    for theirs, ours in names.items():
        assert f"'{theirs}'" in query
        query = query.replace(f"'{theirs}'", f"'{ours}'")
    return query


def test_a_reader_of_sql_finds_out_how_the_month_went(story: Settings) -> None:
    """Is December's run there, and how many of how many series were forecast by their network?"""
    with open_database(story) as opened:
        [told] = rows_of(opened, query_below("Whether this month's run is there, and how it went"))

    assert (str(told[0]), told[1:8]) == ("1975-12-01", ("published", 7, 5, 1, 1, 0, 0))


def test_a_reader_of_sql_finds_out_how_far_off_a_forecast_was(story: Settings, milk: list[float]) -> None:
    """What came in December for cream, how far off was the forecast, and what would repeating last year have said?"""
    with open_database(story) as opened:
        rows = rows_of(opened, query_below("Last month's forecast beside what happened, one month ahead"))
        ahead = dict(rows_of(opened, _AHEAD.format(series="cream")))
    [(_, month, forecast, actual, error, seasonal_naive, _)] = [row for row in rows if row[0] == "cream"]

    assert (str(month), actual, seasonal_naive) == ("1975-12-01", 1e6 - 800 * milk[-1], 1e6 - 800 * milk[-13])
    assert (forecast, error) == (ahead[month], ahead[month] - actual)


def test_a_reader_of_sql_finds_out_what_has_no_forecast_and_why(story: Settings) -> None:
    """Which series did no network forecast this month, and for which reason?"""
    with open_database(story) as opened:
        rows = rows_of(opened, query_below("Which series have no forecast from their network this month, and why"))

    assert [row[:3] for row in rows] == [("salt", "fallback", "constant"), ("whey", "held", "late")]


def test_a_reader_of_sql_finds_out_what_was_revised(story: Settings, milk: list[float]) -> None:
    """Which month was given another value later, and from what to what?"""
    with open_database(story) as opened:
        rows = rows_of(opened, query_below("Which observations were revised after they had first been known"))

    [(series, month, values)] = rows
    assert (series, str(month), values) == ("butter", "1974-12-01", [float(f"{milk[155] / 9:.6g}"), 90.5])


def test_a_reader_of_sql_finds_out_what_is_ahead_and_why_it_moved(story: Settings) -> None:
    """How much salt comes next quarter, by the forecast; and what moved the forecast of butter since November?"""
    with open_database(story) as opened:
        quarter = rows_of(opened, query_below("The next quarter in sum"))
        moved = rows_of(opened, query_below("Why the forecast of a series moved since the run before", milk="butter"))

    assert [(float(value), unit) for series, value, unit in quarter if series == "salt"] == [(15.0, "tons")]
    assert [str(row[0])[:7] for row in moved] == [f"1976-{month:02}" for month in range(1, 12)]
    for _, before, now, change, *parts in moved:
        assert change == now - before
        assert sum(parts) == pytest.approx(change, rel=1e-9)
