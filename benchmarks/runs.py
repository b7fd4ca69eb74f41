"""Whole monthly runs by size: seconds, where they go, peak memory, and a bare COPY of the same rows beside them.

    python -m benchmarks.runs [--series 100 1000 10000] [--months 120] [--json]

Each size is measured in a process of its own, by the flow `monthly` on an embedded database. The start of the process,
of Prefect and of the database is not counted; the compilation of the training program is. A run ends when it is
published; the time after that, in which Prefect's flow run waits for its heartbeat to notice, up to a second, is apart.
"""

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

STEPS = ("reading", "training", "forecasting", "writing")


class Panel:
    """A made-up panel: trend, season and noise; rows as text, a thousand series at a time, as loads take them."""

    def __init__(self, series: int, months: int) -> None:
        self.series, self.months = series, months

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        from forecasting.months import Month
        from forecasting.storage.staging import CHUNK

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
    """Measure a retrain run and a reuse run in this process."""
    import tensorflow  # noqa: F401 - process start is not counted

    from flows.monthly import monthly_forecast
    from forecasting import job, shard
    from forecasting.months import Month
    from forecasting.networks import classic
    from forecasting.settings import Settings
    from forecasting.storage import forecasts
    from forecasting.storage.loads import load_observations
    from forecasting.storage.schema import open_migrated_database

    spent = dict.fromkeys(STEPS, 0.0)
    _time(shard, "look", spent, "reading")
    _time(classic, "fit", spent, "training")
    _time(classic, "forecast", spent, "forecasting")
    _time(forecasts, "write_shard", spent, "writing")
    published: list[float] = []
    _mark(job, "publish_run", published)
    with open_migrated_database(Settings.from_environment()) as database:
        start = time.perf_counter()
        load_observations(database, Panel(series, months), source="made up", today=Month.of(2100, 1))
        found: dict[str, Any] = {"series": series, "months": months, "load": time.perf_counter() - start}
        monthly_forecast(dry_run=True)  # starts Prefect
        modes: dict[str, Literal["always", "never"]] = {"retrain": "always", "reuse": "never"}
        for name, retrain in modes.items():
            spent.update(dict.fromkeys(STEPS, 0.0))
            start = time.perf_counter()
            summary = monthly_forecast(recipe="classic", retrain=retrain)
            seconds, whole = published[-1] - start, time.perf_counter() - start
            if not isinstance(summary, job.Summary) or summary.counts["forecast"] != series:
                sys.exit(f"The run did not forecast every series: {summary}")
            found[name] = {
                "seconds": seconds,
                **spent,
                "other": seconds - sum(spent.values()),
                "after": whole - seconds,
            }
        found["bare_copy"] = bare_copy(database)
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def _time(module: Any, name: str, spent: dict[str, float], step: str) -> None:
    inner: Callable[..., Any] = getattr(module, name)

    def timed(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return inner(*arguments, **options)
        finally:
            spent[step] += time.perf_counter() - start

    setattr(module, name, timed)


def _mark(module: Any, name: str, ends: list[float]) -> None:
    inner: Callable[..., Any] = getattr(module, name)

    def marked(*arguments: Any, **options: Any) -> Any:
        result = inner(*arguments, **options)
        ends.append(time.perf_counter())
        return result

    setattr(module, name, marked)


def bare_copy(database: Any) -> float:
    """Return the seconds that COPY alone takes for the rows of a reuse run.

    Out: every observation (series, month, value). In: outcomes and forecasts, into tables with the same columns, keys,
    indexes and checks as the real ones, but without foreign keys.
    """
    from sqlalchemy import text

    from forecasting.storage.copying import copy_in, copy_out

    outputs = {}
    with database.engine.begin() as connection:
        for table in ("run_series", "forecast"):
            connection.execute(text(f"CREATE TABLE bare_{table} (LIKE milkrun.{table} INCLUDING ALL)"))
            rows = io.BytesIO()
            copy_out(connection, f"SELECT * FROM milkrun.{table} WHERE run_id = 2", rows)
            names = connection.execute(text(f"SELECT * FROM bare_{table}")).keys()
            outputs[f"bare_{table}"] = (list(names), rows)
    start = time.perf_counter()
    with database.engine.begin() as connection:
        copy_out(connection, "SELECT series_id, month, value FROM milkrun.observation", io.BytesIO())
    for table, (names, rows) in outputs.items():
        rows.seek(0)
        with database.engine.begin() as connection:
            copy_in(connection, table, names, rows)
    return time.perf_counter() - start


def measure_apart(series: int, months: int) -> dict[str, Any]:
    """Measure one size in a process and a database of its own."""
    with tempfile.TemporaryDirectory(prefix="milkrun-benchmark-") as folder:
        Path(folder).chmod(0o755)
        environment = {
            **os.environ,
            "MILKRUN_HOME": folder,
            "DATABASE_URL": "",
            "PREFECT_HOME": f"{folder}/prefect",
            "PREFECT_LOGGING_LEVEL": "CRITICAL",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        command = [sys.executable, "-m", "benchmarks.runs", "--alone", "--series", str(series), "--months", str(months)]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        sys.exit(answer.stderr)
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def show(results: list[dict[str, Any]]) -> None:
    """Print the table."""
    print(f"Whole monthly runs, recipe classic, {results[0]['months']} months, 12 horizons; seconds")
    print(f"{'series':>7} {'run':8} {'seconds':>8} " + " ".join(f"{step:>11}" for step in (*STEPS, "other", "after"))
          + f" {'bare COPY':>10} {'times COPY':>10} {'ms a series':>11} {'peak MiB':>9}")  # fmt: skip
    for row in results:
        for name in ("retrain", "reuse"):
            run = row[name]
            parts = " ".join(f"{run[step]:11.2f}" for step in (*STEPS, "other", "after"))
            print(f"{row['series']:7d} {name:8} {run['seconds']:8.2f} {parts} {row['bare_copy']:10.2f} "
                  f"{run['seconds'] / row['bare_copy']:10.1f} {1000 * run['seconds'] / row['series']:11.2f} "
                  f"{row['peak_mib']:9.0f}")  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--months", type=int, default=120)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        print(json.dumps(measure(asked.series[0], asked.months)))
        return
    results = [measure_apart(series, asked.months) for series in asked.series]
    if asked.json:
        print(json.dumps(results, indent=2))
    else:
        show(results)


if __name__ == "__main__":
    main()
