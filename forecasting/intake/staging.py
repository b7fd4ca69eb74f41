"""Validation: the rows of a source are copied into a temporary table as text, and SQL statements check all rows at once."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, cast

import pyarrow
import pyarrow.csv
from sqlalchemy import Connection, text

from forecasting.domain.months import Month
from forecasting.domain.vocabulary import Aggregate
from forecasting.storage.db.copy import copy_in

CHUNK = pyarrow.schema(
    [
        ("line", pyarrow.int64()),
        ("series", pyarrow.string()),
        ("month", pyarrow.string()),
        ("value", pyarrow.string()),
        ("unit", pyarrow.string()),
        ("problem", pyarrow.string()),
    ]
)


@dataclass(frozen=True)
class MonthRules:
    """How the moments of a source become months, and how several values of one month become one.

    time_zone: where a moment with an offset from UTC is given a month, such as Europe/Berlin; None: the month as it is written.
    aggregate: sum, mean, last or first; None: different values of one month contradict each other. since: rows of earlier
    months are left out; None: all months are read.
    """

    time_zone: str | None = None
    aggregate: Aggregate | None = None
    since: Month | None = None


AS_WRITTEN = MonthRules()

# PostgreSQL cannot store a NUL. A code point that Unicode reserves for internal use replaces it; its row is rejected.
_NUL_MARK = "\ufdd0"

_PATTERNS = {
    "control": r"[[:cntrl:]\u0001-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufdd0]",
    "month": r"^ *([0-9]{4})[-/]([0-9]{1,2})(?:[-/]([0-9]{1,2})(?:[T ][0-9]{2}:[0-9]{2}"
    r"(?::[0-9]{2}(?:[.][0-9]+)?)?(?: ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?)?)? *$",
    "moment": r"^ *[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]+)?)?"
    r" ?(?:Z|UTC|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?) *$",
    "plain_number": r"^-?[0-9]+[.]?[0-9]*$",
    "number": r"^ *[-+]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][-+]?[0-9]+)? *$",
    "long_exponent": r"[eE][-+]?[0-9]{4,}",
    "not_finite": r"^ *[-+]?(?:nan|inf|infinity) *$",
}

# The first branch is for nearly all rows: a number of at most 40 characters cannot overflow, and its pattern is quick
# (counted repeats are slow). The second branch is for texts on which a cast to double precision can fail. The result is
# NULL where the text is no number; the callers check the range.
_VALUE = """
    CASE WHEN length(value) <= 40 AND value ~ :plain_number THEN value::double precision
         WHEN length(value) <= 400 AND value ~ :number AND value !~ :long_exponent THEN
             CASE WHEN abs(value::numeric) > 1e15 THEN NULL
                  WHEN abs(value::numeric) < 1e-300 THEN 0
                  ELSE value::double precision END
    END"""

_STAGED = """
    CREATE TEMP TABLE staged (line bigint, series text, month text, value text, unit text, problem text)
    ON COMMIT DROP"""

_STAGED_MONTH = """
    CREATE TEMP TABLE staged_month ON COMMIT DROP AS
    WITH part AS (
        SELECT month, regexp_match(month, :month) AS part FROM (SELECT DISTINCT month FROM staged) AS written
    ), written AS (
        SELECT month, part[1]::integer AS year, part[2]::integer AS number, coalesce(part[3]::integer, 1) AS day FROM part
    ), moment AS (
        SELECT *, CASE WHEN CAST(:time_zone AS text) IS NOT NULL AND month ~ :moment AND year BETWEEN 1700 AND 2200
                            AND number BETWEEN 1 AND 12 AND day BETWEEN 1 AND
                            extract(day FROM make_date(year, number, 1) + interval '1 month - 1 day')
                       THEN CAST(month AS timestamptz) AT TIME ZONE :time_zone END AS local FROM written
    ), number AS (
        SELECT month, coalesce(extract(year FROM local)::integer, year) AS year,
               coalesce(extract(month FROM local)::integer, number) AS number,
               coalesce(extract(day FROM local)::integer, day) AS day,
               CASE WHEN local IS NOT NULL THEN CAST(month AS timestamptz) AT TIME ZONE 'UTC' END AS instant FROM moment
    ), first AS (
        SELECT *, CASE WHEN year BETWEEN 1700 AND 2200 AND number BETWEEN 1 AND 12
                       THEN make_date(year, number, 1) END AS first_day FROM number
    )
    SELECT month, first_day, day, coalesce(instant::text, replace(btrim(month), 'T', ' ')) AS moment,
           CASE WHEN btrim(month) = '' THEN 'empty_month: the row names no month'
                WHEN year IS NULL THEN 'bad_month: write it as YYYY-MM, YYYY-MM-DD or YYYY/MM'
                WHEN year NOT BETWEEN 1700 AND 2200 THEN 'month_out_of_range: months run from 1700-01 to 2200-12'
                WHEN first_day IS NULL OR day NOT BETWEEN 1 AND extract(day FROM first_day + interval '1 month - 1 day')
                    THEN 'bad_month: the calendar has no such date'
                WHEN first_day > :today
                    THEN 'future_month: after the current month, ' || to_char(CAST(:today AS date), 'YYYY-MM')
           END AS problem
    FROM first"""

_STAGED_SERIES = """
    CREATE TEMP TABLE staged_series ON COMMIT DROP AS
    WITH written AS (
        SELECT series, normalize(btrim(series), NFC) AS name, min(line) AS line,
               min(nullif(normalize(btrim(unit), NFC), '')) AS unit, max(nullif(normalize(btrim(unit), NFC), '')) AS other_unit
        FROM staged GROUP BY series
    ), named AS (
        SELECT series, name, min(line) OVER same AS line, min(unit) OVER same AS unit, max(other_unit) OVER same AS other_unit
        FROM written WINDOW same AS (PARTITION BY name)
    )
    SELECT named.series, named.name, named.unit, known.series_id,
           dense_rank() OVER (ORDER BY named.line, named.name) AS number,
           CASE WHEN named.name = '' THEN 'empty_name: the row names no series'
                WHEN length(named.name) > 200 THEN 'name_too_long: a name has 1 to 200 characters'
                WHEN named.name ~ :control THEN 'control_character: the name holds characters that cannot be shown'
                WHEN length(named.other_unit) > 100 OR named.unit ~ :control OR named.other_unit ~ :control
                    THEN 'bad_unit: a unit has 1 to 100 characters that can be shown'
                WHEN named.unit <> named.other_unit THEN 'unit_conflict: the load gives the series several units'
                WHEN named.unit <> known.unit THEN 'unit_differs: the series is stored in ' || known.unit
           END AS problem
    FROM named LEFT JOIN milkrun.series AS known ON known.name = named.name"""

_GAP_BEFORE = """
    SELECT EXISTS (
        SELECT FROM (SELECT DISTINCT series_id FROM candidate JOIN staged_series USING (number) WHERE value = largest) AS changed
        WHERE (SELECT max(month) FROM milkrun.observation o WHERE o.series_id = changed.series_id AND o.load_id < :load_id)
              < CAST(:since AS date) - interval '1 month')"""

_LEAVE_OUT_EARLIER_ROWS = """
    DELETE FROM staged USING staged_month AS early WHERE early.month = staged.month AND early.first_day < :since"""

# OFFSET 0 stops the planner from parsing every value twice, once for the filter and once for the aggregates.
_CANDIDATE = f"""
    CREATE TEMP TABLE candidate ON COMMIT DROP AS
    SELECT number, first_day AS month, {{value}} AS value, {{largest}} AS largest, count(*) AS copies
    FROM (SELECT number, first_day, day, moment, {_VALUE} AS value
          FROM staged JOIN staged_month USING (month) JOIN staged_series USING (series)
          WHERE staged.problem IS NULL AND staged_month.problem IS NULL AND staged_series.problem IS NULL OFFSET 0) AS read
    WHERE abs(value) <= 1e15
    GROUP BY number, first_day"""

# The smallest and the largest value of a month. Where a total is out of range, they differ, so that no value is accepted.
# The order makes a sum the same whichever way the rows come.
_SMALLEST_AND_LARGEST = {
    None: ("min(value)", "max(value)"),
    Aggregate.SUM: (
        "greatest(sum(value ORDER BY day, moment, value), -1e15)",
        "least(sum(value ORDER BY day, moment, value), 1e15)",
    ),
    Aggregate.MEAN: ("avg(value ORDER BY day, moment, value)",) * 2,
    Aggregate.LAST: (
        "(array_agg(value ORDER BY day DESC, moment DESC, value))[1]",
        "(array_agg(value ORDER BY day DESC, moment DESC, value DESC))[1]",
    ),
    Aggregate.FIRST: (
        "(array_agg(value ORDER BY day, moment, value))[1]",
        "(array_agg(value ORDER BY day, moment, value DESC))[1]",
    ),
}
_CONFLICTS = {
    None: "give different values for the month",
    Aggregate.SUM: "have a sum that does not lie between -1e15 and 1e15",
    Aggregate.LAST: "give different values for the last day of the month",
    Aggregate.FIRST: "give different values for the first day of the month",
}

_REJECTION = f"""
    CREATE TEMP TABLE rejection ON COMMIT DROP AS
    WITH read AS (
        SELECT staged.*, number, first_day, coalesce(abs({_VALUE}) <= 1e15, false) AS is_value,
               coalesce(staged.problem, staged_series.problem, staged_month.problem) AS found
        FROM staged JOIN staged_month USING (month) JOIN staged_series USING (series)
    ), conflict AS (
        SELECT number, candidate.month AS first_day,
               array_to_string((array_agg(line ORDER BY line))[1:10], ', ')
               || CASE WHEN count(*) > 10 THEN ' and ' || count(*) - 10 || ' more' ELSE '' END AS lines
        FROM candidate JOIN read USING (number)
        WHERE candidate.value <> largest AND first_day = candidate.month AND found IS NULL AND is_value
        GROUP BY number, candidate.month
    ), judged AS (
        SELECT read.*, coalesce(found, CASE
            WHEN lines IS NOT NULL AND is_value
                THEN 'conflicting_duplicate: lines ' || lines || ' ' || :conflict
            WHEN is_value THEN NULL
            WHEN btrim(value) = '' THEN 'empty_value: the row holds no value'
            WHEN value ~* :not_finite THEN 'not_finite: a value is a finite number'
            WHEN value ~ :number THEN 'out_of_range: a value lies between -1e15 and 1e15'
            ELSE 'not_a_number: write it like 1234.5' END) AS reason
        FROM read LEFT JOIN conflict USING (number, first_day)
    ), shown AS (
        SELECT line, reason,
               CASE WHEN problem IS NOT NULL THEN {{whole}} ELSE concat_ws(',', {{series}}, {{month}}, {{value}}) END AS raw
        FROM judged WHERE reason IS NOT NULL
    )
    SELECT row_number() OVER (ORDER BY line, raw, reason) AS position, line, reason,
           CASE WHEN raw !~ :control THEN raw ELSE (
               SELECT string_agg(CASE WHEN letter !~ :control THEN letter
                                      WHEN letter = :nul_mark THEN '\\x00'
                                      WHEN ascii(letter) < 256 THEN '\\x' || lpad(to_hex(ascii(letter)), 2, '0')
                                      ELSE '\\u' || lpad(to_hex(ascii(letter)), 4, '0') END, '' ORDER BY place)
               FROM string_to_table(raw, NULL) WITH ORDINALITY AS letters(letter, place)) END AS raw
    FROM shown"""


def stage(connection: Connection, rows: Iterable[pyarrow.RecordBatch]) -> int:
    """Copy chunks of schema CHUNK into the temporary table `staged`, as text; return the number of rows.

    Raises what `rows` raises, unchanged.
    """
    connection.execute(text(_STAGED))
    stream = _CopyStream(iter(rows))
    try:
        copy_in(connection, "staged", CHUNK.names, cast(IO[bytes], stream))
    except Exception:
        if stream.failure is not None:
            raise stream.failure from None
        raise
    connection.execute(text("ANALYZE staged"))
    return stream.rows


def validate_rows(connection: Connection, *, today: Month, rules: MonthRules) -> int:
    """Check the staged rows; the results are the temporary tables `staged_month`, `staged_series` and `candidate`.

    `candidate` has one row per series and month with a valid value. Where `value` (the smallest) and `largest` differ, the
    rows contradict each other and none of them is accepted. Returns the number of rows that `rules.since` left out.
    """
    parameters = {**_PATTERNS, "today": today.first_day, "time_zone": rules.time_zone}
    connection.execute(text(_STAGED_MONTH), parameters)
    left_out = 0
    if rules.since is not None:
        left_out = connection.execute(text(_LEAVE_OUT_EARLIER_ROWS), {"since": rules.since.first_day}).rowcount
    connection.execute(text(_STAGED_SERIES), parameters)
    connection.execute(text("ANALYZE staged_month; ANALYZE staged_series"))
    # Sorting puts the rows into the order of the index that they will be inserted into; hashing does not.
    connection.execute(text("SET LOCAL enable_hashagg = off"))
    smallest, largest = _SMALLEST_AND_LARGEST[rules.aggregate]
    connection.execute(text(_CANDIDATE.format(value=smallest, largest=largest)), parameters)
    connection.execute(text("SET LOCAL enable_hashagg = on; ANALYZE candidate"))
    return left_out


def has_gap_before(connection: Connection, since: Month, load_id: int | None) -> bool:
    """Return whether a series has new values whose months before `since` may be missing: what it had before ends earlier.

    load_id: the load of the new values, which is stored.
    """
    return bool(connection.scalar(text(_GAP_BEFORE), {"since": since.first_day, "load_id": load_id}))


def reject(connection: Connection, rules: MonthRules) -> None:
    """Fill the temporary table `rejection`: every row that was not accepted, with its reason."""
    statement = _REJECTION.format(
        whole=_sql_shortened("value", 200),
        series=_sql_shortened("series", 100),
        month=_sql_shortened("month", 40),
        value=_sql_shortened("value", 60),
    )
    conflict = _CONFLICTS.get(rules.aggregate, "")
    connection.execute(text(statement), {**_PATTERNS, "nul_mark": _NUL_MARK, "conflict": conflict})


def _sql_shortened(column: str, limit: int) -> str:
    return f"CASE WHEN length({column}) > {limit} THEN left({column}, {limit}) || '…' ELSE {column} END"


class _CopyStream:
    """A readable file of CSV rows, made from chunks as it is read. failure: the exception that the chunks raised, or None."""

    def __init__(self, chunks: Iterator[pyarrow.RecordBatch]) -> None:
        self.rows = 0
        self.failure: BaseException | None = None
        self._chunks = chunks
        self._current = io.BytesIO()

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, empty at the end."""
        while not (block := self._current.read(size)):
            try:
                chunk = next(self._chunks, None)
            except BaseException as failure:
                self.failure = failure
                raise
            if chunk is None:
                return b""
            self.rows += chunk.num_rows
            self._current = io.BytesIO(_as_csv(chunk))
        return block


def _as_csv(chunk: pyarrow.RecordBatch) -> bytes:
    sink = pyarrow.BufferOutputStream()
    options = pyarrow.csv.WriteOptions(include_header=False, batch_size=1 << 16)
    pyarrow.csv.write_csv(chunk.select(CHUNK.names), sink, options)
    csv: bytes = sink.getvalue().to_pybytes()
    return csv.replace(b"\x00", _NUL_MARK.encode()) if b"\x00" in csv else csv
