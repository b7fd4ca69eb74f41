"""Facts about the database that milkrun doctor checks. Nothing is written."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, text

from forecasting.storage.db import tables
from forecasting.storage.db.database import LOAD_LOCK


@dataclass(frozen=True)
class Rights:
    """The rights of the user of a connection.

    missing_rights: rights that runs and loads need and the user lacks, such as "INSERT on forecast". changeable_tables:
    tables of published rows that the user may change or delete.
    """

    user: str
    missing_rights: tuple[str, ...]
    changeable_tables: tuple[str, ...]


def read_server_version(connection: Connection) -> str:
    """Return the version of the server, such as 18.1."""
    return str(connection.scalar(text("SHOW server_version"))).split()[0]


def may_read_revision(connection: Connection) -> bool:
    """Return whether the user may read the revision of the tables; True where there are no tables."""
    has_right = connection.scalar(
        text("SELECT has_table_privilege(to_regclass('milkrun.alembic_version')::oid, 'SELECT')")
    )
    return has_right is None or bool(has_right)


def read_rights(connection: Connection) -> Rights:
    """Compare the rights of the user with those that a writer needs: to read rows, to insert rows and to publish runs."""
    names = [table.name for table in tables.metadata.sorted_tables]
    rows = connection.execute(
        text("""
            SELECT name, has_table_privilege('milkrun.' || name, 'SELECT') AS may_read,
                   has_table_privilege('milkrun.' || name, 'INSERT') AS may_add,
                   has_table_privilege('milkrun.' || name, 'UPDATE, DELETE, TRUNCATE') AS may_change
            FROM unnest(CAST(:names AS text[])) AS wanted (name) ORDER BY name
        """),
        {"names": names},
    ).all()
    may_publish = connection.scalar(
        text("""
            SELECT bool_and(has_column_privilege('milkrun.run', name, 'UPDATE'))
            FROM unnest(ARRAY['state', 'published_at']) AS wanted (name)
        """)
    )
    missing_rights = [f"SELECT on {row.name}" for row in rows if not row.may_read]
    missing_rights += [f"INSERT on {row.name}" for row in rows if not row.may_add]
    missing_rights += [] if may_publish else ["UPDATE of state on run"]
    user = str(connection.scalar(text("SELECT current_user")))
    return Rights(user, tuple(missing_rights), tuple(row.name for row in rows if row.may_change))


def read_database_size(connection: Connection) -> int:
    """Return the size of the database in bytes."""
    return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)


def read_data_folder(connection: Connection) -> str:
    """Return the data folder of the server, a path on the server's machine."""
    return str(connection.scalar(text("SHOW data_directory")))


def read_server_clock(connection: Connection) -> tuple[float, str]:
    """Return the time of the server in seconds since 1970, and the time zone of the connection."""
    seconds = connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())::double precision"))
    return float(seconds or 0.0), str(connection.scalar(text("SHOW TimeZone")))


def read_open_loads(connection: Connection, *, longer_than: timedelta) -> list[Any]:
    """Return rows (pid, program, open_for) of the loads that have been open for at least `longer_than`."""
    return list(
        connection.execute(
            text("""
                SELECT l.pid, a.application_name AS program, now() - a.xact_start AS open_for
                FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                WHERE l.locktype = 'advisory' AND l.mode = 'ExclusiveLock' AND l.granted AND l.objsubid = 1
                  AND l.classid::bigint = 0 AND l.objid::bigint = :lock
                  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                  AND clock_timestamp() - a.xact_start >= :longer_than
                ORDER BY l.pid
            """),
            {"lock": LOAD_LOCK, "longer_than": longer_than},
        )
    )


def read_open_runs(connection: Connection, *, older_than: timedelta) -> list[Any]:
    """Return the unpublished runs that were opened more than `older_than` ago.

    Columns: run_id, kind, origin, started_at, recipe, retrain (of the policy), whole (whether it has all series).
    """
    return list(
        connection.execute(
            text("""
                SELECT run_id, kind, origin, started_at, c.name AS recipe, policy ->> 'retrain' AS retrain, scope = 'all' AS whole
                FROM milkrun.run JOIN milkrun.recipe c USING (recipe_hash)
                WHERE state = 'open' AND started_at < clock_timestamp() - CAST(:older_than AS interval) ORDER BY run_id
            """),
            {"older_than": older_than},
        )
    )


def read_stale_series(connection: Connection, *, late_months: int) -> list[Any]:
    """Return rows (name, month, newest) of active series whose last month is too old.

    month: last month of the series, more than `late_months` before newest. newest: newest month of all active series.
    """
    return list(
        connection.execute(
            text("""
                WITH newest AS (
                    SELECT s.name, (SELECT max(month) FROM milkrun.observation o WHERE o.series_id = s.series_id) AS month
                    FROM milkrun.series s WHERE active
                )
                SELECT name, month, (SELECT max(month) FROM newest) AS newest FROM newest
                WHERE month < (SELECT max(month) FROM newest) - make_interval(months => :late) ORDER BY month, name
            """),
            {"late": late_months},
        )
    )


def read_bundles_in_use(connection: Connection) -> list[str]:
    """Return the ids of the bundles of the newest published run, live before backfill."""
    bundle_ids = connection.scalars(
        text("""
            WITH newest AS (
                SELECT run_id FROM milkrun.run WHERE state = 'published'
                ORDER BY kind = 'live' DESC, origin DESC, run_id DESC LIMIT 1
            )
            SELECT bundle_id FROM milkrun.run_series JOIN newest USING (run_id) WHERE bundle_id IS NOT NULL
            UNION SELECT bundle_id FROM milkrun.run_network JOIN newest USING (run_id) WHERE bundle_id IS NOT NULL
            ORDER BY bundle_id
        """)
    )
    return list(bundle_ids)
