"""Tests of the words that are stored: the tables take exactly those of the vocabulary, and get them as plain text."""

import json
import re
from enum import StrEnum
from typing import Any, get_args

import numpy as np
import pytest
from sqlalchemy import text

from forecasting.domain.policy import Policy
from forecasting.domain.vocabulary import (
    DECISION_COUNTS,
    Aggregate,
    Decision,
    Kind,
    KindWord,
    Outcome,
    PromotionKind,
    Reprocessing,
    ReprocessWord,
    RetrainPolicy,
    RetrainWord,
    RunState,
    Split,
    Vintages,
    alternatives,
    sql_list,
)
from forecasting.storage.db.database import Database

COLUMNS: dict[tuple[str, str], type[StrEnum]] = {
    ("load", "aggregate"): Aggregate,
    ("promotion", "kind"): PromotionKind,
    ("rmse_history", "split"): Split,
    ("run", "kind"): Kind,
    ("run", "state"): RunState,
    ("run", "vintages"): Vintages,
    ("run_network", "decision"): Decision,
    ("run_series", "decision"): Decision,
    ("run_series", "outcome"): Outcome,
}


def test_the_tables_take_exactly_the_words_of_the_vocabulary(database: Database) -> None:
    """Every CHECK constraint of the live schema that lists words lists the members of one enum, and no other word."""
    with database.reading() as connection:
        constraints = connection.execute(
            text("""
                SELECT relname, pg_get_constraintdef(c.oid) FROM pg_constraint c JOIN pg_class t ON t.oid = conrelid
                WHERE connamespace = 'milkrun'::regnamespace AND contype = 'c'
            """)
        ).all()

    words_by_column = {
        (table, lists_words[1]): sorted(re.findall(r"'([a-z_]+)'::text", definition))
        for table, definition in constraints
        if (lists_words := re.match(r"CHECK \(\((\w+) = ANY \(ARRAY", definition))
    }
    assert words_by_column == {column: sorted(words) for column, words in COLUMNS.items()}


def test_words_are_written_as_plain_text(database: Database) -> None:
    """Parameters of SQL, lists of them, JSON, NumPy's texts and f-strings hold the word and nothing of the enum."""
    words = [Outcome.HELD, Decision.REUSE]

    with database.reading() as connection:
        row = connection.execute(
            text("SELECT CAST(:word AS text), CAST(:words AS text[]), CAST(:json AS jsonb)"),
            {"word": Outcome.HELD, "words": words, "json": json.dumps({Outcome.HELD: words})},
        ).one()

    assert list(row) == ["held", ["held", "reuse"], {"held": ["held", "reuse"]}]
    assert {type(value) for value in (row[0], *row[1])} == {str}
    assert np.array(words).tolist() == ["held", "reuse"]
    assert f"{Decision.REUSE}, {DECISION_COUNTS[Decision.REUSE]}" == "reuse, reused"
    assert (sql_list(Split), alternatives(Split)) == ("'train', 'test', 'live'", "train, test or live")


@pytest.mark.parametrize(
    ("words", "members"), [(KindWord, Kind), (RetrainWord, RetrainPolicy), (ReprocessWord, Reprocessing)]
)
def test_a_caller_may_write_each_member_as_a_word(words: Any, members: type[StrEnum]) -> None:
    """The types of arguments list the members, in their order."""
    assert list(get_args(words)) == list(members)


def test_a_policy_is_stored_alike_whether_given_a_word_or_a_member() -> None:
    """The text of its settings, by which runs are found again, is the same."""
    assert json.dumps(Policy(retrain="never").settings) == json.dumps(Policy(retrain=RetrainPolicy.NEVER).settings)
