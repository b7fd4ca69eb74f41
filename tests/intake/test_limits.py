"""Small files, views and frames that would fill the memory are refused, with the column and the limit."""

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from forecasting.domain.errors import InputError
from forecasting.intake.columns import CELL_BYTES, MOST_COLUMNS, ColumnRoles
from forecasting.intake.databases import Selection, open_database_source
from forecasting.intake.files import open_file
from forecasting.intake.frames import open_frame

ROWS = 1_000_000
# The kilobytes that a process has taken at most, beside those of its imports.
MEASURE = """
import resource, sys
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import open_file
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows = sum(batch.num_rows for batch in open_file(__import__("pathlib").Path(sys.argv[1]), ColumnRoles()))
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def write_names(path: Path, name: str) -> None:
    """Write a Parquet file of a million rows with one name, which it holds once."""
    names = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * ROWS, pyarrow.int32()), [name])
    months, values = pyarrow.array(["2020-01"] * ROWS).dictionary_encode(), pyarrow.array([1.0] * ROWS)
    pyarrow.parquet.write_table(pyarrow.table({"series": names, "month": months, "value": values}), path)


def test_a_small_parquet_file_of_a_long_name_is_refused(tmp_path: Path) -> None:
    """The file holds the name once; unpacked it would take 20 GB."""
    write_names(tmp_path / "long.parquet", "n" * 20_000)

    with pytest.raises(InputError, match=r"column 'series' has a cell of 20,000 bytes"):
        list(open_file(tmp_path / "long.parquet", ColumnRoles()))


def test_names_of_the_allowed_length_are_read_in_small_batches(tmp_path: Path) -> None:
    """A million names of a thousand bytes, one gigabyte, are never in memory together."""
    write_names(tmp_path / "long.parquet", "n" * CELL_BYTES)
    answer = subprocess.run([sys.executable, "-c", MEASURE, tmp_path / "long.parquet"], capture_output=True, check=True)
    rows, kilobytes = map(int, answer.stdout.split())

    assert rows == ROWS
    assert kilobytes < 600_000


def test_a_row_group_that_unpacks_to_much_is_refused(tmp_path: Path) -> None:
    """The sizes that the file states are looked at before it is unpacked."""
    names = pyarrow.array([f"{number % 7}" * 600 for number in range(ROWS)])
    table = pyarrow.table({"series": names, "month": ["2020-01"] * ROWS, "value": [1.0] * ROWS})
    pyarrow.parquet.write_table(table, tmp_path / "large.parquet", compression="zstd", use_dictionary=False)

    with pytest.raises(InputError, match="smaller row groups"):
        list(open_file(tmp_path / "large.parquet", ColumnRoles()))


def test_a_view_that_makes_long_texts_is_refused(tmp_path: Path) -> None:
    """A file of 4 KB whose view gives a hundred megabytes in each of a million rows: the first row ends the pull."""
    path = tmp_path / "small.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("""
            CREATE VIEW sales AS WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number LIMIT 1000000)
            SELECT hex(zeroblob(50000000)) AS series, '2020-01' AS month, n AS value FROM number""")
    source = open_database_source(f"sqlite:///{path}", Selection(table="sales"), ColumnRoles())

    with pytest.raises(InputError, match=r"column 'series' has a cell of 100,000,000 bytes"):
        list(source)


@pytest.mark.parametrize("kind", ["object", "category", "string"])
def test_a_frame_of_a_long_name_is_refused(kind: str) -> None:
    """The frame holds the name once; as text it would be repeated in each row."""
    frame = pd.DataFrame({"month": ["2020-01"] * 60_000, "value": 1.0, "series": "n" * 150_000})
    frame = frame.astype({"series": kind})

    with pytest.raises(InputError, match=r"column 'series' has a cell of 150,000 bytes"):
        list(open_frame(frame))


def test_a_file_of_too_many_columns_is_refused_at_once(tmp_path: Path) -> None:
    """Four megabytes of commas name two million columns, which would take twelve gigabytes."""
    (tmp_path / "commas.csv").write_text(f"month{',' * 2_000_000}\n2020-01{',' * 2_000_000}\n")

    with pytest.raises(InputError, match="2,000,001 columns; 100,000 are the most"):
        open_file(tmp_path / "commas.csv", ColumnRoles())


@pytest.mark.timeout(20)
def test_a_name_that_comes_twice_is_found_quickly_among_many(tmp_path: Path) -> None:
    """The time that the search takes grows with the number of columns, not with its square."""
    names = ",".join(f"{number:x}" for number in range(MOST_COLUMNS - 2))
    (tmp_path / "twice.csv").write_text(f"month,{names},0\n")

    with pytest.raises(InputError, match="series '0' has more than one column"):
        open_file(tmp_path / "twice.csv", ColumnRoles())


def test_a_long_text_in_place_of_a_month_is_not_repeated_for_each_series(tmp_path: Path) -> None:
    """A megabyte of CSV whose months are long would give gigabytes, one text for each of its columns."""
    path = tmp_path / "months.csv"
    path.write_text(f"month,{','.join(map(str, range(3_000)))}\n" + f"{'x' * 200_000}{',1' * 3_000}\n" * 3)
    answer = subprocess.run([sys.executable, "-c", MEASURE, path], capture_output=True, check=True)
    rows, kilobytes = map(int, answer.stdout.split())

    assert rows == 9_000
    assert kilobytes < 200_000


def test_a_view_that_makes_long_texts_behind_many_short_ones_is_refused(tmp_path: Path) -> None:
    """Rows are not gathered before their length is checked: ten thousand of these would take two gigabytes."""
    path = tmp_path / "small.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("""
            CREATE VIEW sales AS WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number LIMIT 200000)
            SELECT CASE WHEN n < 60000 THEN 'a' ELSE hex(zeroblob(100000)) END AS series, '2020-01' AS month, n AS value
            FROM number""")
    measure = (
        MEASURE.replace(
            'open_file(__import__("pathlib").Path(sys.argv[1]), ColumnRoles())',
            'open_database_source(sys.argv[1], Selection(table="sales"), ColumnRoles())',
        )
        .replace("rows = sum(", "rows = 0\ntry: sum(")
        .replace("print(", "except Exception as refusal: rows = str(refusal)\nprint(")
        .replace("forecasting.intake.files import open_file", "forecasting.intake.databases import *")
    )
    answer = subprocess.run(
        [sys.executable, "-c", measure, f"sqlite:///{path}"], capture_output=True, check=True, text=True
    )

    assert "has a cell of 200,000 bytes" in answer.stdout
    assert int(answer.stdout.split()[-1]) < 300_000
