"""What a database says, as lines that two databases can be compared by."""

import atexit
import hashlib
import os
import re
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from forecasting.storage.db.tables import metadata

# What a disturbed run may have otherwise: moments, and numbers that a sequence gave to a transaction that was undone.
_MOMENTS = {"sealed_at", "created_at", "started_at", "published_at", "finished_at", "decided_at", "made_at", "ended_at"}
_NUMBERS = {"pull_id", "delivery_id"}  # of records, in the order of their making
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

    orders = dict(
        connection.execute(text("SELECT promotion_id, rank() OVER (ORDER BY promotion_id) FROM milkrun.promotion"))
        .tuples()
        .all()
    )

    def told(column: str, value: Any) -> Any:
        if column in _RUNS:
            return runs[value]
        if column in _LOADS:
            return loads[value]
        if column == "promotion_id":
            return orders[value]
        if column == "series_id":
            return names[value] if value is not None else None  # an order for shared networks
        if column == "series_ids":
            return [names[each] for each in value]
        return value

    lines: Lines = Counter()
    for table in metadata.sorted_tables:
        for (row,) in connection.execute(text(f"SELECT to_jsonb(t) FROM milkrun.{table.name} t")):
            plain = {name: told(name, value) for name, value in row.items() if name not in _MOMENTS | _NUMBERS}
            lines[f"{table.name} {sorted(plain.items())}"] += 1
    return lines


def all_at_once(connection: Connection) -> Lines:
    """Return a digest of every row of every table as the one part that a reader sees: the state before, or that after."""
    return Counter([_digest("\n".join(sorted(stored(connection).elements())).encode())])


def pulled(connection: Connection) -> Lines:
    """Return every row that a pull leaves, and whether each load has the record of a pull; a repeated pull adds a record."""
    rows = Counter({line: count for line, count in stored(connection).items() if not line.startswith("source_pull")})
    loads = connection.scalar(text("SELECT count(DISTINCT load_id) FROM milkrun.source_pull"))
    rows[f"loads of pulls on record: {loads}"] += 1
    return rows


def pulled_at_once(connection: Connection) -> Lines:
    """Return a digest of the same as one part."""
    return Counter([_digest("\n".join(sorted(pulled(connection).elements())).encode())])


def delivered(connection: Connection) -> Lines:
    """Return every row of Milkrun's own and of the tables that a run is delivered to."""
    return stored(connection) + _shelf(connection)


def delivered_at_once(connection: Connection) -> Lines:
    """Return what a reader of the tables sees of a run: all of it or nothing."""
    lines = _shelf(connection)
    return Counter([_digest("\n".join(sorted(lines.elements())).encode())]) if lines else Lines()


def _shelf(connection: Connection) -> Lines:
    lines = Lines()
    for table in ("shelf", "shelf_rmse"):
        if connection.scalar(text("SELECT to_regclass(:name)"), {"name": f"public.{table}"}):
            lines.update(
                f"{table} {row}" for row in connection.scalars(text(f"SELECT t::text FROM public.{table} AS t"))
            )
    return lines


def page_folder(database: str) -> Path:
    """Return the folder of the page that is written of a database."""
    return _PAGES / database


def page(connection: Connection) -> Lines:
    """Return the files of the page of a database; its numbers lie in one of two folders."""
    return page_files(page_folder(str(connection.engine.url.database)))


def page_files(folder: Path) -> Lines:
    """Return the files of a page."""
    return Counter(f"{name} {_digest(content)}" for name, content in _files(folder).items())


def page_at_once(connection: Connection) -> Lines:
    """Return a digest of what a browser reads of the page, as one part: the earlier page, or the new one."""
    folder = page_folder(str(connection.engine.url.database))
    files = {name: content for name, content in _files(folder).items() if not name.startswith("other numbers")}
    return Counter([_digest(repr([item for item in sorted(files.items()) if "unfinished" not in item[0]]).encode())])


def _files(folder: Path) -> dict[str, bytes]:
    index = (folder / "index.html").read_text()
    [used] = re.findall(r'src="([\w-]+)/table.js"', index)
    files = {"index.html": index.replace(f"{used}/table.js", "").replace(f"'{used}'", "").encode()}
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "index.html":
            place, *rest = path.relative_to(folder).parts
            files["/".join(["numbers" if place == used else f"other numbers {place}" if rest else place, *rest])] = (
                path.read_bytes()
            )
    return files


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


_PAGES = (
    Path(tempfile.gettempdir()) / f"milkrun-pages-{os.getpid()}"
)  # forked processes have it from the one that forked
atexit.register(shutil.rmtree, _PAGES, ignore_errors=True)


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
