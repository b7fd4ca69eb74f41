"""How long a load takes beside PostgreSQL's own COPY of the same rows: `python -m benchmarks.intake`."""

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from sqlalchemy import text

from forecasting.domain.months import Month
from forecasting.domain.settings import Settings
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import open_file
from forecasting.intake.loads import load_observations
from forecasting.storage.db.copy import copy_in
from forecasting.storage.db.database import Database
from forecasting.storage.db.schema import open_migrated_database

_FIRST = Month.of(2010, 1)


@click.command()
@click.option("--series", default=10_000, show_default=True)
@click.option("--months", default=120, show_default=True)
def main(series: int, months: int) -> None:
    """Print the seconds of COPY, of a first load, and of the same load again, on an embedded database of its own."""
    with tempfile.TemporaryDirectory(prefix="milkrun-benchmark-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # so that root's server account reaches it
        path = home / "rows.csv"
        _write_rows(path, series, months)
        with open_migrated_database(Settings(home=home)) as database:
            print(f"{series * months:,} rows, {path.stat().st_size / 1e6:.0f} MB")
            copy = _timed("COPY into a plain table", lambda: _copy(database, path, "value double precision"))
            _timed(
                "COPY into a table with a primary key",
                lambda: _copy(database, path, "value float8, PRIMARY KEY (series, month)"),
            )
            first = _timed("load", lambda: _load(database, path))
            repeat_seconds = _timed("the same load again, all unchanged", lambda: _load(database, path))
            print(f"load / COPY = {first / copy:.1f}, again / COPY = {repeat_seconds / copy:.1f}")
    print(f"peak memory of the loader {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def _write_rows(path: Path, series: int, months: int) -> None:
    values = np.random.default_rng(0).normal(1000, 100, (series, months)).round(3)
    with path.open("w") as file:
        file.write("series,month,value\n")
        for number, row in enumerate(values):
            file.writelines(f"series_{number:06d},{_FIRST + step},{value}\n" for step, value in enumerate(row))


def _copy(database: Database, path: Path, columns: str) -> None:
    with database.engine.begin() as connection, path.open("rb") as file:
        connection.execute(text("DROP TABLE IF EXISTS public.plain"))
        connection.execute(text(f"CREATE TABLE public.plain (series text, month text, {columns})"))
        file.readline()
        copy_in(connection, "public.plain", ["series", "month", "value"], file)


def _load(database: Database, path: Path) -> None:
    source = open_file(path, ColumnRoles())
    load_observations(database, source, source=source.name, sha256=source.sha256, today=Month.of(2030, 1))


def _timed(label: str, action: Callable[[], None]) -> float:
    start = time.perf_counter()
    action()
    seconds = time.perf_counter() - start
    print(f"{label:45}{seconds:8.2f} s")
    return seconds


if __name__ == "__main__":
    main()
