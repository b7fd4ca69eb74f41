"""Write the documents that are made from the program and from the live schema: python docs/write.py [--check].

docs/reference/commands.md and docs/reference/python.md are made whole; in docs/reference/sql.md everything below the mark;
docs/decisions/README.md lists the decisions by their titles. With --check nothing is written, and the exit code is 1 where a
document differs.
"""

import argparse
import inspect
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from forecasting import api
from forecasting.cli import milkrun
from forecasting.domain.settings import Settings
from forecasting.storage.db.database import Database
from forecasting.storage.db.schema import open_migrated_database
from forecasting.storage.views.sql import run_query

DOCS = Path(__file__).parent
MARK = "<!-- Everything below is written by make docs from the comments of the live schema. -->"
VIEWS = (
    "latest_forecast",
    "forecast_history",
    "forecast_versus_actual",
    "forecast_change",
    "latest_rmse",
    "rmse_trend",
    "run_outcome",
    "series_health",
    "run_health",
    "latest_observation",
    "observation_history",
    "rejection_history",
)

_RELATIONS = """
    SELECT c.relname AS name, c.relkind = 'v' AS is_view, obj_description(c.oid, 'pg_class') AS comment
    FROM pg_class c
    WHERE c.relnamespace = 'milkrun'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname <> 'alembic_version'
    ORDER BY c.relname"""
_COLUMNS = """
    SELECT c.relname AS relation, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
           col_description(c.oid, a.attnum) AS comment
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'milkrun'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum"""
_FUNCTIONS = """
    SELECT proname || '(' || pg_get_function_arguments(oid) || ')' AS name, obj_description(oid, 'pg_proc') AS comment
    FROM pg_proc WHERE pronamespace = 'milkrun'::regnamespace AND prorettype <> 'trigger'::regtype ORDER BY proname"""
_SHORT_TYPES = {"double precision": "number", "timestamp with time zone": "timestamptz"}


def main() -> int:
    """Write the documents, or say which of them differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 where a document differs")
    parser.add_argument("--database", help="URL of a database of this release (default: one made for the purpose)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="milkrun-docs-") as folder:
        Path(folder).chmod(0o755)
        with open_migrated_database(Settings(home=Path(folder), database_url=arguments.database)) as database:
            silent = find_uncommented(database)
            tables = describe_tables(database)
    for name in silent:
        print(f"{name} has no comment: its migration must say what it means.", file=sys.stderr)
    by_hand = (DOCS / "reference" / "sql.md").read_text().split(MARK)[0]
    texts = {
        "reference/commands.md": describe_commands(milkrun),
        "reference/python.md": describe_api(),
        "reference/sql.md": f"{by_hand}{MARK}\n\n{tables}",
        "decisions/README.md": list_decisions(DOCS / "decisions"),
    }
    different = [name for name, text in texts.items() if not _is_written(DOCS / name, text)]
    for name in different:
        if arguments.check:
            print(f"docs/{name} is out of date: make docs writes it.", file=sys.stderr)
        else:
            (DOCS / name).write_text(texts[name])
    return 1 if silent or (arguments.check and different) else 0


def _is_written(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


def list_decisions(folder: Path) -> str:
    """Return the index of a folder of decisions, by number."""
    titles = [(path.name, path.read_text().splitlines()[0].removeprefix("# ")) for path in sorted(folder.glob("0*.md"))]
    lines = [f"- [{title}]({name})" for name, title in titles]
    about = (
        "One page each: what was to be decided, what was decided, what follows. A decision that is replaced stays, and says "
        "by what."
    )
    return "\n\n".join(["# Decisions", about, "\n".join(lines)]) + "\n"


def find_uncommented(database: Database) -> list[str]:
    """Return the views, tables and columns of which nobody has said what they mean."""
    relations = [row["name"] for row in _read(database, _RELATIONS) if not row["comment"]]
    columns = [row for row in _read(database, _COLUMNS) if row["relation"] != "alembic_version" and not row["comment"]]
    return relations + [f"{row['relation']}.{row['name']}" for row in columns]


def describe_tables(database: Database) -> str:
    """Return the reference of views, functions and tables as Markdown, from their comments in the database."""
    relations = {row["name"]: row for row in _read(database, _RELATIONS)}
    columns = _read(database, _COLUMNS)
    views = [name for name, row in relations.items() if row["is_view"]]
    views.sort(key=lambda name: (VIEWS.index(name) if name in VIEWS else len(VIEWS), name))
    parts = ["## Views"]
    parts += [_relation(relations[name], columns) for name in views]
    parts.append("## Functions")
    parts += [f"### `{row['name']}`\n\n{row['comment']}" for row in _read(database, _FUNCTIONS)]
    parts.append(
        "## Tables\n\nThe views stand on these; they hold unpublished rows as well, and numbers instead of names."
    )
    parts += [_relation(row, columns) for row in relations.values() if not row["is_view"]]
    return "\n\n".join(parts) + "\n"


def _relation(relation: dict[str, Any], columns: Sequence[dict[str, Any]]) -> str:
    rows = [
        [f"`{column['name']}`", _SHORT_TYPES.get(column["type"], column["type"]), column["comment"] or ""]
        for column in columns
        if column["relation"] == relation["name"]
    ]
    return f"### `{relation['name']}`\n\n{relation['comment']}\n\n{_table(['column', 'type', 'meaning'], rows)}"


def describe_commands(program: click.Group) -> str:
    """Return the reference of the command line as Markdown, from the program itself."""
    parts = ["# Commands", "Made from the program: the same as `--help` says."]
    parts += [_command(context) for context in _contexts(click.Context(program, info_name="milkrun"))]
    return "\n\n".join(parts) + "\n"


def _contexts(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name, command in sorted(context.command.commands.items()):
            yield from _contexts(click.Context(command, info_name=name, parent=context))


def _command(context: click.Context) -> str:
    usage = re.sub(r"\s+", " ", context.command.get_usage(context).removeprefix("Usage: "))
    parts = [f"## `{context.command_path}`", _paragraphs(context.command.help or ""), f"`{usage}`"]
    records = (option.get_help_record(context) for option in context.command.get_params(context))
    options = [[f"`{name}`", meaning] for name, meaning in filter(None, records) if not name.endswith("--help")]
    if options:
        parts.append(_table(["option", "meaning"], options))
    return "\n\n".join(parts)


def describe_api() -> str:
    """Return the reference of the front door as Markdown, from its docstrings."""
    methods = [
        (f"Milkrun.{name}", method)
        for name, method in vars(api.Milkrun).items()
        if inspect.isfunction(method) and not name.startswith("_")
    ]
    functions: list[tuple[str, Any]] = [
        ("forecasting.open", api.open),
        ("forecasting.forecast", api.forecast),
        *methods,
    ]
    parts = [
        "# Python",
        "Made from the docstrings of the package: the same as `help(forecasting.open)` says.",
        _ABOUT_API,
    ]
    for name, function in functions:
        signature = str(inspect.signature(function)).replace("(self, ", "(").replace("(self)", "()")
        parts += [
            f"## `{name}`",
            f"`{name.rpartition('.')[2]}{signature}`",
            _paragraphs(inspect.getdoc(function) or ""),
        ]
    return "\n\n".join(parts) + "\n"


_ABOUT_API = (
    "`import forecasting` imports nothing heavy. It has `open`, `forecast`, `Milkrun` (what `open` returns), `Month` (a calendar "
    "month), `Recipe`, `read_recipe(path)` (a recipe from a TOML file) and `__version__`. A mistake raises an error of "
    "`forecasting.domain.errors` whose text is the message, with the remedy. How to use it: "
    "[from Python](../how-to/use-from-python.md)."
)


def _paragraphs(text: str) -> str:
    return "\n\n".join(re.sub(r"\s+", " ", paragraph).strip() for paragraph in text.split("\n\n"))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _read(database: Database, query: str) -> list[dict[str, Any]]:
    with run_query(database, query) as (columns, rows):
        return [dict(zip(columns, row, strict=True)) for row in rows]


if __name__ == "__main__":
    sys.exit(main())
