"""Settings in TOML files, one file for each named thing: sources and deliveries."""

import dataclasses
import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forecasting.domain.errors import InputError, MilkrunError

NAME_RULE = "its name must be lowercase letters, digits, - and _, 63 at most"


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a source or of a delivery."""
    return re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", text) is not None


def find_settings_file(name: str, folder: Path, kind: str) -> Path:
    """Return NAME.toml of a folder; raises InputError listing the names there are. kind: what it sets, for the message."""
    if is_name(name) and (path := folder / f"{name}.toml").is_file():
        return path
    names = ", ".join(path.stem for path in sorted(folder.glob("*.toml"))) or "none"
    raise InputError(f"There is no {kind} {name!r} in {folder}; there are: {names}.")


def changed_settings(settings: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that differ from their defaults, as JSON values; the name has no default."""
    defaults = {field.name: field.default for field in dataclasses.fields(settings)}
    return {name: value for name, value in dataclasses.asdict(settings).items() if value != defaults[name]}


def read_settings(path: Path, kinds: Mapping[str, type]) -> dict[str, Any]:
    """Read the settings of a file; kinds: the type of each setting by name.

    The setting `name` is that of the file and does not stand in it. Raises InputError naming the file, the setting and the
    remedy.
    """
    values = read_toml(path)
    setting_names = kinds.keys() - {"name"}
    for name, value in values.items():
        if name not in setting_names:
            raise InputError(f"{path}: there is no setting {name!r}; there are: {', '.join(sorted(setting_names))}.")
        if type(value) is not kinds[name]:
            raise InputError(f"{path}: {name} is {value!r}; write it as {_KIND_NAMES[kinds[name]]}.")
    return values


def read_toml(path: Path, error: type[MilkrunError] = InputError) -> dict[str, Any]:
    """Read a TOML file; raises `error` naming the file and what is wrong with it."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        json.dumps(values, default=str)  # a number may have more digits than Python writes
    except OSError as failure:
        raise error(f"{path} cannot be read: {failure.strerror}.") from None
    except (ValueError, RecursionError) as mistake:
        raise error(f"{path} is not TOML: {mistake}.") from None
    return values


_KIND_NAMES: dict[type, str] = {
    str: 'a text in "',
    bool: "true or false",
    int: "a whole number",
    dict: "a table of columns and texts",
    float: "a number with a point, such as 1.5",
    list: "tables, each under [[rule]]",
}


def write_settings(values: Mapping[str, Any], path: Path, command: str) -> None:
    """Write settings into a new file; command: of the command line, such as source, for the message.

    Raises InputError where there is such a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "x", encoding="utf-8", opener=_open_private) as file:
            file.write(as_toml(values))
    except FileExistsError:
        raise InputError(
            f"There is a {command} {path.stem} already, in {path}: edit the file, or remove it with milkrun {command} remove "
            f"{path.stem}."
        ) from None


def _open_private(path: str, flags: int) -> int:
    """Open a file that only its owner can read: a query may hold what is nobody else's business."""
    return os.open(path, flags, 0o600)


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
