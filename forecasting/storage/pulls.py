"""Pulls of configured sources: what was read last, and the record of each pull."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from forecasting.domain.months import Month
from forecasting.storage.db import tables


@dataclass(frozen=True)
class EarlierPulls:
    """What the earlier pulls of a source with the same settings have read.

    newest_month: of all accepted values. last_full: when all months were read last.
    """

    newest_month: Month
    last_full: datetime


def read_earlier_pulls(connection: Connection, source: str, settings: Mapping[str, Any]) -> EarlierPulls | None:
    """Return what was read of a source; None where all its months were never read with these settings."""
    pull = tables.source_pull.c
    row = connection.execute(
        select(
            func.max(pull.newest_month).label("newest_month"),
            func.max(pull.started_at).filter(pull.since.is_(None)).label("last_full"),
        ).where(pull.source == source, pull.error.is_(None), pull.settings == dict(settings))
    ).one()
    if row.newest_month is None or row.last_full is None:
        return None
    return EarlierPulls(Month.containing(row.newest_month), row.last_full)


def find_same_pull(
    connection: Connection, source: str, settings: Mapping[str, Any], since: Month | None, digest: str
) -> Row[Any] | None:
    """Return the pull that read the same rows with the same result, where no load came after it; else None.

    It must have accepted every row. The caller has blocked loads (panels.block_loads).
    """
    pull = tables.source_pull.c
    newest_load = select(func.max(tables.load.c.load_id)).scalar_subquery()
    return connection.execute(
        select(tables.source_pull)
        .where(
            pull.source == source,
            pull.settings == dict(settings),
            pull.since.is_not_distinct_from(since.first_day if since else None),
            pull.digest == digest,
            pull.rows_rejected == 0,
            pull.as_of == newest_load,
        )
        .order_by(pull.pull_id.desc())
        .limit(1)
    ).one_or_none()


def read_newest_load(connection: Connection) -> int:
    """Return the id of the newest load, of whichever source; there must be one."""
    load_id: int = connection.execute(select(func.max(tables.load.c.load_id))).scalar_one()
    return load_id


def read_newest_pulls(connection: Connection) -> dict[str, Row[Any]]:
    """Return the newest pull of each source by name, with the columns of the table `source_pull`."""
    pull = tables.source_pull
    rows = connection.execute(select(pull).distinct(pull.c.source).order_by(pull.c.source, pull.c.pull_id.desc()))
    return {row.source: row for row in rows}


def write_pull(connection: Connection, row: Mapping[str, Any]) -> None:
    """Add a row to `source_pull`; row: its columns by name."""
    connection.execute(insert(tables.source_pull).values(row))
