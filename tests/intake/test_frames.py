"""Loads of thousands of random files with every kind of damage; `make faults` draws ten times as many.

Reading a file takes a millisecond and a load takes twenty: several files go into one load, each read as milkrun load does.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow
import pyarrow.compute
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from forecasting.domain.errors import InputError
from forecasting.domain.months import Month
from forecasting.intake.files import open_file
from forecasting.intake.loads import LoadResult, load_observations
from forecasting.storage.db.database import Database
from tests.intake.frames import FORMS, Frame
from tests.intake.reference import expected_rows

TODAY = Month.of(2024, 6)
FILES_PER_LOAD = 5  # with a hundred loads of each form 2,000 files in all
LINES_PER_FILE = 10_000  # more than any file has: the line numbers of two files never overlap


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_every_row_is_stored_or_rejected_with_its_reason(database: Database, tmp_path: Path, form: str) -> None:
    """Accepted, collapsed and rejected rows equal the reference and add up; a second load changes nothing."""

    @settings(suppress_health_check=list(HealthCheck))
    @given(frames=st.lists(FORMS[form], min_size=FILES_PER_LOAD, max_size=FILES_PER_LOAD))
    def check(frames: list[Frame]) -> None:
        clear(database)
        rows = [row for position, frame in enumerate(frames) for row in read(tmp_path, frame, position)]
        count = sum(batch.num_rows for batch in rows)
        if not count:
            return
        first = load(database, rows)
        before = stored_rows(database)
        second = load(database, rows)

        assert before[0] == stored_rows(database)[0]
        assert first.rows_read == first.rows_added + first.rows_collapsed + first.rows_rejected == count
        assert (len(before[0]), before[1].total()) == (first.rows_added, first.rows_rejected)
        assert (second.rows_added, second.rows_unchanged, second.new_series) == (0, first.rows_added, 0)
        assert (second.rows_collapsed, second.rows_rejected) == (first.rows_collapsed, first.rows_rejected)
        if all(frame.rows is not None for frame in frames):
            expected = expected_rows(
                (
                    replace(row, line=row.line + position * LINES_PER_FILE)
                    for position, frame in enumerate(frames)
                    for row in frame.rows or ()
                ),
                TODAY,
            )
            assert before == (expected.accepted, expected.rejected)
            assert first.rows_collapsed == expected.collapsed

    check()


def read(folder: Path, frame: Frame, position: int) -> list[pyarrow.RecordBatch]:
    """Read a file; a damaged file may be refused as a whole, with its name in the message."""
    file = folder / f"frame{frame.suffix}"
    file.write_bytes(frame.content)
    try:
        batches = list(open_file(file, frame.roles))
    except InputError as refusal:
        message = str(refusal)
    else:
        message = ""
    if message:
        assert file.name in message
        assert frame.rows is None
        return []
    if frame.rows is not None:
        assert sum(batch.num_rows for batch in batches) == len(frame.rows)
    return [
        batch.set_column(0, batch.schema.field(0), pyarrow.compute.add(batch["line"], position * LINES_PER_FILE))
        for batch in batches
    ]


def load(database: Database, rows: Sequence[pyarrow.RecordBatch]) -> LoadResult:
    """Load rows in one transaction."""
    return load_observations(database, rows, source="frames", today=TODAY)


def stored_rows(database: Database) -> tuple[dict[tuple[str, Month], float], Counter[tuple[int, str]]]:
    """Return every observation, and line and reason of each row that the first load rejected."""
    with database.reading() as connection:
        values = connection.execute(
            text("SELECT name, month, value FROM milkrun.observation JOIN milkrun.series USING (series_id)")
        )
        observations = {(name, Month.containing(month)): value for name, month, value in values}
        rejected = connection.execute(
            text("""SELECT line, split_part(reason, ':', 1) FROM milkrun.rejected_row
                    WHERE load_id = (SELECT min(load_id) FROM milkrun.load) AND reason LIKE '%: %'""")
        )
        return observations, Counter((line, reason) for line, reason in rejected)


def clear(database: Database) -> None:
    """Empty the tables between two loads; deleting so few rows is quicker than TRUNCATE."""

    def delete(connection: Connection) -> None:
        tables = ("observation", "rejected_row", "series", "load")
        connection.execute(text("; ".join(f"DELETE FROM milkrun.{table}" for table in tables)))

    database.write(delete)
