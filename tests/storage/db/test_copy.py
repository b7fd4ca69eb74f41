"""Tests of PostgreSQL's binary COPY: what goes in comes out."""

import json
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Double,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from forecasting.domain.errors import StatementRefused
from forecasting.storage.db.copy import copy_in_binary, copy_out_binary
from forecasting.storage.db.database import Database

KINDS = (BigInteger, Integer, SmallInteger, Double, Date, Text, JSONB)
everything = Table("everything", MetaData(schema="public"), *(Column(kind.__name__.lower(), kind) for kind in KINDS))
bits = {"biginteger": 63, "integer": 31, "smallinteger": 15}
characters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
rows = st.fixed_dictionaries(
    {
        **{name: st.none() | st.integers(-(2**size), 2**size - 1) for name, size in bits.items()},
        "double": st.none() | st.floats(allow_nan=False),
        "date": st.none() | st.dates(date(1700, 1, 1), date(2200, 12, 31)),
        "text": st.none() | st.text(characters, max_size=50),
        "jsonb": st.none() | st.dictionaries(st.text(characters, max_size=5), st.floats(-1e15, 1e15), max_size=3),
    }
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rows, max_size=8))
def test_what_goes_in_comes_out(database: Database, rows_in: list[dict[str, Any]]) -> None:
    """Numbers, dates, texts of any script and JSON, and NULLs among them, are stored as they were given."""
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS everything"))
        everything.create(connection)

        copy_in_binary(
            connection, everything, {column.name: [row[column.name] for row in rows_in] for column in everything.c}
        )

        assert [dict(row) for row in connection.execute(select(everything)).mappings()] == rows_in


def test_arrays_go_in_as_they_are_and_masked_is_null(database: Database) -> None:
    """A masked value becomes NULL whatever lies below the mask; NaN that is not masked stays NaN."""
    with database.engine.begin() as connection:
        everything.create(connection)
        columns = {
            "double": np.ma.array([1.5, np.nan, np.nan], mask=[False, True, False]),
            "smallinteger": np.array([1, 2, 3]),
            "date": np.array(["1974-12", "1975-01", "1975-02"], dtype="datetime64[M]"),
        }

        copy_in_binary(connection, everything, columns)

        stored_rows = connection.execute(text("SELECT double::text, smallinteger, date::text FROM everything")).all()
    assert [tuple(row) for row in stored_rows] == [
        ("1.5", 1, "1974-12-01"),
        (None, 2, "1975-01-01"),
        ("NaN", 3, "1975-02-01"),
    ]


def test_a_row_read_in_binary_is_the_row_written(database: Database) -> None:
    """Floats come back to the last bit."""
    values = np.array([0.1, -1e-300, 1e300, 5e-324])
    with database.engine.begin() as connection:
        everything.create(connection)
        copy_in_binary(connection, everything, {"double": values, "integer": [4, 3, 2, -1]})

        output = copy_out_binary(
            connection, "SELECT integer, double FROM everything", {"integer": "i4", "double": "f8"}
        )

    assert output["integer"].tolist() == [4, 3, 2, -1]
    assert output["double"].tolist() == values.tolist()


def test_what_a_table_refuses_is_named(database: Database) -> None:
    """A character that PostgreSQL cannot hold is an error of Milkrun's own, not the driver's."""

    def write(connection: Connection) -> None:
        everything.create(connection)
        copy_in_binary(connection, everything, {"text": ["a\0b"]})

    with pytest.raises(StatementRefused, match="SQLSTATE 22021"):
        database.write(write)


def test_json_that_is_no_number_is_refused_before_it_is_sent(database: Database) -> None:
    """JSON has no NaN: a scaler that holds one is a mistake of the program."""
    with database.engine.begin() as connection, pytest.raises(ValueError, match="JSON compliant"):
        copy_in_binary(connection, everything, {"jsonb": [json.loads("NaN")]})
