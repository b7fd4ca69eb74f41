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
from forecasting.intake.columns import CELL_BYTES, ColumnRoles
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
