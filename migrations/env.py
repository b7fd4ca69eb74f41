"""Run migrations on the connection handed over by storage, one process at a time."""

from alembic import context
from sqlalchemy import text

from forecasting.storage.db.database import MIGRATE_LOCK
from forecasting.storage.db.tables import SCHEMA, metadata

connection = context.config.attributes["connection"]

# Alembic reads the revision before its transaction begins, so the lock belongs to the session.
connection.execute(text("SET statement_timeout = 0; SET lock_timeout = 0"))
# Between its transactions as well, a process that has stopped keeps the lock no longer than within one.
connection.execute(
    text("SELECT set_config('idle_session_timeout', current_setting('idle_in_transaction_session_timeout'), false)")
)
connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATE_LOCK})
connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
connection.commit()
try:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema=SCHEMA,
        include_schemas=True,
        include_name=lambda name, type_, _parents: type_ != "schema" or name == SCHEMA,
    )
    with context.begin_transaction():
        context.run_migrations()
finally:
    connection.rollback()
    connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": MIGRATE_LOCK})
    connection.commit()
