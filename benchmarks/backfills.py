"""A backfill that retrains at every origin beside one run: seconds, and how much of them is training.

    python -m benchmarks.backfills [--recipe classic] [--series 1 1000] [--origins 24] [--turns 3] [--json]

One series is the milk series, more are made up (benchmarks/runs.py). For each size two processes of their own take turns,
each on an embedded database of its own, by the flow as `milkrun backfill --retrain always` calls it: one
origin, the last; and that many origins up to it. The start of the process, of Prefect and of the database is not
counted; the compilation of the training program is. Training is what the engine takes; the rest is all else, to the end
of the flow run. `again` is the same one origin once more in its process, where nothing is compiled any more.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

MONTHS = 168  # as many as the milk series has


def measure(recipe: str, series: int, origins: int) -> dict[str, float]:
    """Return the seconds of a backfill of so many origins in this process, and how many of them are training."""
    import tensorflow  # noqa: F401 - process start is not counted

    from forecasting.cli.prefect_session import prefect_for_commands
    from forecasting.domain.settings import Settings
    from forecasting.storage.db.schema import open_migrated_database

    with open_migrated_database(Settings.from_environment()) as database, prefect_for_commands(log_lines=False):
        from flows.backfill import backfill_forecasts
        from flows.monthly import monthly_forecast

        last = _load(database, series)
        monthly_forecast(dry_run=True)  # starts Prefect
        spent = _watch_training()
        start = time.perf_counter()
        first = str(last + (1 - origins))
        summaries = backfill_forecasts(first, str(last), recipe=recipe, retrain="always")
        whole, training = time.perf_counter() - start, spent[0]
        if [summary.counts["retrained"] for summary in summaries] != [series] * origins:
            sys.exit(f"The backfill did not retrain every series: {summaries}")
        measures = {"whole": whole, "training": training}
        if origins == 1:
            start = time.perf_counter()
            backfill_forecasts(first, str(last), recipe=recipe, retrain="always", reprocess="completed")
            measures |= {"again": time.perf_counter() - start, "training again": spent[0] - training}
    return measures


def _load(database: Any, series: int) -> Any:
    """Load the series, and return their last month."""
    import importlib.resources

    from benchmarks.runs import Panel
    from forecasting.domain.months import Month
    from forecasting.intake.columns import ColumnRoles
    from forecasting.intake.files import open_file
    from forecasting.intake.loads import load_observations

    milk = Path(str(importlib.resources.files("forecasting.examples").joinpath("milk.csv")))
    source: Any = open_file(milk, ColumnRoles(form="wide")) if series == 1 else Panel(series, MONTHS)
    load_observations(database, source, source="benchmark", today=Month.of(2100, 1))
    return (Month.of(1962, 1) if series == 1 else Month.of(2010, 1)) + (MONTHS - 1)


def _watch_training() -> list[float]:
    """Count the seconds that the engine trains, from now on."""
    from forecasting.models import classic
    from forecasting.models.monthly import local_networks as local_networks

    spent = [0.0]
    modules: list[Any] = [classic, local_networks]
    inner = modules[0].train

    def timed(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return inner(*arguments, **options)
        finally:
            spent[0] += time.perf_counter() - start

    for module in modules:
        module.train = timed
    return spent


def measure_apart(recipe: str, series: int, origins: int) -> dict[str, float]:
    """Measure one backfill in a process and a database of its own."""
    with tempfile.TemporaryDirectory(prefix="milkrun-benchmark-") as folder:
        Path(folder).chmod(0o755)
        environment = {**os.environ, "MILKRUN_HOME": folder, "DATABASE_URL": "", "PREFECT_HOME": f"{folder}/prefect"}
        environment.pop("PREFECT_API_URL", None)
        arguments = ["--recipe", recipe, "--series", str(series), "--origins", str(origins), "--alone"]
        command = [sys.executable, "-m", "benchmarks.backfills", *arguments]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        sys.exit(answer.stderr)
    measures: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return measures


def compare(recipe: str, series: int, origins: int, repeated: int) -> dict[str, Any]:
    """Let one origin and many take turns; returns medians, and every turn."""
    turns: dict[str, list[dict[str, float]]] = {"one": [], "many": []}
    for _ in range(repeated):
        turns["one"].append(measure_apart(recipe, series, 1))
        turns["many"].append(measure_apart(recipe, series, origins))
    medians = {
        kind: {name: statistics.median(turn[name] for turn in measures) for name in measures[0]}
        for kind, measures in turns.items()
    }
    return {"recipe": recipe, "series": series, "origins": origins, **medians, "turns": turns}


def show(results: list[dict[str, Any]]) -> None:
    """Print one line per size and process, and what many origins cost as multiples of one."""
    print(f"{'series':>7} {'origins':>8} {'seconds':>8} {'training':>9} {'rest':>7} {'times one':>10}")
    for row in results:
        one, many = row["one"], row["many"]
        lines = [
            ("1", one["whole"], one["training"]),
            ("1 again", one["again"], one["training again"]),
            (str(row["origins"]), many["whole"], many["training"]),
        ]
        for origins, whole, training in lines:
            print(f"{row['series']:7d} {origins:>8} {whole:8.2f} {training:9.2f} {whole - training:7.2f} "
                  f"{whole / one['whole']:10.2f}")  # fmt: skip
        limit = row["origins"] * one["training"] + 4 * (one["whole"] - one["training"])
        print(f"        {row['origins']} times the training of one and 4 times its rest: {limit:.2f} seconds\n")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="classic")
    parser.add_argument("--series", type=int, nargs="+", default=[1, 1000])
    parser.add_argument("--origins", type=int, default=24)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone:
        print(json.dumps(measure(arguments.recipe, arguments.series[0], arguments.origins)))
        return
    results = [compare(arguments.recipe, series, arguments.origins, arguments.turns) for series in arguments.series]
    if arguments.json:
        print(json.dumps(results, indent=2))
    else:
        show(results)


if __name__ == "__main__":
    main()
