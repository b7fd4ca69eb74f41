"""Run migrations on the connection handed over by storage, one process at a time.

Revisions change tables. What holds no rows, the views, functions and guards under schema/, belongs to the release: an
upgrade to its newest revision puts all of it in place, and a downgrade takes it away first, for an older release has
its own.
"""

import re
from graphlib import TopologicalSorter
from pathlib import Path

from alembic import context
from sqlalchemy import text

from forecasting.storage.db.database import MIGRATE_LOCK
from forecasting.storage.db.tables import SCHEMA

connection = context.config.attributes["connection"]

# deploy/roles.sql lets functions run as their owner, which one that is replaced forgets.
_RUN_AS_OWNER = """
    SELECT format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = pg_catalog, pg_temp', oid::regprocedure)
    FROM pg_proc WHERE pronamespace = 'milkrun'::regnamespace AND prosecdef"""
_DROPS = (
    """SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
    WHERE relnamespace = 'milkrun'::regnamespace AND NOT tgisinternal""",
    """SELECT 'DROP FUNCTION ' || string_agg(oid::regprocedure::text, ', ') FROM pg_proc p
    WHERE pronamespace = 'milkrun'::regnamespace AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.refobjid = p.oid AND d.classid = 'pg_rewrite'::regclass) HAVING count(*) > 0""",
    """SELECT 'DROP VIEW ' || string_agg(oid::regclass::text, ', ') FROM pg_class
    WHERE relnamespace = 'milkrun'::regnamespace AND relkind = 'v' HAVING count(*) > 0""",
    # Views call these; the others, which return rows of views, are gone before the views.
    """SELECT 'DROP FUNCTION ' || string_agg(oid::regprocedure::text, ', ') FROM pg_proc
    WHERE pronamespace = 'milkrun'::regnamespace HAVING count(*) > 0""",
)


def put_in_place() -> None:
    """Create or replace what the files under schema/ define, each after those that it names; grants stay."""
    scripts = {file.stem: file.read_text() for file in Path(__file__).with_name("schema").rglob("*.sql")}
    needs = {
        name: {other for other in scripts if other != name and re.search(rf"\bmilkrun\.{other}\b", script)}
        for name, script in scripts.items()
    }
    run_as_owner = connection.scalars(text(_RUN_AS_OWNER)).all()
    for statement in [*map(scripts.__getitem__, TopologicalSorter(needs).static_order()), *run_as_owner]:
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def take_away() -> None:
    """Drop every trigger, function and view of the schema; refused where somebody's own view stands on one of them."""
    for drops in _DROPS:
        for drop in connection.scalars(text(drops)).all():
            connection.execute(text(drop))


# One transaction, with locks and limits that end with it: a pooler may give the session to somebody else afterwards. A
# process that has stopped keeps the lock no longer than the limit of idle transactions.
with connection.begin():
    connection.execute(text("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATE_LOCK})
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    context.configure(connection=connection, version_table_schema=SCHEMA)
    if context.config.attributes["downgrade"]:
        take_away()
    context.run_migrations()
    if not context.config.attributes["downgrade"] and context.get_context().get_current_heads() == (
        context.get_head_revision(),
    ):
        put_in_place()
