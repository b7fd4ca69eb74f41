"""Whole monthly runs by size: seconds, where they go, peak memory, and a bare COPY of the same rows beside them.

    python -m benchmarks.runs [--series 100 1000 10000] [--months 120] [--json]

Each size is measured in a process of its own, by the flows as `milkrun run` and `milkrun backfill` call them, on an
embedded database. Three kinds of runs: one that retrains every series; one that reuses every network; and one that
reuses every network after a year of runs, whose forecasts it scores. The start of the process, of Prefect and of the
database is not counted; the compilation of the training program is. A run ends when it is published; "whole" counts
until its flow run has returned. Where the seconds go is summed over the two shards that are worked on at a time, so
that the parts may add up to more than the whole.

Reuse runs and COPY take turns, three times; medians are compared. COPY reads every observation (series, month, value)
and every forecast that the run scores, and writes the outcomes, forecasts and scores of the run, all as CSV, in two
readings: into plain tables, and into tables with the same keys, indexes and checks as the real ones, but without
references to other tables.
"""

import argparse
import functools
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

STEPS = ("reading", "training", "forecasting", "writing")
KINDS = ("retrain", "reuse", "a year on")
READINGS = {"plain tables": "", "keys and checks": "INCLUDING ALL"}  # how COPY's tables are made like the real ones
REPEATED = 3


class Panel:
    """A made-up panel: trend, season and noise; rows as text, a thousand series at a time, as loads take them."""

    def __init__(self, series: int, months: int) -> None:
        self.series, self.months = series, months

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        from forecasting.domain.months import Month
        from forecasting.intake.staging import CHUNK

        draw = np.random.default_rng(7)
        stamps = [str(Month.of(2010, 1) + step) for step in range(self.months)]
        time_axis = np.arange(self.months)
        for start in range(0, self.series, 1000):
            count = min(1000, self.series - start)
            season = np.sin(2 * np.pi * (time_axis + draw.integers(0, 12, (count, 1))) / 12)
            noise = draw.normal(0, 0.05, (count, self.months))
            values = draw.uniform(50, 5000, (count, 1)) * (1 + 0.003 * time_axis + 0.2 * season + noise)
            size = values.size
            columns = {
                "line": np.arange(start * self.months + 2, start * self.months + 2 + size),
                "series": np.repeat([f"series {number:06d}" for number in range(start, start + count)], self.months),
                "month": np.tile(stamps, count),
                "value": [repr(value) for value in values.ravel().tolist()],
            }
            nothing = {name: pa.nulls(size, CHUNK.field(name).type) for name in CHUNK.names if name not in columns}
            yield pa.RecordBatch.from_pydict({**columns, **nothing}, schema=CHUNK)


def measure(series: int, months: int) -> dict[str, Any]:
    """Measure runs of each kind in this process, those that reuse by turns with COPY."""
    from forecasting.cli.prefect_session import prefect_for_commands
    from forecasting.domain.months import Month
    from forecasting.domain.settings import Settings
    from forecasting.intake.loads import load_observations
    from forecasting.storage.db.schema import open_migrated_database

    first = Month.of(2010, 1)
    with open_migrated_database(Settings.from_environment()) as database, prefect_for_commands(log_lines=False):
        start = time.perf_counter()
        load_observations(database, Panel(series, months), source="made up", today=Month.of(2100, 1))
        measures: dict[str, Any] = {"series": series, "months": months, "load": time.perf_counter() - start}
        measures |= _measure_runs(database, series, first + (months - 1))
    measures["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return measures


def _measure_runs(database: Any, series: int, last: Any) -> dict[str, Any]:
    import tensorflow  # noqa: F401 - process start is not counted

    from flows.backfill import backfill_forecasts
    from flows.monthly import monthly_forecast

    def backfill(start: int, end: int, retrain: Literal["always", "never"], **more: Any) -> Any:
        origins = str(last + start), str(last + end)
        return backfill_forecasts(*origins, recipe="classic", retrain=retrain, **more)[-1]

    timed = _stopwatch(series)
    monthly_forecast(dry_run=True)  # starts Prefect
    measures: dict[str, Any] = {
        "retrain": {"runs": [timed(lambda: monthly_forecast(recipe="classic", retrain="always"))]}
    }
    reuse = {
        "reuse": lambda late: monthly_forecast(recipe="classic", retrain="never", late_months=late),
        "a year on": lambda late: backfill(0, 0, "never", late_months=late),
    }
    for name, run in reuse.items():
        if name == "a year on":
            backfill(-12, -12, "always")
            backfill(-11, -1, "never")
        runs, copies = [], []
        for late in range(4, 4 + REPEATED):  # another policy makes another run
            runs.append(timed(functools.partial(run, late)))
            copies.append(bare_copies(database))
        measures[name] = {"runs": runs, "copies": {reading: [one[reading] for one in copies] for reading in READINGS}}
    return measures


def _stopwatch(series: int) -> Callable[[Callable[[], Any]], dict[str, float]]:
    """Return a function that takes a run, and gives the seconds to its publication and where they went."""
    from forecasting.models import classic
    from forecasting.runs import job, shard
    from forecasting.storage import forecasts

    spent = dict.fromkeys(STEPS, 0.0)
    _time(shard, "read_snapshot", spent, "reading")
    _time(classic, "train", spent, "training")
    _time(shard, "_forecast", spent, "forecasting")
    _time(forecasts, "write_shard", spent, "writing")
    published: list[float] = []
    _mark(job, "publish_run", published)

    def timed(run: Callable[[], Any]) -> dict[str, float]:
        spent.update(dict.fromkeys(STEPS, 0.0))
        start = time.perf_counter()
        summary = run()
        seconds, whole = published[-1] - start, time.perf_counter() - start
        if not isinstance(summary, job.RunSummary) or summary.counts["forecast"] != series:
            sys.exit(f"The run did not forecast every series: {summary}")
        return {"seconds": seconds, "whole": whole, **spent}

    return timed


def _time(module: Any, name: str, spent: dict[str, float], step: str) -> None:
    inner: Callable[..., Any] = getattr(module, name)
    adding = threading.Lock()

    def timed(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return inner(*arguments, **options)
        finally:
            with adding:
                spent[step] += time.perf_counter() - start

    setattr(module, name, timed)


def _mark(module: Any, name: str, ends: list[float]) -> None:
    inner: Callable[..., Any] = getattr(module, name)

    def marked(*arguments: Any, **options: Any) -> Any:
        result = inner(*arguments, **options)
        ends.append(time.perf_counter())
        return result

    setattr(module, name, marked)


def bare_copies(database: Any) -> dict[str, float]:
    """Return the seconds that COPY alone takes for the rows of the newest run, in each reading."""
    from sqlalchemy import text

    from forecasting.storage.db.copy import copy_in, copy_out

    inputs = ["SELECT series_id, month, value FROM milkrun.observation"]
    outputs = {}
    with database.engine.begin() as connection:
        newest, origin, earlier = connection.execute(text(_NEWEST_RUN)).one()
        if earlier:
            inputs.append(f"""
                SELECT run_id, series_id, horizon, month, value, seasonal_naive FROM milkrun.forecast
                WHERE run_id = ANY('{{{",".join(map(str, earlier))}}}')
                  AND month <= '{origin}' AND month > date '{origin}' - interval '1 year'""")
        for table in ("run_series", "forecast", "rmse_history"):
            rows = io.BytesIO()
            query = f"SELECT * FROM milkrun.{table} WHERE run_id = {newest}"
            copy_out(connection, query, rows)
            outputs[table] = (list(connection.execute(text(f"{query} LIMIT 0")).keys()), rows)
    seconds = {}
    for reading, like in READINGS.items():
        with database.engine.begin() as connection:
            for table in outputs:
                connection.execute(text(f"DROP TABLE IF EXISTS bare_{table}"))
                connection.execute(text(f"CREATE TABLE bare_{table} (LIKE milkrun.{table} {like})"))
        start = time.perf_counter()
        with database.engine.begin() as connection:
            for query in inputs:
                copy_out(connection, query, io.BytesIO())
        for table, (names, rows) in outputs.items():
            rows.seek(0)
            with database.engine.begin() as connection:
                copy_in(connection, f"bare_{table}", names, rows)
        seconds[reading] = time.perf_counter() - start
    return seconds


_NEWEST_RUN = """
    SELECT n.run_id, n.origin, array_agg(r.run_id) FILTER (WHERE r.run_id IS NOT NULL) AS earlier
    FROM (SELECT * FROM milkrun.run ORDER BY run_id DESC LIMIT 1) n
    LEFT JOIN milkrun.run r ON r.kind = n.kind AND r.vintages = n.vintages AND r.origin < n.origin
    GROUP BY n.run_id, n.origin
"""


def measure_apart(series: int, months: int) -> dict[str, Any]:
    """Measure one size in a process and a database of its own."""
    with tempfile.TemporaryDirectory(prefix="milkrun-benchmark-") as folder:
        Path(folder).chmod(0o755)
        environment = {**os.environ, "MILKRUN_HOME": folder, "DATABASE_URL": "", "PREFECT_HOME": f"{folder}/prefect"}
        environment.pop("PREFECT_API_URL", None)
        command = [sys.executable, "-m", "benchmarks.runs", "--alone", "--series", str(series), "--months", str(months)]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        sys.exit(answer.stderr)
    measures: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return measures


def median(runs: list[dict[str, float]], name: str) -> float:
    """Return the median of one figure over runs."""
    return statistics.median(run[name] for run in runs)


def show(results: list[dict[str, Any]]) -> None:
    """Print the table of runs, then that of runs beside COPY."""
    print(f"Whole monthly runs, recipe classic, {results[0]['months']} months, 12 horizons; seconds")
    print(f"{'series':>7} {'run':10} {'seconds':>8} {'whole':>8} " + " ".join(f"{step:>11}" for step in STEPS)
          + f" {'ms a series':>11} {'peak MiB':>9}")  # fmt: skip
    for row in results:
        for name in KINDS:
            runs = row[name]["runs"]
            parts = " ".join(f"{median(runs, step):11.2f}" for step in STEPS)
            print(f"{row['series']:7d} {name:10} {median(runs, 'seconds'):8.2f} {median(runs, 'whole'):8.2f} "
                  f"{parts} {1000 * median(runs, 'seconds') / row['series']:11.2f} {row['peak_mib']:9.0f}")  # fmt: skip
    print("\nRuns that reuse as multiples of a bare COPY of the same rows; least to largest seconds of three")
    print(f"{'series':>7} {'run':10} {'COPY into':16} {'COPY':>12} {'run':>12} {'times COPY':>10} {'whole':>6}")
    for row in results:
        for name in KINDS[1:]:
            runs = row[name]["runs"]
            span = f"{min(run['seconds'] for run in runs):5.2f} to {max(run['seconds'] for run in runs):.2f}"
            for reading in READINGS:
                copies = row[name]["copies"][reading]
                ratios = [median(runs, figure) / statistics.median(copies) for figure in ("seconds", "whole")]
                print(f"{row['series']:7d} {name:10} {reading:16} {min(copies):5.2f} to {max(copies):.2f} "
                      f"{span} {ratios[0]:10.1f} {ratios[1]:6.1f}")  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--months", type=int, default=120)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone:
        print(json.dumps(measure(arguments.series[0], arguments.months)))
        return
    results = [measure_apart(series, arguments.months) for series in arguments.series]
    if arguments.json:
        print(json.dumps(results, indent=2))
    else:
        show(results)


if __name__ == "__main__":
    main()
