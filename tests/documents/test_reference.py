"""Tests of the reference that is made from the program and from the schema."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from forecasting.settings import Settings
from forecasting.storage.database import Database, open_database
from forecasting.storage.queries import run_query

DOCS = Path(__file__).parents[2] / "docs"
QUERIES = re.findall(r"```sql\n(.*?)```", (DOCS / "reference" / "sql.md").read_text(), re.DOTALL)


def test_every_column_of_every_view_and_table_is_commented(database: Database) -> None:
    """Whoever adds a column says what it means, in the unit it is in."""
    query = """
        SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'milkrun'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname <> 'alembic_version'
          AND a.attnum > 0 AND NOT a.attisdropped AND col_description(c.oid, a.attnum) IS NULL"""
    with run_query(database, query) as (_, rows):
        assert list(rows) == []


def test_the_reference_is_what_program_and_schema_say(database: Database, settings: Settings) -> None:
    """A new command, option, view or comment that `make docs` has not written yet fails here."""
    command = [sys.executable, str(DOCS / "write.py"), "--check", "--database", str(settings.database_url)]

    answer = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "80"})

    assert (answer.returncode, answer.stderr) == (0, "")


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
