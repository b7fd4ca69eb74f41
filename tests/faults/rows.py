"""What a database says, as lines that two databases can be compared by."""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, text

from forecasting.storage.db.tables import metadata

# What a disturbed run may have otherwise: moments, and numbers that a sequence gave to a transaction that was undone.
_MOMENTS = {"sealed_at", "created_at", "started_at", "published_at", "finished_at", "decided_at"}
_RUNS = {"run_id", "previous_run_id"}
_LOADS = {"load_id", "first_load_id", "as_of", "actuals_as_of"}

Lines = Counter[str]


def stored(connection: Connection) -> Lines:
    """Return every row of every table, with names in the place of running numbers."""
    names = dict(connection.execute(text("SELECT series_id, name FROM milkrun.series")).tuples().all())
    loads = dict(
        connection.execute(text("SELECT load_id, rank() OVER (ORDER BY load_id) FROM milkrun.load")).tuples().all()
    )
    runs = dict(
        connection.execute(text("SELECT run_id, concat_ws(' ', kind, origin, attempt) FROM milkrun.run")).tuples().all()
    )

    def told(column: str, value: Any) -> Any:
        if column in _RUNS:
            return runs[value]
        if column in _LOADS:
            return loads[value]
        if column == "series_id":
            return names[value]
        if column == "series_ids":
            return [names[each] for each in value]
        return value

    lines: Lines = Counter()
    for table in metadata.sorted_tables:
        for (row,) in connection.execute(text(f"SELECT to_jsonb(t) FROM milkrun.{table.name} t")):
            plain = {name: told(name, value) for name, value in row.items() if name not in _MOMENTS}
            lines[f"{table.name} {sorted(plain.items())}"] += 1
    return lines


def visible(connection: Connection) -> Lines:
    """Return how many forecasts of each run a reader sees."""
    found = connection.execute(
        text("""
        SELECT concat_ws(' ', r.kind, r.origin, r.attempt) AS run, count(*) AS forecasts
        FROM milkrun.forecast_history JOIN milkrun.run r USING (run_id) GROUP BY 1
        """)
    )
    return Counter({str(run): int(forecasts) for run, forecasts in found})


def structure(connection: Connection) -> Lines:
    """Return the columns, constraints, indexes, triggers, functions, views and comments of the schema, and its revision."""
    queries = """
        SELECT attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
          pg_get_expr(adbin, adrelid)
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace = 'milkrun'::regnamespace AND relkind IN ('r', 'v') AND attnum > 0 AND NOT attisdropped;
        SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'milkrun'::regnamespace;
        SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'milkrun';
        SELECT tgrelid::regclass, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
        WHERE NOT tgisinternal AND relnamespace = 'milkrun'::regnamespace;
        SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'milkrun'::regnamespace;
        SELECT viewname, definition FROM pg_views WHERE schemaname = 'milkrun';
        SELECT type, identity, description FROM pg_description, pg_identify_object(classoid, objoid, objsubid) AS named
        WHERE named.schema = 'milkrun' OR named.identity LIKE '% on milkrun.%';
        SELECT version_num FROM milkrun.alembic_version"""
    return Counter(str(tuple(row)) for query in queries.split(";") for row in connection.execute(text(query)))


def naive(connection: Connection) -> Lines:
    """Return the rows of the control arm's table."""
    return Counter(str(tuple(row)) for row in connection.execute(text("SELECT origin, month, value FROM naive")))


def naive_visible(connection: Connection) -> Lines:
    """Return how many forecasts a reader of the control arm's table sees."""
    return Counter({"all": int(connection.scalar(text("SELECT count(*) FROM naive")) or 0)})
