"""Sources as configuration: a TOML file for each, which says where its observations are and how they are read."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from forecasting.domain.errors import InputError
from forecasting.domain.months import Month
from forecasting.domain.settings import is_time_zone
from forecasting.domain.settings_files import NAME_RULE, changed_settings, find_settings_file, is_name, read_settings
from forecasting.domain.url_names import URL_NAME, find_url_in_environment, is_url_name
from forecasting.domain.vocabulary import Aggregate, alternatives
from forecasting.intake.columns import AS_FOUND, ColumnRoles
from forecasting.intake.databases import Selection, open_database_source
from forecasting.intake.file_patterns import open_files, path_problem
from forecasting.intake.files import Source
from forecasting.storage.db.other_databases import hide_secrets

MOST_OVERLAP = 1_200
_ROLES = tuple(each.name for each in fields(ColumnRoles))
# Not about the rows that are read: a change of these does not make a pull read all months again.
_NOT_ABOUT_ROWS = ("name", "required", "overlap")


@dataclass(frozen=True)
class SourceSettings:
    """Where the observations of a source are, and how they are read.

    url_from: name of the environment variable that holds the URL of a database, or TYPE/NAME of a Prefect block. table, query:
    one of them, for a database. path: a file, or a pattern of files such as `/data/*.csv`, local or at a URL that fsspec reads.
    encoding: of CSV files. roles: of the columns; its fields stand beside the others in the file. required: whether a run waits
    where the source fails. overlap: how many months up to the newest one are read again each time.
    """

    name: str
    url_from: str | None = None
    table: str | None = None
    query: str | None = None
    path: str | None = None
    encoding: str = "utf-8"
    roles: ColumnRoles = AS_FOUND
    required: bool = True
    overlap: int = 6

    def __post_init__(self) -> None:
        """Raise InputError naming the setting that cannot be used, and the remedy."""
        for is_right, problem in (
            (is_name(self.name), NAME_RULE),
            (
                (self.url_from is None) != (self.path is None),
                "give either url_from, for a database, or path, for files",
            ),
            (self.path is None or not (self.table or self.query), "table and query go with url_from, not with path"),
            (self.path is not None or bool(self.table) != bool(self.query), "give either table or query"),
            (1 <= self.overlap <= MOST_OVERLAP, f"overlap must be from 1 to {MOST_OVERLAP} months"),
            (path_problem(self.path) is None, path_problem(self.path)),
            (self.roles.aggregate in (None, *Aggregate), f"aggregate must be {alternatives(Aggregate)}"),
            (self.roles.form in (None, "long", "wide"), "form must be long or wide"),
            (
                self.roles.time_zone is None or is_time_zone(self.roles.time_zone),
                f"there is no time zone {self.roles.time_zone!r}; write a name such as Europe/Berlin",
            ),
            (self.url_from is None or is_url_name(self.url_from), URL_NAME),
        ):
            if not is_right:
                raise InputError(f"Source {self.name}: {problem}.")

    @property
    def row_settings(self) -> dict[str, Any]:
        """What decides which rows are read and how, as JSON values: when it changes, all months are read again."""
        settings = {name: value for name, value in self.as_json().items() if name not in _NOT_ABOUT_ROWS}
        return settings | ({"query": hide_secrets(self.query)} if self.query else {})

    def as_json(self) -> dict[str, Any]:
        """Return the settings that differ from the defaults, as JSON values."""
        own = {name: value for name, value in changed_settings(self).items() if name != "roles"}
        return own | changed_settings(self.roles) | ({"where": dict(self.roles.where)} if self.roles.where else {})


def read_sources(folder: Path) -> list[SourceSettings]:
    """Return the sources of a folder, by name; none where there is no folder. Raises InputError as `read_source` does."""
    return [read_source(path) for path in sorted(folder.glob("*.toml"))] if folder.is_dir() else []


def find_source(name: str, folder: Path) -> SourceSettings:
    """Return the source of a name; raises InputError listing the names there are."""
    return read_source(find_settings_file(name, folder, "source"))


def read_source(path: Path) -> SourceSettings:
    """Read a source from NAME.toml; raises InputError naming the file, the setting and the remedy."""
    names = [each.name for each in (*fields(SourceSettings), *fields(ColumnRoles)) if each.name != "roles"]
    values = read_settings(path, {name: _KINDS.get(name, str) for name in names})
    where = values.pop("where", {})
    if not all(isinstance(cell, str) for cell in where.values()):
        raise InputError(f'{path}: where pairs columns with texts, such as where = {{ region = "north" }}.')
    roles = {name: values.pop(name) for name in _ROLES if name in values}
    return SourceSettings(name=path.stem, **values, roles=ColumnRoles(**roles, where=tuple(where.items())))


_KINDS: dict[str, type] = {"where": dict, "required": bool, "overlap": int}


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
