"""Tests of loads: every row is counted, nothing is stored twice, and every rejected row has its reason."""

import dataclasses
import itertools
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import pyarrow
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from forecasting.domain.errors import EnvironmentFailure, InputError
from forecasting.domain.months import Month
from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult, load_observations
from forecasting.intake.staging import CHUNK
from forecasting.storage.db.database import LOAD_LOCK, Database
from forecasting.storage.db.schema import open_migrated_database

TODAY = Month.of(2024, 6)
Triple = tuple[str, str, str]


def chunk(rows: Sequence[Triple], unit: str | None = None, first_line: int = 2) -> pyarrow.RecordBatch:
    """Make one chunk of text rows with consecutive lines."""
    series, month, value = ([row[position] for row in rows] for position in range(3))
    lines = list(range(first_line, first_line + len(rows)))
    nothing = [None] * len(rows)
    columns = (lines, series, month, value, [unit] * len(rows), nothing)
    return pyarrow.RecordBatch.from_arrays(
        [pyarrow.array(column, field.type) for column, field in zip(columns, CHUNK, strict=True)], schema=CHUNK
    )


def load_rows(database: Database, *rows: Triple, unit: str | None = None, **options: Any) -> LoadResult:
    """Load rows as one chunk."""
    return load_observations(database, [chunk(rows, unit)], source="test", today=TODAY, **options)


def fetch(database: Database, query: str) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def latest(database: Database) -> dict[tuple[str, date], float]:
    """Return the newest value of every series and month."""
    rows = fetch(
        database,
        "SELECT name, month, value FROM milkrun.observation JOIN milkrun.series USING (series_id) ORDER BY load_id",
    )
    return {(name, month): value for name, month, value in rows}


def reasons(database: Database, rows: Sequence[Triple]) -> list[str]:
    """Load rows that must all be rejected, and return the reason of each, without its sentence, in the order of the rows."""
    result = load_rows(database, *rows)

    assert (result.rows_added, result.rows_rejected) == (0, len(rows))
    rejected_rows = fetch(database, "SELECT split_part(reason, ':', 1) FROM milkrun.rejected_row ORDER BY line")
    return [reason for (reason,) in rejected_rows]


BAD_VALUES = [
    ("NaN", "not_finite"),
    ("-nan", "not_finite"),
    ("inf", "not_finite"),
    ("-Infinity", "not_finite"),
    ("", "empty_value"),
    ("  ", "empty_value"),
    ("null", "not_a_number"),
    ("NA", "not_a_number"),
    ("12,5", "not_a_number"),
    ("1.234.567", "not_a_number"),
    ("0x1F", "not_a_number"),
    ("1_000", "not_a_number"),
    ("٣", "not_a_number"),
    ("5 %", "not_a_number"),
    ("1e400", "out_of_range"),
    ("-1e400", "out_of_range"),
    ("1e99999999999", "out_of_range"),
    ("9" * 500, "out_of_range"),
    ("1000000000000001", "out_of_range"),
    ("-1.1e15", "out_of_range"),
]


def test_what_is_no_finite_number_of_sensible_size_is_rejected(database: Database) -> None:
    """A value that is missing, not a number, not finite or beyond 1e15 is rejected with its own reason."""
    rejections = reasons(database, [(f"s{row}", "1962-01", value) for row, (value, _) in enumerate(BAD_VALUES)])

    assert list(zip([value for value, _ in BAD_VALUES], rejections, strict=True)) == BAD_VALUES


NUMBERS = [
    ("589", 589.0),
    (" 589.50 ", 589.5),
    ("-3", -3.0),
    ("+3", 3.0),
    ("0", 0.0),
    (".5", 0.5),
    ("5.", 5.0),
    ("1e15", 1e15),
    ("-1000000000000000", -1e15),
    ("6.02E+3", 6020.0),
    ("1e-400", 0.0),
    ("0.1000000000000000055511151231257827", 0.1),
    ("0" * 100 + "7", 7.0),
]


def test_numbers_are_read_as_they_are_written(database: Database) -> None:
    """Integers, decimals, exponents, signs and blanks around them are read; zero and negative numbers are allowed."""
    load_rows(database, *((number_text.strip(), "1962-01", number_text) for number_text, _ in NUMBERS))

    assert latest(database) == {(number_text.strip(), date(1962, 1, 1)): value for number_text, value in NUMBERS}


MONTH_TEXTS = [
    "1962-02",
    "1962-2",
    "1962-02-01",
    "1962-02-28",
    "1962-02-14",
    "1962/02",
    "1962/2/28",
    "1962-02-28 23:59:59.999999",
    "1962-02-28T23:59",
    "1962-02-28T23:59:59Z",
    "1962-02-28 23:59:59+05:30",
    "1962-02-01 00:00:00-0800",
    " 1962-02 ",
]


def test_every_way_to_write_a_month_gives_its_first_day(database: Database) -> None:
    """Month-start, month-end, mid-month and full timestamps map to the month that is written."""
    result = load_rows(database, *(("milk", month_text, "1") for month_text in MONTH_TEXTS))

    assert (result.rows_added, result.rows_collapsed) == (1, len(MONTH_TEXTS) - 1)
    assert latest(database) == {("milk", date(1962, 2, 1)): 1.0}


BAD_MONTHS = [
    ("", "empty_month"),
    ("Feb 1962", "bad_month"),
    ("196202", "bad_month"),
    ("02/1962", "bad_month"),
    ("1962-13", "bad_month"),
    ("1962-00", "bad_month"),
    ("1962-02-29", "bad_month"),
    ("1962-02-00", "bad_month"),
    ("infinity", "bad_month"),
    ("12024-01", "bad_month"),
    ("0000-01", "month_out_of_range"),
    ("1699-12", "month_out_of_range"),
    ("2201-01", "month_out_of_range"),
    ("2024-07", "future_month"),
    ("2200-12", "future_month"),
]


def test_what_is_no_month_of_the_past_is_rejected(database: Database) -> None:
    """A month that does not exist, is out of range or lies after the current month is rejected."""
    rejections = reasons(database, [("milk", month, "1") for month, _ in BAD_MONTHS])

    assert list(zip([month for month, _ in BAD_MONTHS], rejections, strict=True)) == BAD_MONTHS


def test_the_current_month_and_the_bounds_are_allowed(database: Database) -> None:
    """The first month of the range, a leap day and the current month are accepted."""
    result = load_rows(database, ("milk", "1700-01", "1"), ("milk", "2024-02-29", "2"), ("milk", "2024-06-30", "3"))

    assert (result.rows_added, result.newest_month) == (3, TODAY)


BAD_NAMES = [
    ("", "empty_name"),
    ("   ", "empty_name"),
    ("x" * 201, "name_too_long"),
    ("x" * 10_000, "name_too_long"),
    ("mi\x00lk", "control_character"),
    ("\x1b[31mmilk", "control_character"),
    ("mi\nlk", "control_character"),
    ("milk\t", "control_character"),
    ("mi\x9blk", "control_character"),
    ("mi\u202elk", "control_character"),
    ("mi\u2028lk", "control_character"),
]


def test_names_that_cannot_be_shown_are_rejected(database: Database) -> None:
    """Empty and long names, NUL, escape sequences and other control characters are rejected."""
    rejections = reasons(database, [(name, "1962-01", "1") for name, _ in BAD_NAMES])

    assert list(zip([name for name, _ in BAD_NAMES], rejections, strict=True)) == BAD_NAMES


NAMES_TAKEN = [
    "x" * 200,
    "Milch „süß“",
    "牛乳",
    "o'brien; drop table series --",
    'a"b',
    "%s",
    ":x",
    "NULL",
    "\\N",
    "\\.",
]


def test_names_are_never_interpreted(database: Database) -> None:
    """Any text that can be shown is a name, whatever it means elsewhere."""
    load_rows(database, *((name, "1962-01", "1") for name in NAMES_TAKEN))

    assert {name for name, _ in latest(database)} == set(NAMES_TAKEN)


def test_names_are_normalised_and_trimmed(database: Database) -> None:
    """Two ways to write the same letters, and blanks around a name, make one series."""
    composed = unicodedata.normalize("NFC", "café")
    result = load_rows(
        database,
        (composed, "1962-01", "1"),
        (unicodedata.normalize("NFD", composed), "1962-02", "2"),
        (" café ", "1962-03", "3"),
    )

    assert (result.new_series, result.rows_added) == (1, 3)
    assert {name for name, _ in latest(database)} == {composed}


def test_rejected_rows_keep_line_raw_text_and_reason(database: Database) -> None:
    """A rejected row is stored with its line, its text without control characters, and the reason in a sentence."""
    result = load_rows(database, ("milk", "1962-01", "1"), ("\x1b[31m\x00x", "1962-01", "y" * 500))

    raw = "\\x1b[31m\\x00x,1962-01," + "y" * 60 + "…"
    rejected_rows = fetch(database, "SELECT load_id, position, line, raw, reason FROM milkrun.rejected_row")
    assert rejected_rows == [(result.load_id, 1, 3, raw, result.rejected[0].reason)]
    assert result.rejected[0].raw == raw


def test_equal_duplicates_collapse(database: Database) -> None:
    """The same value twice for a month counts once, however the month and the number are written."""
    result = load_rows(database, ("milk", "1962-01", "1"), ("milk", "1962-01-31", "1.0"), ("milk", "1962/01", "1e0"))

    assert (result.rows_added, result.rows_collapsed, result.rows_rejected) == (1, 2, 0)


def test_different_duplicates_are_all_rejected(database: Database) -> None:
    """Different values for a month are all rejected, naming their lines; the other months are accepted."""
    result = load_rows(
        database,
        ("milk", "1962-01", "1"),
        ("milk", "1962-02", "5"),
        ("milk", "1962-01-31", "2"),
        ("milk", "1962-01", "1"),
    )

    assert [row.line for row in result.rejected] == [2, 4, 5]
    assert {row.reason for row in result.rejected} == {
        "conflicting_duplicate: lines 2, 4, 5 give different values for the month"
    }
    assert latest(database) == {("milk", date(1962, 2, 1)): 5.0}


def test_a_broken_duplicate_does_not_spoil_the_good_one(database: Database) -> None:
    """A value that is no number is rejected alone; it conflicts with nothing."""
    result = load_rows(database, ("milk", "1962-01", "1"), ("milk", "1962-01", "NaN"))

    assert (result.rows_added, result.rows_rejected) == (1, 1)


def test_a_series_goes_on_with_its_good_rows(database: Database) -> None:
    """Bad rows of a series do not keep its good ones out, and a series without good rows is not made."""
    result = load_rows(database, ("milk", "1962-01", "1"), ("milk", "1962-02", "bad"), ("oil", "1962-01", "bad"))

    assert (result.rows_added, result.rows_rejected, result.new_series) == (1, 2, 1)
    assert fetch(database, "SELECT name FROM milkrun.series") == [("milk",)]


def test_the_same_rows_once_more_store_nothing(database: Database) -> None:
    """A load that is repeated is on record once, rejected rows as well, and its counts say what became of each row."""
    rows = [("milk", "1962-01", "1"), ("milk", "1962-02", "2"), ("milk", "1962-03", "three")]
    first, second = load_rows(database, *rows), load_rows(database, *rows)

    assert (second.rows_added, second.rows_unchanged, second.rows_rejected, second.new_series) == (0, 2, 1, 0)
    assert (second.load_id, first.is_repetition, second.is_repetition) == (first.load_id, False, True)
    for table, count in (("load", 1), ("observation", 2), ("rejected_row", 1)):
        assert fetch(database, f"SELECT count(*) FROM milkrun.{table}") == [(count,)]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([("milk", "1962-01", "1"), ("milk", "1962-02", "x")], id="another rejected row"),
        pytest.param([("milk", "1962-01", "1"), ("milk", "1962-01", "1"), ("milk", "1962-02", "?")], id="a row twice"),
        pytest.param([("milk", "1962-01", "1")], id="fewer rows"),
    ],
)
def test_other_rows_without_news_are_on_record(database: Database, rows: list[Triple]) -> None:
    """Rows that change no value are a load of their own where they are not the rows of the load before."""
    load_rows(database, ("milk", "1962-01", "1"), ("milk", "1962-02", "?"))
    result = load_rows(database, *rows)

    assert (result.load_id, result.rows_added, result.is_repetition) == (2, 0, False)


def test_an_older_file_after_a_revision_is_a_load_of_its_own(database: Database) -> None:
    """Its values are news again, and a repetition of it is one of its own load."""
    january = [("milk", "1962-01", "1")]
    results = [load_rows(database, *rows) for rows in (january, [("milk", "1962-01", "2")], january, january)]

    assert [(result.load_id, result.rows_added) for result in results] == [(1, 1), (2, 1), (3, 1), (3, 0)]


def test_a_revision_is_a_new_vintage_and_keeps_the_old(database: Database) -> None:
    """A changed value is added beside the old one; going back to the first value is a change as well."""
    for value in ("1", "2", "2", "1"):
        load_rows(database, ("milk", "1962-01", value), ("milk", "1962-02", "7"))

    assert fetch(database, "SELECT load_id, value FROM milkrun.observation WHERE month = '1962-01-01' ORDER BY 1") == [
        (1, 1.0),
        (2, 2.0),
        (3, 1.0),
    ]
    assert fetch(database, "SELECT count(*) FROM milkrun.observation WHERE month = '1962-02-01'") == [(1,)]


def test_a_new_series_remembers_its_unit_and_its_load(database: Database) -> None:
    """The unit and the first load of a series are those of the load that brought it."""
    load_rows(database, ("oil", "1962-01", "1"))
    result = load_rows(database, ("milk", "1962-01", "1"), unit=" pounds ")

    series = fetch(database, "SELECT name, unit, active, first_load_id FROM milkrun.series ORDER BY series_id")
    assert series == [("oil", None, True, 1), ("milk", "pounds", True, result.load_id)]


def test_another_unit_is_rejected(database: Database) -> None:
    """Values in another unit than the stored one are rejected, never mixed."""
    load_rows(database, ("milk", "1962-01", "1"), unit="pounds")
    result = load_rows(database, ("milk", "1962-02", "1"), unit="kg")

    assert result.rejected[0].reason == "unit_differs: the series is stored in pounds"


def test_two_units_in_one_load_are_rejected(database: Database) -> None:
    """A series with two units in one load is rejected whole; the others are not."""
    batches = [chunk([("milk", "1962-01", "1"), ("oil", "1962-01", "1")], "kg"), chunk([("milk", "1962-02", "1")], "t")]
    result = load_observations(database, batches, source="test", today=TODAY)

    assert [row.reason.split(":")[0] for row in result.rejected] == ["unit_conflict"] * 2
    assert set(latest(database)) == {("oil", date(1962, 1, 1))}


def test_a_load_without_rows_is_refused(database: Database) -> None:
    """Nothing read is an error, and leaves no load."""
    with pytest.raises(InputError, match="holds no observation"):
        load_observations(database, [], source="empty.csv", today=TODAY)

    assert fetch(database, "SELECT count(*) FROM milkrun.load") == [(0,)]


def test_a_dry_run_counts_and_stores_nothing(database: Database) -> None:
    """A dry run tells what a load would do; the load then does that."""
    rows = [("milk", "1962-01", "1"), ("milk", "1962-01", "1"), ("milk", "1962-02", "x")]
    dry_result = load_rows(database, *rows, dry_run=True)

    assert fetch(database, "SELECT count(*) FROM milkrun.load") == [(0,)]
    assert dataclasses.replace(load_rows(database, *rows), load_id=None) == dry_result


def test_a_strict_load_with_a_bad_row_stores_nothing(database: Database) -> None:
    """With strict one rejected row keeps everything out; without any, the load is stored."""
    assert load_rows(database, ("milk", "1962-01", "1"), ("milk", "1962-02", "x"), strict=True).load_id is None
    assert load_rows(database, ("milk", "1962-01", "1"), strict=True).load_id is not None
    assert fetch(database, "SELECT count(*) FROM milkrun.observation") == [(1,)]


def test_all_rejected_is_stored_with_its_reasons(database: Database) -> None:
    """A load of which nothing was accepted still leaves its row and its rejected rows."""
    result = load_rows(database, ("milk", "1962-01", "x"), ("milk", "1962-02", "NaN"))

    assert fetch(database, "SELECT rows_added, rows_rejected FROM milkrun.load") == [(0, 2)]
    assert fetch(database, "SELECT count(*) FROM milkrun.rejected_row") == [(2,)]
    assert result.newest_month is None


def test_a_failure_in_the_middle_leaves_nothing(database: Database) -> None:
    """When the source fails after some chunks, its own error is raised and nothing is stored."""

    def failing() -> Iterator[pyarrow.RecordBatch]:
        yield chunk([("milk", "1962-01", "1")] * 50_000)
        raise InputError("the source broke")

    with pytest.raises(InputError, match="the source broke"):
        load_observations(database, failing(), source="test", today=TODAY)

    assert fetch(database, "SELECT (SELECT count(*) FROM milkrun.load), (SELECT count(*) FROM milkrun.series)") == [
        (0, 0)
    ]


class _CutOff:
    """Rows whose first reading kills the loader's own connection half-way."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.readings = 0

    def __iter__(self) -> Iterator[pyarrow.RecordBatch]:
        self.readings += 1
        yield chunk([("milk", "1962-01", "1")] * 20_000)
        if self.readings == 1:
            with self.database.engine.begin() as connection:
                from_others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
                connection.execute(text(f"SELECT pg_terminate_backend(pid) {from_others}"))
        yield chunk([("milk", "1962-02", "2")] * 200_000)


def test_a_lost_connection_is_repeated_whole(database: Database) -> None:
    """When the connection breaks half-way, rows that can be read anew are read anew, and stored once."""
    rows = _CutOff(database)
    result = load_observations(database, rows, source="test", today=TODAY)

    assert (rows.readings, result.rows_added, result.rows_collapsed) == (2, 2, 219_998)


def test_a_lost_connection_is_not_repeated_for_a_stream(database: Database) -> None:
    """When the connection breaks and the rows cannot be read anew, the load fails and stores nothing."""
    with pytest.raises(EnvironmentFailure):
        load_observations(database, iter(_CutOff(database)), source="test", today=TODAY)

    assert fetch(database, "SELECT count(*) FROM milkrun.load") == [(0,)]


def test_simultaneous_loads_give_the_result_of_one(database: Database) -> None:
    """Four loads at once of the same rows: one adds them, the others find them, and none makes a second vintage."""
    results: list[LoadResult] = []
    rows = [(f"s{number}", "1962-01", str(number)) for number in range(500)]

    def load() -> None:
        results.append(load_rows(database, *rows))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(result.rows_added for result in results) == [0, 0, 0, 500]
    assert fetch(database, "SELECT rows_added FROM milkrun.load ORDER BY load_id") == [(500,)]
    assert fetch(database, "SELECT count(*), count(DISTINCT series_id) FROM milkrun.observation") == [(500, 500)]


def test_simultaneous_revisions_follow_the_order_of_load_ids(database: Database) -> None:
    """Loads at once of different values: each compares with the one before it, so no vintage repeats its predecessor."""
    values = ["1", "2", "1", "2", "1", "2", "1", "2"]
    results: list[LoadResult] = []
    threads = [
        threading.Thread(target=lambda value=value: results.append(load_rows(database, ("milk", "1962-01", value))))
        for value in values
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    vintages = [value for (value,) in fetch(database, "SELECT value FROM milkrun.observation ORDER BY load_id")]
    assert all(before != after for before, after in itertools.pairwise(vintages))
    assert sum(result.rows_added for result in results) == len(vintages)


def test_the_load_id_is_taken_under_the_lock(database: Database) -> None:
    """While somebody holds the lock a load waits, so that a smaller load id is never committed later."""
    with database.engine.begin() as holder:
        holder.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": LOAD_LOCK})
        thread = threading.Thread(target=load_rows, args=(database, ("milk", "1962-01", "1")))
        thread.start()
        thread.join(timeout=1)
        waiting = thread.is_alive()
        last_id = holder.scalar(text("SELECT last_value FROM milkrun.load_load_id_seq WHERE is_called"))
    thread.join()

    assert (waiting, last_id) == (True, None)
    assert fetch(database, "SELECT load_id FROM milkrun.load") == [(1,)]


MONTHS = st.sampled_from(["1962-01", "1962-01-31", "1962/02", "1962-02-01", "2024-06", "2024-07", "1962-13", "", "x"])
VALUES = st.sampled_from(["1", "1.0", "2", "-3", "0", "NaN", "1e400", "", "inf", "1e15", "x"]) | st.floats().map(str)
NAMES = st.sampled_from(["milk", "oil", " milk", "café", "cafe\u0301", "", "\x00"]) | st.text(max_size=5)
FRAMES = st.lists(st.tuples(NAMES, MONTHS, VALUES), min_size=1, max_size=30)
frames = hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def cleared(database: Database) -> Database:
    """Empty the tables between two examples."""
    with database.engine.begin() as connection:
        connection.execute(text("TRUNCATE milkrun.load RESTART IDENTITY CASCADE"))
    return database


@frames
@given(rows=FRAMES)
def test_every_row_is_counted_and_a_second_load_stores_nothing(database: Database, rows: list[Triple]) -> None:
    """Accepted + collapsed + rejected = read, and a second load leaves no trace."""
    cleared(database)
    first = load_rows(database, *rows)
    values = latest(database)
    second = load_rows(database, *rows)

    assert first.rows_read == len(rows) == first.rows_added + first.rows_collapsed + first.rows_rejected
    assert (second.rows_added, second.new_series) == (0, 0)
    assert (second.rows_unchanged, second.rows_collapsed) == (first.rows_added, first.rows_collapsed)
    assert second.rows_rejected == first.rows_rejected
    assert latest(database) == values
    assert fetch(database, "SELECT count(*) FROM milkrun.rejected_row") == [(first.rows_rejected,)]


@frames
@given(rows=FRAMES, data=st.data())
def test_the_order_of_rows_does_not_matter(database: Database, rows: list[Triple], data: st.DataObject) -> None:
    """Rows in any order, in any chunks, give the same observations and the same counts."""
    first = load_rows(cleared(database), *rows)
    values = latest(database)
    shuffled = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    batches = [chunk(shuffled[:cut]), chunk(shuffled[cut:], first_line=2 + cut)]
    second = load_observations(cleared(database), batches, source="test", today=TODAY)

    assert latest(database) == values
    assert dataclasses.replace(second, rejected=()) == dataclasses.replace(first, rejected=())


def test_names_are_stored_as_they_are_whatever_the_encoding_of_the_client(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGCLIENTENCODING, or the same setting of a role, changes no letter of a name on its way into the database."""
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    with open_migrated_database(settings) as database:
        load_rows(database, ("café", "2024-01", "1"))

        with database.reading() as connection:
            assert connection.scalar(text("SELECT name FROM milkrun.series")) == "café"
            assert connection.scalar(text("SELECT length(name) FROM milkrun.series")) == 4
