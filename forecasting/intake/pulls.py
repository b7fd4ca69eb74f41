"""Pulls: the new and the revised months of a configured source, as one load and one row of `source_pull`."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow
from sqlalchemy import Connection

from forecasting.domain.errors import InputError, MilkrunError
from forecasting.domain.months import FIRST_MONTH, Month, due_month
from forecasting.domain.url_names import find_url_in_environment
from forecasting.intake import staging
from forecasting.intake.files import Source
from forecasting.intake.loads import LoadResult, load_observations
from forecasting.intake.source_settings import SourceSettings, open_source
from forecasting.storage.db.database import Database
from forecasting.storage.panels import block_loads
from forecasting.storage.pulls import find_same_pull, read_earlier_pulls, read_newest_load, write_pull

_BYTES_AHEAD = 64 << 20  # of rows that are read before it is known whether they are new


@dataclass(frozen=True)
class PullContext:
    """When and for whom sources are pulled.

    moment: of the pull, in any time zone. time_zone: where months begin and end. made_by: who asked for it. find_url: gives the
    URL of a database for the `url_from` of a source.
    """

    moment: datetime
    time_zone: str
    made_by: str
    prefect_flow_run_id: str | None = None
    find_url: Callable[[str], str] = find_url_in_environment

    @property
    def today(self) -> Month:
        """The month that is running."""
        return due_month(self.moment, self.time_zone) + 1


@dataclass(frozen=True)
class PullResult:
    """How the pull of a source ended.

    since: the first month that was read, None where all were. load: its counts; None where the pull failed, and then error
    says why. seconds: how long it took.
    """

    source: str
    required: bool
    since: Month | None
    load: LoadResult | None
    error: str | None
    seconds: float

    @property
    def holds_the_run(self) -> bool:
        """Whether a run has to wait, because a required source failed."""
        return self.required and self.error is not None

    @property
    def sentence(self) -> str:
        """The result in a sentence."""
        if self.load is None:
            return f"Source {self.source}, {'required' if self.required else 'optional'}, failed: {self.error}"
        months = f"from {self.since} on" if self.since else "all months"
        counts = f"{self.load.rows_added:,} new or changed, {self.load.rows_rejected:,} rejected"
        return (
            f"Source {self.source}, {months}: {self.load.rows_read:,} rows read, {counts}, in {self.seconds:.1f} s; "
            f"load {self.load.load_id}."
        )


def first_month_to_read(database: Database, source: SourceSettings, context: PullContext) -> Month | None:
    """Return the first month that a pull of a source would read; None for all months.

    All months are read by the first pull, by the first one of each quarter, by the first one after a change of the settings, and
    from files. Otherwise the source's newest month that is over and the `overlap` - 1 months before it are read again.
    """
    if source.path is not None:
        return None
    with database.reading() as connection:
        earlier = read_earlier_pulls(connection, source.name, source.row_settings)
    if earlier is None or _quarter(earlier.last_full, context.time_zone) < _quarter(context.moment, context.time_zone):
        return None
    return max(min(earlier.newest_month, context.today - 1) + 1 - source.overlap, FIRST_MONTH)


def _quarter(moment: datetime, time_zone: str) -> tuple[int, int]:
    local = moment.astimezone(ZoneInfo(time_zone))
    return local.year, (local.month - 1) // 3


def pull_source(database: Database, source: SourceSettings, context: PullContext, *, full: bool = False) -> PullResult:
    """Read a source and store what is new or changed; the load and its row of `source_pull` are committed together.

    full: read all months. They are read as well where a series is new, or was late by more than the overlap. Raises InputError
    for a source that cannot be read, EnvironmentFailure where it or the database is out of reach; then nothing is stored.
    """
    start = perf_counter()
    since = None if full else first_month_to_read(database, source, context)
    try:
        result = _load(database, source, context, since)
    except _EarlierMonths:
        since = None
        result = _load(database, source, context, None)
    return PullResult(source.name, source.required, since, result, None, perf_counter() - start)


class _EarlierMonths(Exception):
    """An incremental pull met a series of which months before its first one may be missing."""


def _load(database: Database, source: SourceSettings, context: PullContext, since: Month | None) -> LoadResult:
    source_rows = open_source(source, since=since, find_url=context.find_url)
    started_at = datetime.now(UTC)
    rows, digest = _read_ahead(source_rows, since)
    row = _pull_row(source, context, since, started_at) | {"digest": digest}
    if digest is not None:
        unchanged = database.write(lambda connection: _record_same_rows(connection, source, since, row))
        if unchanged is not None:
            return unchanged

    def record(connection: Connection, result: LoadResult) -> None:
        if result.rows_rejected == result.rows_read:
            first = result.rejected[0]
            raise InputError(
                f"{source_rows.name}: no row was accepted, such as row {first.line}, {first.raw}: {first.reason}."
            )
        if since is not None and (result.new_series or staging.has_gap_before(connection, since, result.load_id)):
            raise _EarlierMonths
        counts = {
            "load_id": result.load_id,
            "rows_read": result.rows_read,
            "rows_added": result.rows_added,
            "rows_rejected": result.rows_rejected,
            "newest_month": result.newest_month.first_day if result.newest_month else None,
            "as_of": read_newest_load(connection),
        }
        write_pull(connection, row | counts)

    return load_observations(
        database,
        rows,
        source=f"{source.name}: {source_rows.name}",
        today=context.today,
        sha256=source_rows.sha256,
        rules=replace(source_rows.rules, since=since),
        made_by=context.made_by,
        record=record,
    )


def _read_ahead(source_rows: Source, since: Month | None) -> tuple[Iterable[pyarrow.RecordBatch], str | None]:
    """Return the rows of a source and a digest of them, or of its files; None where they are more than memory is spent on.

    Rows of which all months are read are not kept: there may be many.
    """
    if source_rows.sha256 is not None or since is None:
        return source_rows, source_rows.sha256
    digest, batches, size = hashlib.sha256(), [], 0
    for batch in source_rows:
        size += batch.nbytes
        if size > _BYTES_AHEAD:
            return source_rows, None
        batches.append(batch)
        digest.update(batch.serialize())
    return batches, digest.hexdigest()


def _record_same_rows(
    connection: Connection, source: SourceSettings, since: Month | None, row: dict[str, Any]
) -> LoadResult | None:
    """Store that the rows are those of an earlier pull, since which nothing was loaded; None where that is not so."""
    block_loads(connection)
    same = find_same_pull(connection, source.name, source.row_settings, since, row["digest"])
    if same is None:
        return None
    names = ("load_id", "rows_read", "rows_rejected", "newest_month", "as_of")
    write_pull(connection, row | {name: same._mapping[name] for name in names} | {"rows_added": 0})
    newest = Month.containing(same.newest_month)
    return LoadResult(same.load_id, same.rows_read, 0, same.rows_read, 0, 0, 0, newest, (), is_repetition=True)


def record_failure(
    database: Database, source: SourceSettings, context: PullContext, failure: MilkrunError, seconds: float
) -> PullResult:
    """Store that the pull of a source failed, and why; returns its result."""
    since = first_month_to_read(database, source, context)
    started_at = datetime.now(UTC) - timedelta(seconds=seconds)
    row = _pull_row(source, context, since, started_at) | {"error": str(failure)}
    database.write(lambda connection: write_pull(connection, row))
    return PullResult(source.name, source.required, since, None, str(failure), seconds)


def _pull_row(
    source: SourceSettings, context: PullContext, since: Month | None, started_at: datetime
) -> dict[str, Any]:
    return {
        "source": source.name,
        "settings": source.row_settings,
        "since": since.first_day if since else None,
        "started_at": started_at,
        "made_by": context.made_by,
        "prefect_flow_run_id": context.prefect_flow_run_id,
    }
