"""Diagnostics: what may be wrong with an installation, each finding with its remedy; nothing is written."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from forecasting.domain.errors import MilkrunError
from forecasting.domain.months import due_month
from forecasting.domain.settings import Settings
from forecasting.domain.vocabulary import Kind
from forecasting.intake.source_settings import read_sources
from forecasting.operations.deliveries import read_deliveries
from forecasting.runs.model_store import ModelStore
from forecasting.storage import bundles
from forecasting.storage.db import schema
from forecasting.storage.db.database import Database, open_database
from forecasting.storage.deliveries import read_newest_deliveries
from forecasting.storage.pulls import read_newest_pulls
from forecasting.storage.views import diagnostics as checks


@dataclass(frozen=True)
class Finding:
    """The result of a check, in a sentence; remedy: what to do, a command where there is one, empty where nothing is wrong."""

    check: str
    level: Literal["ok", "warning", "error"]
    message: str
    remedy: str = ""


@dataclass(frozen=True)
class Limits:
    """From where on a check warns. bundle_seconds: for how long bundles are read, before the rest is left out."""

    free_bytes: int = 1 << 30
    open_load: timedelta = timedelta(minutes=10)
    open_run: timedelta = timedelta(days=1)
    clock_seconds: float = 30.0
    bundle_seconds: float = 20.0


def examine(settings: Settings, limits: Limits = Limits()) -> Iterator[Finding]:
    """Check the database of the settings; where it cannot be opened or has no tables, only the checks that need neither."""
    yield _timezone(settings)
    try:
        with open_database(settings) as database:
            yield from _of_database(database, settings, limits)
    except MilkrunError as failure:
        remedy = "Start the server, or correct DATABASE_URL (unset: the embedded database under MILKRUN_HOME)."
        yield Finding("database", "error", str(failure), remedy)


def _of_database(database: Database, settings: Settings, limits: Limits) -> Iterator[Finding]:
    with database.reading() as connection:
        version = checks.read_server_version(connection)
        yield Finding("database", "ok", f"PostgreSQL {version} answers at {database.place}.")
        yield _clock(connection, limits)
        yield _space(connection, settings, limits)
        if not checks.may_read_revision(connection):
            yield _rights(connection, settings)
            return
    migrations = _migrations(database)
    yield migrations
    if migrations.level == "error":
        return
    parts: tuple[Callable[[Connection], Finding], ...] = (
        lambda connection: _rights(connection, settings),
        lambda connection: _loads(connection, limits),
        lambda connection: _runs(connection, limits),
        lambda connection: _series(connection, settings),
        lambda connection: _sources(connection, settings),
        lambda connection: _deliveries(connection, settings),
        lambda connection: _bundles(connection, limits),
    )
    for part in parts:
        with database.reading() as connection:
            yield part(connection)


def _timezone(settings: Settings) -> Finding:
    local_time = datetime.now(ZoneInfo(settings.timezone))
    due = due_month(local_time, settings.timezone)
    message = (
        f"In MILKRUN_TIMEZONE, {settings.timezone}, it is {local_time:%Y-%m-%d %H:%M}: the month that is due is {due}."
    )
    return Finding("timezone", "ok", message)


def _clock(connection: Connection, limits: Limits) -> Finding:
    time_before = datetime.now(UTC).timestamp()
    server_time, zone = checks.read_server_clock(connection)
    time_after = datetime.now(UTC).timestamp()
    seconds_apart = max(time_before - server_time, server_time - time_after, 0.0)
    if zone != "UTC":
        return Finding("clock", "error", f"The connection reads times in {zone}, not in UTC.", _ZONE_REMEDY)
    if seconds_apart > limits.clock_seconds:
        message = f"The clocks of the database and of this machine are {seconds_apart:,.0f} s apart."
        return Finding("clock", "warning", message, "Set both by NTP (timedatectl set-ntp true).")
    return Finding(
        "clock", "ok", f"The clocks of the database and of this machine agree within {max(seconds_apart, 1):.0f} s."
    )


_ZONE_REMEDY = "Let no proxy between change TimeZone (PgBouncer: ignore_startup_parameters, server_reset_query)."


def _space(connection: Connection, settings: Settings, limits: Limits) -> Finding:
    used_bytes = checks.read_database_size(connection)
    if settings.database_url:
        return Finding("space", "ok", f"The database takes {_mib(used_bytes)}; what is free only its server can tell.")
    folder = checks.read_data_folder(connection)
    free_bytes = shutil.disk_usage(folder).free
    message = f"The database takes {_mib(used_bytes)}; {_mib(free_bytes)} are free in {folder}."
    if free_bytes >= limits.free_bytes:
        return Finding("space", "ok", message)
    remedy = (
        "Free some, move MILKRUN_HOME to a larger disk, or remove what is no longer needed: milkrun prune --dry-run."
    )
    return Finding("space", "error", message, remedy)


def _migrations(database: Database) -> Finding:
    current, head = schema.current_revision(database), schema.newest_revision()
    if current == head:
        return Finding("migrations", "ok", f"The tables are at revision {current}, the newest of this release.")
    if current is None:
        return Finding("migrations", "error", "There are no tables yet.", "milkrun migrate")
    if schema.knows_revision(current):
        message = f"The tables are at revision {current}, this release needs {head}."
        return Finding("migrations", "error", message, "milkrun backup before.dump && milkrun migrate")
    message = f"The tables are at revision {current}, which this release does not know."
    return Finding("migrations", "error", message, schema.remedy_of(current))


def _rights(connection: Connection, settings: Settings) -> Finding:
    rights = checks.read_rights(connection)
    if rights.missing_rights:
        more = f" and {len(rights.missing_rights) - 3} more" if len(rights.missing_rights) > 3 else ""
        message = f"{rights.user} lacks rights that loads and runs need: {', '.join(rights.missing_rights[:3])}{more}."
        remedy = "Run deploy/roles.sql command (after each migration), and let DATABASE_URL name milkrun_writer."
        return Finding("roles", "error", message, remedy)
    if rights.changeable_tables and settings.database_url:
        message = f"{rights.user} may change or remove what was published, in {len(rights.changeable_tables)} tables."
        return Finding("roles", "warning", message, "Run deploy/roles.sql, and let DATABASE_URL name milkrun_writer.")
    return Finding("roles", "ok", f"{rights.user} may do what loads and runs need.")


def _loads(connection: Connection, limits: Limits) -> Finding:
    loads = checks.read_open_loads(connection, longer_than=limits.open_load)
    if not loads:
        return Finding("loads", "ok", "Every load is sealed; none has been open for long.")
    first = loads[0]
    minutes = first.open_for.total_seconds() / 60
    message = (
        f"A load by {first.program} (pid {first.pid}) has been open for {minutes:,.0f} min: runs and loads wait for it."
    )
    return Finding("loads", "warning", message, f"Wait, or end it: SELECT pg_terminate_backend({first.pid})")


def _runs(connection: Connection, limits: Limits) -> Finding:
    runs = checks.read_open_runs(connection, older_than=limits.open_run)
    if not runs:
        return Finding("runs", "ok", "No run has been open for long.")
    oldest = runs[0]
    message = (
        f"Runs that were never published: {len(runs)}, the oldest of them run {oldest.run_id}: {oldest.kind}, origin "
        f"{oldest.origin:%Y-%m}, opened {oldest.started_at:%Y-%m-%d}."
    )
    command = f"milkrun run --origin {oldest.origin:%Y-%m}"
    if oldest.kind == Kind.BACKFILL:
        command = f"milkrun backfill --start {oldest.origin:%Y-%m} --end {oldest.origin:%Y-%m}"
    options = "" if oldest.whole else ", with its --series,"
    remedy = (
        f"{command} --recipe {oldest.recipe} --retrain {oldest.retrain}{options} goes on with it, if nothing was loaded since; "
        "milkrun prune removes what nobody will go on with."
    )
    return Finding("runs", "warning", message, remedy)


def _series(connection: Connection, settings: Settings) -> Finding:
    stale = checks.read_stale_series(connection, late_months=settings.late_months)
    if not stale:
        return Finding("series", "ok", "Every active series is as new as runs need it.")
    first = stale[0]
    message = (
        f"{len(stale):,} active series have had no month for more than {settings.late_months} months before "
        f"{first.newest:%Y-%m}, such as {first.name!r} since {first.month:%Y-%m}: runs hold them."
    )
    return Finding("series", "warning", message, "milkrun load their newer months, or raise MILKRUN_LATE_MONTHS.")


def _sources(connection: Connection, settings: Settings) -> Finding:
    names = [source.name for source in read_sources(settings.sources_folder)]
    if not names:
        return Finding("sources", "ok", "No source is configured; months come by milkrun load and milkrun pull.")
    newest = read_newest_pulls(connection)
    failed = [name for name in names if name in newest and newest[name].error is not None]
    if failed:
        pull = newest[failed[0]]
        moment = f"{pull.ended_at:%Y-%m-%d %H:%M}"
        message = f"{len(failed)} of {len(names)} sources failed last, such as {failed[0]} at {moment}: {pull.error}"
        return Finding(
            "sources", "warning", message, f"Mend it; milkrun source test {failed[0]} says whether it can be read."
        )
    return Finding("sources", "ok", f"Sources that are configured: {len(names)}; no newest pull has failed.")


def _deliveries(connection: Connection, settings: Settings) -> Finding:
    deliveries = read_deliveries(settings.deliveries_folder)
    newest = read_newest_deliveries(connection)
    failed = [each.name for each in deliveries if each.name in newest and newest[each.name].error is not None]
    if failed:
        attempt = newest[failed[0]]
        message = f"Run {attempt.run_id} was not delivered to {failed[0]}: {attempt.error}"
        return Finding(
            "deliveries", "warning", message, f"Mend it; milkrun delivery send {failed[0]} delivers what is missing."
        )
    return Finding(
        "deliveries", "ok", f"Deliveries that are configured: {len(deliveries)}; no newest attempt has failed."
    )


def _bundles(connection: Connection, limits: Limits) -> Finding:
    bundle_ids = checks.read_bundles_in_use(connection)
    store = ModelStore(partial(bundles.read_bundles, connection))
    damages, read_count, deadline = [], 0, time.monotonic() + limits.bundle_seconds
    for bundle_id in bundle_ids:
        if read_count and time.monotonic() > deadline:
            break
        read_count += 1
        damage = store.damage(bundle_id)
        damages += [damage] if damage else []
    message = f"Bundles of the newest run that were read: {read_count} of {len(bundle_ids)}"
    if damages:
        remedy = "milkrun run --retrain always trains anew; milkrun restore brings a backup's back."
        return Finding("bundles", "error", f"{message}; damaged: {len(damages)}. {damages[0]}", remedy)
    return Finding("bundles", "ok", f"{message}; they are what was stored.")


def _mib(byte_count: int) -> str:
    return f"{byte_count / (1 << 20):,.0f} MiB"
