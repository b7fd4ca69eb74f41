"""Sets of files as one source: a path, or a pattern of paths, local or at a URL that fsspec reads."""

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow

from forecasting.domain.errors import InputError, PassingFailure
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import Source, open_file

MOST_FILES = 10_000


def open_files(pattern: str, roles: ColumnRoles, *, encoding: str = "utf-8") -> Source:
    """Open all files of a pattern as one source, in the order of their names.

    pattern: a path, which may have *, ? and ** , or a URL such as s3://bucket/sales/*.parquet. Raises InputError where no file
    matches, or where a file cannot be read, PassingFailure where the place of the files cannot be reached.
    """
    if "://" not in pattern or pattern.startswith("file://"):
        paths = _local_paths(pattern.removeprefix("file://"))
        return _join(pattern, [open_file(path, roles, encoding=encoding) for path in paths], roles)
    folder = Path(tempfile.mkdtemp(prefix="milkrun-source-"))
    try:
        paths = _copy_from_url(pattern, folder)
        source = _join(public_pattern(pattern), [open_file(path, roles, encoding=encoding) for path in paths], roles)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Source(source.name, _CopiedRows(source, folder), source.sha256, source.rules)


def path_problem(path: str | None) -> str | None:
    """Return why a path of a settings file cannot be used; None where it can, or where there is none."""
    if path is None:
        return None
    if "://" in path and (public_pattern(path) != path):
        return (
            "path must hold no user, no password and no part after ? or #: the environment has what its file system needs, such "
            "as AWS_ACCESS_KEY_ID"
        )
    if "://" not in path and not Path(path).expanduser().is_absolute():
        return "path must be absolute, or a URL: a flow runs in another folder"
    return None


def absolute_path(path: str) -> str:
    """Return a path as it may stand in a settings file: a local one from the root on, a URL as it is."""
    return path if "://" in path else str(Path(path).expanduser().absolute())


def public_pattern(pattern: str) -> str:
    """Return a pattern without the user, the password and the query that its URL may hold."""
    if "://" not in pattern:
        return pattern
    try:
        parts = urlsplit(pattern)
    except ValueError:
        return f"{pattern.partition('://')[0]}://…"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


class _CopiedRows:
    """Gives the rows of copied files; the folder of the copies is removed with this reader."""

    def __init__(self, source: Source, folder: Path) -> None:
        self._source = source
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    def __call__(self) -> Iterator[pyarrow.RecordBatch]:
        return iter(self._source)


def _join(name: str, sources: Sequence[Source], roles: ColumnRoles) -> Source:
    if len(sources) == 1:
        return Source(name, sources[0].reader, sources[0].sha256, roles.rules)
    digest = hashlib.sha256("".join(str(source.sha256) for source in sources).encode()).hexdigest()
    return Source(f"{name} ({len(sources)} files)", partial(_chain, sources), digest, roles.rules)


def _chain(sources: Sequence[Source]) -> Iterator[pyarrow.RecordBatch]:
    for source in sources:
        yield from source


def _local_paths(pattern: str) -> list[Path]:
    if not any(character in pattern for character in "*?["):
        return [Path(pattern).expanduser()]  # open_file says what is wrong with it
    path = Path(pattern).expanduser()
    anchor = Path(path.anchor or ".")
    paths = sorted(each for each in anchor.glob(str(path.relative_to(path.anchor))) if each.is_file())
    return _require_some(paths, pattern)


def _require_some(paths: list[Path], pattern: str) -> list[Path]:
    if not paths:
        raise InputError(f"No file matches {pattern}.")
    if len(paths) > MOST_FILES:
        raise InputError(f"{len(paths):,} files match {pattern}; {MOST_FILES:,} are the most: join them, or narrow it.")
    return paths


def _copy_from_url(pattern: str, folder: Path) -> list[Path]:
    """Copy the files of a pattern into a folder; returns the copies in the order of the names of their originals."""
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(pattern)
        has_wildcard = any(character in path for character in "*?[")
        names = sorted(system.glob(path)) if has_wildcard else [path]
        copies = [folder / f"{number:05d}-{Path(name).name}" for number, name in enumerate(names[: MOST_FILES + 1])]
        _require_some(copies, public_pattern(pattern))
        for name, copy in zip(names, copies, strict=True):
            system.get_file(name, str(copy))
    except ImportError as missing:
        raise InputError(f"{public_pattern(pattern)}: {missing}.") from None
    except FileNotFoundError:
        raise InputError(f"There is no file {public_pattern(pattern)}.") from None
    except InputError:
        raise
    except ValueError:
        raise InputError(f"{public_pattern(pattern)} is of a kind that fsspec does not read.") from None
    except Exception as failure:  # noqa: BLE001 - each kind of file system has errors of its own
        raise PassingFailure(
            f"{public_pattern(pattern)} cannot be reached ({type(failure).__name__}): check its address and the rights."
        ) from None
    return copies
