"""How commands print rows: a table for people, CSV or JSON for programs."""

import csv
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click

from forecasting.domain.errors import InputError

Row = Sequence[Any]
# Control characters but tab and line feed, marks that change the direction of writing, and bytes that are no letters.
_ACTING = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")
_VALUE_BYTES, _GATHERED_BYTES = 16, 256 << 20  # of a number; of all rows that a table or JSON gathers
_FORMULA_STARTS = tuple(
    "=+-@\t\r\n\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)


def print_rows(columns: Sequence[str], rows: Iterable[Row], output_format: str = "table", *, title: str = "") -> None:
    """Print rows as a table, JSON or CSV; months and times in ISO form, numbers in full in CSV and JSON.

    output_format: table, json, csv, where text is guarded against spreadsheets, or raw, CSV for programs. title: printed above
    a table alone. Raises InputError where JSON would need one key for two columns, or where the rows of a table or of JSON are
    larger than 256 MB.
    """
    if output_format == "json" and len(set(columns)) < len(columns):
        raise InputError(f"Two columns have the same name among {', '.join(columns)}: rename one with AS.")
    if output_format == "json":
        click.echo(json.dumps(as_objects(columns, _gather(rows)), indent=2))
    elif output_format in ("csv", "raw"):
        cell = guard_text if output_format == "csv" else _as_it_is
        # The characters of the terminator are quoted in text: before Python 3.13 a lone \r would not be.
        lines = SimpleNamespace(write=lambda line: sys.stdout.write(line.removesuffix("\r\n") + "\n"))
        writer = csv.writer(lines, lineterminator="\r\n")
        writer.writerow(map(cell, columns))
        writer.writerows([_json_value(cell(value)) for value in row] for row in rows)
    else:
        _print_table(columns, _gather(rows), title)


def _gather(rows: Iterable[Row]) -> list[Row]:
    """Return the rows as a list; raises InputError where they are more than memory is spent on."""
    gathered, size = [], 0
    for row in rows:
        size += sum(len(value) if isinstance(value, str | bytes) else _VALUE_BYTES for value in row)
        if size > _GATHERED_BYTES:
            raise InputError(
                f"The rows have more than {_GATHERED_BYTES >> 20} MB: print them with --csv or --raw, which keep no rows."
            )
        gathered.append(row)
    return gathered


def as_objects(columns: Sequence[str], rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows as JSON objects; months and times in ISO form."""
    return [dict(zip(columns, map(_json_value, row), strict=True)) for row in rows]


def guard_text(value: Any) -> Any:
    """Return text that a spreadsheet would take for a formula with an apostrophe before it; any other value as it is.

    The first characters are those of OWASP's page on CSV injection: https://owasp.org/www-community/attacks/CSV_Injection
    """
    is_formula = isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_STARTS) and value != "-Infinity"
    return f"'{value}" if is_formula else value


def printable(text: str) -> str:
    """Return text with a hexadecimal code for each character that would act on a terminal; line breaks stay.

    Names of files and texts of databases come from others.
    """
    return _ACTING.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode(), text)


def print_settings(path: Path, values: Mapping[str, Any]) -> None:
    """Print settings as their TOML file has them, below the path of the file."""
    from forecasting.domain.settings_files import as_toml

    click.echo(f"# {path}")
    click.echo(as_toml(values), nl=False)


def _as_it_is(value: Any) -> Any:
    return value


def filled_columns(columns: Sequence[str], rows: Sequence[Row], names: Sequence[str]) -> tuple[list[str], list[Row]]:
    """Return the columns of these names that have a value in any row, and the rows with these alone; months as YYYY-MM."""
    places = [columns.index(name) for name in names if any(row[columns.index(name)] is not None for row in rows)]
    return [columns[place] for place in places], [[month_text(row[place]) for place in places] for row in rows]


def month_text(value: Any) -> Any:
    """Return a date as YYYY-MM, any other value as it is."""
    return f"{value:%Y-%m}" if type(value) is date else value


def _print_table(columns: Sequence[str], rows: list[Row], title: str) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    if title:
        console.print(title, style="bold")
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(columns):
        numeric = any(isinstance(row[position], int | float) for row in rows)
        table.add_column(Text(printable(column)), justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(Text(_table_text(value)) for value in row))
    console.print(table)
    if not rows:
        console.print("(no rows)")


def _json_value(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, str | int | float | bool | list | dict) or value is None:
        return value
    return str(value)


def _table_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}" if 0.1 <= abs(value) < 1e7 or value == 0 else f"{value:.4g}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return printable(str(_json_value(value)))
