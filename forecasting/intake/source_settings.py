"""Sources as configuration: a TOML file for each, which says where its observations are and how they are read."""

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from forecasting.domain.errors import InputError
from forecasting.domain.months import Month
from forecasting.domain.settings import is_time_zone
from forecasting.domain.vocabulary import Aggregate, alternatives
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.databases import Selection, open_database_source
from forecasting.intake.file_sets import open_files
from forecasting.intake.files import Source

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_ROLES = tuple(each.name for each in fields(ColumnRoles))
# Not about the rows that are read: a change of these does not make a pull read all months again.
_NOT_ABOUT_ROWS = ("name", "required", "overlap")


@dataclass(frozen=True)
class SourceSettings:
    """Where the observations of a source are, and how they are read.

    url_from: name of the environment variable that holds the URL of a database, or TYPE/NAME of a Prefect block. table, query:
    one of them, for a database. path: a file, or a pattern of files such as `/data/*.csv`, local or at a URL that fsspec reads.
    encoding: of CSV files. form to where: as in ColumnRoles. time_zone, aggregate: as in MonthRules. required: whether a run
    waits where the source fails. overlap: how many months up to the newest one are read again each time.
    """

    name: str
    url_from: str | None = None
    table: str | None = None
    query: str | None = None
    path: str | None = None
    encoding: str = "utf-8"
    form: str | None = None
    series_column: str | None = None
    month_column: str | None = None
    value_column: str | None = None
    unit_column: str | None = None
    series: str | None = None
    unit: str | None = None
    where: tuple[tuple[str, str], ...] = ()
    time_zone: str | None = None
    aggregate: Aggregate | None = None
    required: bool = True
    overlap: int = 6

    def __post_init__(self) -> None:
        """Raise InputError naming the setting that cannot be used, and the remedy."""
        for is_right, problem in (
            (NAME.fullmatch(self.name), "its name must be lowercase letters, digits, - and _, 63 at most"),
            (
                (self.url_from is None) != (self.path is None),
                "give either url_from, for a database, or path, for files",
            ),
            (self.path is None or not (self.table or self.query), "table and query go with url_from, not with path"),
            (self.path is not None or bool(self.table) != bool(self.query), "give either table or query"),
            (self.overlap >= 1, "overlap must be at least 1 month"),
            (self.aggregate in (None, *Aggregate), f"aggregate must be {alternatives(Aggregate)}"),
            (self.form in (None, "long", "wide"), "form must be long or wide"),
            (
                self.time_zone is None or is_time_zone(self.time_zone),
                f"there is no time zone {self.time_zone!r}; write a name such as Europe/Berlin",
            ),
            (_is_url_from(self.url_from), _URL_FROM),
        ):
            if not is_right:
                raise InputError(f"Source {self.name}: {problem}.")

    @property
    def roles(self) -> ColumnRoles:
        """What the settings say about the columns."""
        return ColumnRoles(**{name: getattr(self, name) for name in _ROLES})

    @property
    def row_settings(self) -> dict[str, Any]:
        """What decides which rows are read and how, as JSON values: when it changes, all months are read again."""
        return {name: value for name, value in self.as_json().items() if name not in _NOT_ABOUT_ROWS}

    def as_json(self) -> dict[str, Any]:
        """Return the settings that differ from the defaults, as JSON values."""
        defaults = {each.name: each.default for each in fields(self)}
        values = {name: value for name, value in asdict(self).items() if value != defaults[name]}
        return values | ({"where": dict(self.where)} if self.where else {})


_URL_FROM = (
    "url_from names an environment variable, such as SALES_URL, or a Prefect block as TYPE/NAME, such as secret/sales-url; "
    "a URL does not stand in the file, because it may hold a password"
)


def _is_url_from(text: str | None) -> bool:
    return text is None or re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*|[a-z0-9-]+/[a-z0-9-]+", text) is not None


def read_sources(folder: Path) -> list[SourceSettings]:
    """Return the sources of a folder, by name; none where there is no folder. Raises InputError as `read_source` does."""
    return [read_source(path) for path in sorted(folder.glob("*.toml"))] if folder.is_dir() else []


def find_source(name: str, folder: Path) -> SourceSettings:
    """Return the source of a name; raises InputError listing the names there are."""
    if NAME.fullmatch(name) and (path := folder / f"{name}.toml").is_file():
        return read_source(path)
    names = ", ".join(path.stem for path in sorted(folder.glob("*.toml"))) or "none"
    raise InputError(f"There is no source {name!r} in {folder}; there are: {names}.")


def read_source(path: Path) -> SourceSettings:
    """Read a source from NAME.toml; raises InputError naming the file, the setting and the remedy."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as failure:
        raise InputError(f"{path} cannot be read: {failure.strerror}.") from None
    except (ValueError, RecursionError) as mistake:
        raise InputError(f"{path} is not TOML: {mistake}.") from None
    kinds = {each.name: _KINDS.get(each.name, str) for each in fields(SourceSettings) if each.name != "name"}
    for name, value in values.items():
        if name not in kinds:
            raise InputError(f"{path}: there is no setting {name!r}; there are: {', '.join(sorted(kinds))}.")
        if type(value) is not kinds[name]:
            raise InputError(f"{path}: {name} is {value!r}; write it as {_KIND_NAMES[kinds[name]]}.")
    where = values.pop("where", {})
    if not all(isinstance(cell, str) for cell in where.values()):
        raise InputError(f'{path}: where pairs columns with texts, such as where = {{ region = "north" }}.')
    return SourceSettings(name=path.stem, **values, where=tuple(where.items()))


_KINDS: dict[str, type] = {"where": dict, "required": bool, "overlap": int}
_KIND_NAMES = {str: 'a text in "', bool: "true or false", int: "a whole number", dict: "a table of columns and texts"}


def write_source(source: SourceSettings, folder: Path) -> Path:
    """Write a source as NAME.toml of a folder, whole or not at all; raises InputError where there is one of that name."""
    path = folder / f"{source.name}.toml"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(as_toml(source.as_json()))
    except FileExistsError:
        raise InputError(
            f"There is a source {source.name} already, in {path}: edit the file, or remove it with "
            f"milkrun source remove {source.name}."
        ) from None
    return path


def as_toml(values: Mapping[str, Any]) -> str:
    """Return settings as TOML: texts, numbers, truth values, and tables of texts; the name, which the file has, is left out."""
    lines = []
    for name, value in values.items():
        if name == "name":
            continue
        if isinstance(value, dict):
            pairs = ", ".join(f"{_quoted(column)} = {_quoted(cell)}" for column, cell in value.items())
            lines.append(f"{name} = {{ {pairs} }}")
        else:
            lines.append(f"{name} = {_quoted(value) if isinstance(value, str) else json.dumps(value)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a TOML string: JSON's escapes are TOML's as well, but JSON leaves DEL as it is."""
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")


def find_url_in_environment(url_from: str) -> str:
    """Return the URL that an environment variable holds; raises InputError where it holds none."""
    if "/" in url_from:
        raise InputError(f"{url_from} is a Prefect block: only flows and milkrun commands read blocks.")
    if not (url := os.environ.get(url_from)):
        raise InputError(
            f"The environment variable {url_from} is empty: set it to the URL of the source where the flow runs, such as "
            "postgresql://user:password@host/database."
        )
    return url


def open_source(
    source: SourceSettings, *, since: Month | None = None, find_url: Callable[[str], Any] = find_url_in_environment
) -> Source:
    """Open a source; its rows are read when it is iterated.

    since: the first month to read, of a database; files are read whole. find_url: gives the URL for a `url_from`. Raises
    InputError for what cannot be read, PassingFailure for a database out of reach.
    """
    if source.path is not None:
        return open_files(source.path, source.roles, encoding=source.encoding)
    assert source.url_from is not None  # noqa: S101 - __post_init__ has checked it
    selection = Selection(source.table, source.query, since)
    return open_database_source(find_url(source.url_from), selection, source.roles)
