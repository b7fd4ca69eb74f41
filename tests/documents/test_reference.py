"""Tests of the reference that is made from the program and from the schema."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from sqlalchemy import text

from forecasting.cli import milkrun
from forecasting.settings import Settings
from forecasting.storage.database import Database, open_database
from forecasting.storage.queries import run_query
from tests.documents.texts import DOCUMENTS, load_script

DOCS = Path(__file__).parents[2] / "docs"
_write = load_script(DOCS / "write.py")
QUERIES = re.findall(r"```sql\n(.*?)```", (DOCS / "reference" / "sql.md").read_text(), re.DOTALL)


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


def test_the_five_questions_have_these_answers(story: Settings) -> None:
    """The last five queries answer the questions above them, from the story's own numbers."""
    answers = []
    with open_database(story) as opened:
        for query in QUERIES[-5:]:
            with run_query(opened, query) as (_, rows):
                answers.append(list(rows))
        with run_query(
            opened, "select value from latest_observation where series = 'milk' and month = '1975-03-01'"
        ) as (_, rows):
            [(year_ago,)] = rows

    ahead, nearer, worse, held, moves = answers
    assert ahead[0][1] == year_ago == 892
    assert 0 <= nearer[0][0] <= nearer[0][1] == 12
    assert (worse[0][1], worse[0][0] >= 3) == (6, True)
    assert [(series, str(month)) for series, month, _ in held] == [("whey", "1974-05-01")]
    assert sum(moves[0]) == 15 * 11
