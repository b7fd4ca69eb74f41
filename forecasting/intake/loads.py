"""Loads: observations are stored whole or not at all, and only new or changed values get a new vintage."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import pyarrow
from sqlalchemy import Connection, text

from forecasting.domain.errors import EnvironmentFailure, InputError
from forecasting.domain.months import Month
from forecasting.intake import staging
from forecasting.intake.staging import AS_WRITTEN, MonthRules
from forecasting.storage.db.database import LOAD_LOCK, Database

MAX_REJECTED_SHOWN = 10


@dataclass(frozen=True)
class RejectedRow:
    """A row that was not accepted: its line in the source, its text and the reason; both texts are safe to print."""

    line: int
    raw: str
    reason: str


@dataclass(frozen=True)
class LoadResult:
    """The counts of a load: rows_read = rows_added + rows_unchanged + rows_collapsed + rows_rejected.

    load_id: None when nothing was stored. is_repetition: the newest load of the source has the same rows and is load_id, and
    nothing was stored. rejected: at most the first MAX_REJECTED_SHOWN of the rejected rows.
    """

    load_id: int | None
    rows_read: int
    rows_added: int
    rows_unchanged: int
    rows_collapsed: int
    rows_rejected: int
    new_series: int
    newest_month: Month | None
    rejected: tuple[RejectedRow, ...]
    is_repetition: bool = False


@dataclass(frozen=True)
class _Origin:
    """What the table `load` keeps about where a load comes from, by the names of its columns."""

    source: str
    sha256: str | None
    made_by: str | None
    aggregate: str | None


def load_observations(
    database: Database,
    rows: Iterable[pyarrow.RecordBatch],
    *,
    source: str,
    today: Month,
    sha256: str | None = None,
    strict: bool = False,
    dry_run: bool = False,
    rules: MonthRules = AS_WRITTEN,
    made_by: str | None = None,
    record: Callable[[Connection, LoadResult], None] | None = None,
) -> LoadResult:
    """Load chunks of text rows (schema staging.CHUNK) in one transaction; the same rows once more store nothing.

    today: the current month; later months are rejected. dry_run: store nothing. strict: store nothing if a row is rejected.
    rules: how moments become months. made_by: who asked for the load. record: called with a load that is stored, or on record
    as the same, in the transaction of the load, to add rows of its own; what it raises undoes the load.
    After a transient failure of the server, `rows` is read again, unless it is an iterator, which can be read only once.
    Raises InputError when there is no row, EnvironmentFailure when the database fails; then nothing is stored.
    """

    def transaction(connection: Connection) -> LoadResult:
        _prepare(connection)
        rows_read = staging.stage(connection, rows)
        # Only one load compares its rows with stored ones at a time: the order of load ids is the order of commits.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOAD_LOCK})
        rows_read -= staging.validate_rows(connection, today=today, rules=rules)
        if rows_read == 0:
            since = f" from {rules.since} on" if rules.since else ""
            raise InputError(f"{source} holds no observation{since}: nothing was loaded.")
        result = _count(connection, rows_read, rules)
        if dry_run or (strict and result.rows_rejected):
            return result
        origin = _Origin(source, sha256, made_by, rules.aggregate)
        if (load_id := _find_repeated_load(connection, result, origin, is_pull=record is not None)) is not None:
            result = replace(result, load_id=load_id, is_repetition=True)
        else:
            result = _store(connection, result, origin)
        if record is not None:
            record(connection, result)
        return result

    return database.write(transaction, attempts=1 if isinstance(rows, Iterator) else 5)


def _prepare(connection: Connection) -> None:
    if connection.scalar(text("SHOW server_encoding")) != "UTF8":
        raise EnvironmentFailure("The database does not store UTF-8: create it with ENCODING 'UTF8'.")
    limits = {"statement_timeout": "2h", "lock_timeout": "10min", "work_mem": "128MB", "jit": "off"}
    connection.execute(text("; ".join(f"SET LOCAL {name} = '{value}'" for name, value in limits.items())))


def _count(connection: Connection, rows_read: int, rules: MonthRules) -> LoadResult:
    """Count every row once; on the way, delete unchanged rows from `candidate` and fill the table `rejection`."""
    accepted, collapsed, newest_month = connection.execute(text(_SUMMARY)).one()
    rows_rejected = rows_read - accepted - collapsed
    if rows_rejected:
        staging.reject(connection, rules)
    unchanged = connection.execute(text(_DROP_UNCHANGED)).rowcount
    return LoadResult(
        load_id=None,
        rows_read=rows_read,
        rows_added=accepted - unchanged,
        rows_unchanged=unchanged,
        rows_collapsed=collapsed,
        rows_rejected=rows_rejected,
        new_series=connection.execute(text(_COUNT_NEW_SERIES)).scalar_one(),
        newest_month=None if newest_month is None else Month.containing(newest_month),
        rejected=_first_rejected(connection) if rows_rejected else (),
    )


def _first_rejected(connection: Connection) -> tuple[RejectedRow, ...]:
    query = text("SELECT line, raw, reason FROM rejection ORDER BY position LIMIT :shown")
    return tuple(RejectedRow(*row) for row in connection.execute(query, {"shown": MAX_REJECTED_SHOWN}))


def _find_repeated_load(connection: Connection, result: LoadResult, origin: _Origin, *, is_pull: bool) -> int | None:
    """Return the newest load of the source where this load would be on record as the same once more, else None.

    A command that was killed after its commit is repeated by its user, and by the next schedule. is_pull: the counts of unchanged
    rows may differ, because each pull has a record of its own, and reads another part of its source.
    """
    if result.rows_added:
        return None
    query = _NEWEST_LOAD + ("" if is_pull else _SAME_COUNTS) + (_SAME_REJECTED_ROWS if result.rows_rejected else "")
    load_id: int | None = connection.scalar(text(query), {**vars(result), **vars(origin)})
    return load_id


def _store(connection: Connection, result: LoadResult, origin: _Origin) -> LoadResult:
    load_id = connection.execute(text(_INSERT_LOAD), {**vars(result), **vars(origin)}).scalar_one()
    if result.rows_added:
        connection.execute(text(_INSERT_SERIES), {"load_id": load_id})
        connection.execute(text(_INSERT_OBSERVATIONS), {"load_id": load_id})
    if result.rows_rejected:
        connection.execute(text(_INSERT_REJECTED), {"load_id": load_id})
    return replace(result, load_id=load_id)


_SUMMARY = """
    SELECT count(*), coalesce(sum(copies - 1), 0)::bigint, max(month) FROM candidate WHERE value = largest"""

_DROP_UNCHANGED = """
    DELETE FROM candidate
    USING staged_series, milkrun.observation AS newest
    WHERE staged_series.number = candidate.number AND newest.series_id = staged_series.series_id
      AND newest.month = candidate.month AND newest.value = candidate.value AND candidate.value = candidate.largest
      AND NOT EXISTS (SELECT FROM milkrun.observation AS newer
                      WHERE newer.series_id = newest.series_id AND newer.month = newest.month
                        AND newer.load_id > newest.load_id)"""

_NEW_SERIES = """
    SELECT number, min(name) AS name, min(unit) AS unit FROM staged_series
    WHERE series_id IS NULL AND number IN (SELECT number FROM candidate WHERE value = largest)
    GROUP BY number"""

_COUNT_NEW_SERIES = f"SELECT count(*) FROM ({_NEW_SERIES}) AS fresh"

_NEWEST_LOAD = """
    SELECT load_id FROM (SELECT * FROM milkrun.load WHERE source = :source ORDER BY load_id DESC LIMIT 1) AS newest
    WHERE sha256 IS NOT DISTINCT FROM :sha256 AND aggregate IS NOT DISTINCT FROM :aggregate"""

_SAME_COUNTS = """
      AND rows_read = :rows_read AND rows_collapsed = :rows_collapsed AND rows_rejected = :rows_rejected"""

_SAME_REJECTED_ROWS = """
      AND NOT EXISTS (SELECT position, line, raw, reason FROM rejection
                      EXCEPT SELECT position, line, raw, reason FROM milkrun.rejected_row AS r
                      WHERE r.load_id = newest.load_id)"""

_INSERT_LOAD = """
    INSERT INTO milkrun.load (source, rows_read, rows_added, rows_unchanged, rows_collapsed, rows_rejected, sha256,
                              made_by, aggregate)
    VALUES (:source, :rows_read, :rows_added, :rows_unchanged, :rows_collapsed, :rows_rejected, :sha256,
            :made_by, :aggregate)
    RETURNING load_id"""

_INSERT_SERIES = f"""
    INSERT INTO milkrun.series (name, unit, first_load_id)
    SELECT name, unit, :load_id FROM ({_NEW_SERIES}) AS fresh ORDER BY number"""

_INSERT_OBSERVATIONS = """
    INSERT INTO milkrun.observation (series_id, month, load_id, value)
    SELECT series_id, month, :load_id, value
    FROM candidate
    JOIN (SELECT DISTINCT number, name FROM staged_series) AS named USING (number)
    JOIN milkrun.series USING (name)
    WHERE value = largest"""

_INSERT_REJECTED = """
    INSERT INTO milkrun.rejected_row (load_id, position, line, raw, reason)
    SELECT :load_id, position, line, raw, reason FROM rejection"""
