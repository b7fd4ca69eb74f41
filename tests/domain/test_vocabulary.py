"""Tests of the words that are stored: the tables take exactly those of the vocabulary."""

import json
import re

import pytest
from sqlalchemy import text

from forecasting.domain.vocabulary import DECISION_COUNTS, Decision, Kind, Outcome, RunState, Split, sql_list
from forecasting.storage.db.database import Database

COLUMNS = {
    ("run", "kind"): Kind,
    ("run", "state"): RunState,
    ("run_series", "decision"): Decision,
    ("run_series", "outcome"): Outcome,
    ("run_network", "decision"): Decision,
    ("rmse_history", "split"): Split,
}


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_table_takes_exactly_the_words_of_its_column(database: Database, table: str, column: str) -> None:
    """The CHECK constraint of the live schema lists the members of the enum, and no other word."""
    with database.reading() as connection:
        definitions = connection.scalars(
            text(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = to_regclass(:name) AND contype = 'c'"
            ),
            {"name": f"milkrun.{table}"},
        ).all()

    [words] = [
        re.findall(r"'([a-z_]+)'::text", definition)
        for definition in definitions
        if re.match(rf"CHECK \(\({column} = ANY \(ARRAY", definition)
    ]
    assert sorted(words) == sorted(COLUMNS[table, column])


def test_words_are_texts() -> None:
    """They are equal to what tables, JSON and SQL hold, and are written as such."""
    assert Outcome("held") == "held"
    assert json.dumps({"outcome": Outcome.HELD}) == '{"outcome": "held"}'
    assert f"{Decision.REUSE}, {DECISION_COUNTS[Decision.REUSE]}" == "reuse, reused"
    assert sql_list(Split) == "'train', 'test', 'live'"
