"""How long the pull of an unchanged source takes beside a bare SELECT of the same months: `python -m benchmarks.pulls`.

The source is a PostgreSQL database beside Milkrun's own, on the same server. Both read the overlap: the pull stores nothing,
because nothing has changed. The processor seconds are those of this process; the peak memory is that of the pulls alone, which
run in a process of their own.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import create_engine, text

from forecasting.domain.months import Month
from forecasting.domain.settings import Settings
from forecasting.intake.pulls import PullContext, pull_source
from forecasting.intake.source_settings import SourceSettings
from forecasting.storage.db.schema import open_migrated_database

_SOURCE = SourceSettings("sales", url_from="SALES_URL", table="sales")
_FILL = """
    CREATE TABLE sales AS
    SELECT 'series_' || lpad(series::text, 6, '0') AS series, month::date AS month,
           1000 + 100 * sin(series + extract(month FROM month)::double precision) AS value
    FROM generate_series(1, :series) AS series,
         generate_series(CAST(:newest AS date) - make_interval(months => :months - 1), CAST(:newest AS date),
                         interval '1 month') AS month
"""


@click.command()
@click.option("--series", default=10_000, show_default=True)
@click.option("--months", default=200, show_default=True)
@click.option("--repeats", default=5, show_default=True)
@click.option("--index/--no-index", default=True, help="Whether the source has an index of its months.")
@click.option(
    "--home", type=Path, hidden=True, help="Run the pulls of the folder of a benchmark, and print their figures."
)
def main(series: int, months: int, repeats: int, index: bool, home: Path | None) -> None:
    """Print seconds of the first pull, and of pulls and bare SELECTs of the overlap in turn, medians and their ratio."""
    if home is not None:
        _print_pulls(home, repeats)
        return
    newest = Month.containing(datetime.now(UTC)) - 1
    with tempfile.TemporaryDirectory(prefix="milkrun-benchmark-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # so that root's server account reaches it
        with open_migrated_database(Settings(home=home)) as database:
            with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("CREATE DATABASE shop"))
            engine = create_engine(database.engine.url.set(database="shop"))
            with engine.begin() as connection:
                connection.execute(text(_FILL), {"series": series, "months": months, "newest": newest.first_day})
                if index:
                    connection.execute(text("CREATE INDEX ON sales (month)"))
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE sales"))
            engine.dispose()
            command = [sys.executable, "-m", "benchmarks.pulls", "--home", folder, "--repeats", str(repeats)]
            figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(f"{series * months:,} rows, {figures['rows']:,} of them in the overlap; medians of {repeats} in turn")
    print(f"first pull, all rows                     {figures['first']:8.2f} s")
    print(f"bare SELECT of the overlap               {figures['select']:8.3f} s")
    print(f"pull of the overlap, nothing has changed {figures['pull']:8.3f} s")
    print(f"pull / SELECT = {figures['pull'] / figures['select']:.2f}")
    print(f"peak memory of the pulls {figures['megabytes']:.0f} MB, of which imports {figures['imports']:.0f} MB")


def _print_pulls(home: Path, repeats: int) -> None:
    imports = _peak_megabytes()
    with open_migrated_database(Settings(home=home)) as database:
        url = database.engine.url.set(database="shop").render_as_string(hide_password=False)
        context = PullContext(datetime.now(UTC), "UTC", "benchmark", None, lambda _: url)
        first = pull_source(database, _SOURCE, context)
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE milkrun.observation"))
        selects, pulls, rows = [], [], 0
        for _ in range(repeats):
            result = pull_source(database, _SOURCE, context)
            assert result.load is not None  # noqa: S101
            assert result.load.rows_added == 0  # noqa: S101 - or it would not be an unchanged source
            pulls.append(result.seconds)
            rows = result.load.rows_read
            selects.append(_select(url, str(result.since)))
    print(
        json.dumps(
            {
                "first": first.seconds,
                "rows": rows,
                "pull": statistics.median(pulls),
                "select": statistics.median(selects),
                "megabytes": _peak_megabytes(),
                "imports": imports,
            }
        )
    )


def _select(url: str, since: str) -> float:
    """Return the seconds of a program that connects, selects the overlap and fetches its rows."""
    start = time.perf_counter()
    engine = create_engine(url)
    with engine.connect() as connection:
        statement = text("SELECT series, month, value FROM sales WHERE month >= CAST(:since AS date)")
        connection.execute(statement, {"since": f"{since}-01"}).fetchall()
    engine.dispose()
    return time.perf_counter() - start


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
