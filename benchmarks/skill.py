"""How good forecasts are, and what they cost, beside everything that people would otherwise use.

    python -m benchmarks.skill --data FILE.parquet --horizon H [--recipe R] [--seeds N] [--baselines AutoETS …] [--json]
    python -m benchmarks.skill --data … --through-database      the same by a real run: loaded, run by the flow, read by SQL
    python -m benchmarks.skill --data … --unseen 0.2            that share of the series is left out of training (cold start)
    python -m benchmarks.skill --data … --many 48000            a panel of that many series, made from the file's with noise
    python -m benchmarks.skill --milk FILE.csv [--seeds N] [--baselines AutoARIMA …]

The file is long: unique_id, ds, y, split (train or test: the last `horizon` months). With --held-out the last months of
the training part stand in for the test part: settings are chosen that way. Naive, seasonal naive and base path always
stand beside; statsforecast's models where they are named (pip install 'milkrun[classic]'). --milk forecasts the 54 months
from June 1971 to November 1975 one month ahead: fitted once on the first 112 months, and refitted every month; statsforecast's
models are refitted every month.

Every contestant works in a process of its own, one after the other. Seconds are those from the data in memory to the
forecasts; the start of the process and its imports are not in them, further processes that a contestant starts are.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import contestants
from benchmarks.contestants import BASELINES, ContestantForecasts
from benchmarks.panels import Task, many, read_milk, read_panel
from benchmarks.scoring import scores, summary, table
from forecasting.domain.recipes import MonthlyRecipe, find_recipe
from forecasting.domain.settings import Settings
from forecasting.domain.vocabulary import STATISTICAL_MODELS
from forecasting.numerics.statistical import check_installed

MANY_MONTHS = 216
Measures = dict[str, float]


def measure(arguments: argparse.Namespace) -> dict[str, Measures]:
    """Let one contestant forecast, in this process, and score it; a run has the baselines that it stored beside."""
    task = read_task(arguments)
    start, cpu = time.perf_counter(), cpu_seconds()
    forecasts = compete(arguments, task)
    costs = {
        "wall": time.perf_counter() - start,
        "cpu": cpu_seconds() - cpu,
        "peak_mib": max(usage.ru_maxrss for usage in usages()) / 1024,
    }
    measures = {name: scores(one, rows) | one.seconds for name, (one, rows) in forecasts.items()}
    if arguments.milk:  # every month is a row of its own there: their errors are one series' errors
        for name, (one, rows) in forecasts.items():
            measures[name]["rmse"] = float(np.sqrt(np.mean((one.values - rows.actual) ** 2)))
    measures[arguments.alone] |= costs
    return measures


def usages() -> list[resource.struct_rusage]:
    """Return what this process and those that it started have used."""
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def cpu_seconds() -> float:
    """Seconds of all cores so far."""
    return sum(usage.ru_utime + usage.ru_stime for usage in usages())


def read_task(arguments: argparse.Namespace) -> Task:
    """Read or make what is to be forecast."""
    if arguments.milk:
        return read_milk(arguments.milk, held_out=arguments.held_out)
    task = read_panel(arguments.data, arguments.horizon, held_out=arguments.held_out)
    return many(task, arguments.many, MANY_MONTHS) if arguments.many else task


def recipe_of(arguments: argparse.Namespace, horizon: int) -> Any:
    """Return the recipe with the settings that were asked for."""
    recipe = find_recipe(arguments.recipe, Settings.from_environment().recipes_folder)
    changes = {name: json.loads(value) for name, value in (pair.split("=", 1) for pair in arguments.set)}
    changes = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
    return replace(recipe, seed=arguments.seed, horizon=horizon, **changes)


def compete(arguments: argparse.Namespace, task: Task) -> dict[str, tuple[ContestantForecasts, Task]]:
    """Return forecasts by name, each with what it forecast."""
    name = arguments.alone
    if arguments.milk:
        months = task.select(np.arange(1, len(task.names)))
        if name in contestants.CONTESTANTS:
            return {name: (contestants.CONTESTANTS[name](name, months), months)}
        recipe = monthly_only(recipe_of(arguments, 1))
        forecasts = (contestants.milk_once if name == "fitted once" else contestants.milk_refitted)(recipe, task)
        return {name: (forecasts.select(np.arange(1, len(task.names))), months)}
    if name in contestants.CONTESTANTS:
        return {name: (contestants.CONTESTANTS[name](name, task), task)}
    recipe = recipe_of(arguments, task.horizon)
    if arguments.through_database:
        return {each: (forecasts, task) for each, forecasts in contestants.by_run(recipe, task, name).items()}
    if not arguments.unseen:
        return {name: (contestants.by_recipe(monthly_only(recipe), task), task)}
    left_out = contestants.cold_start_rows(len(task.names), arguments.unseen, arguments.seed)
    training_rows = np.flatnonzero(~left_out).tolist() if name == "unseen" else None
    forecasts = contestants.by_recipe(monthly_only(recipe), task, training_rows=training_rows)
    rows = np.flatnonzero(left_out)
    return {name: (forecasts.select(rows), task.select(rows))}


def monthly_only(recipe: Any) -> MonthlyRecipe:
    """Return the recipe, or say how another one can be measured."""
    if not isinstance(recipe, MonthlyRecipe):
        sys.exit(
            f"On arrays only recipes of the method monthly are measured, not {recipe.name}: add --through-database."
        )
    return recipe


def names_of(arguments: argparse.Namespace) -> Iterator[tuple[str, bool]]:
    """Name the contestants, and say whether the seed matters to them."""
    if arguments.milk:
        yield from (("fitted once", True), ("refitted monthly", True))
    elif arguments.unseen:
        yield from (("seen", True), ("unseen", True))
    else:
        yield (arguments.recipe, True)
    if not arguments.through_database and not arguments.unseen:
        yield from ((name, False) for name in BASELINES)
    yield from ((name, False) for name in arguments.baselines)


def measure_in_process(
    argument_texts: Sequence[str], arguments: argparse.Namespace, name: str, seed: int
) -> dict[str, Measures]:
    """Measure one contestant in a process of its own, with a home and a database of its own."""
    with tempfile.TemporaryDirectory(prefix="milkrun-benchmark-") as folder:
        Path(folder).chmod(0o755)
        environment = os.environ | {
            "DATABASE_URL": "",
            "PREFECT_HOME": f"{folder}/prefect",
            "PREFECT_LOGGING_LEVEL": "CRITICAL",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        if arguments.through_database:
            environment["MILKRUN_HOME"] = folder
        command = [sys.executable, "-m", "benchmarks.skill", *argument_texts, "--alone", name, "--seed", str(seed)]
        answer = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode != 0:
        sys.exit(f"{name} could not be measured; what it wrote stands above.")
    measures: dict[str, Measures] = json.loads(answer.stdout.splitlines()[-1])
    return measures


def read_arguments(argument_texts: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", type=Path, metavar="FILE")
    what.add_argument("--milk", type=Path, metavar="FILE")
    parser.add_argument("--horizon", type=int, default=18)
    parser.add_argument("--recipe", default="monthly")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--baselines", nargs="+", default=[], choices=STATISTICAL_MODELS)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--unseen", type=float, metavar="SHARE")
    parser.add_argument("--many", type=int, metavar="SERIES")
    parser.add_argument("--through-database", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=JSON", help="another value of a setting")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argument_texts)
    if arguments.milk and (arguments.unseen or arguments.many or arguments.through_database):
        parser.error("--milk goes with --seeds, --baselines, --held-out, --set and --json alone")
    if arguments.unseen is not None and not 0 < arguments.unseen < 1:
        parser.error("--unseen is a share between 0 and 1")
    if arguments.unseen is not None and arguments.through_database:
        parser.error("--unseen is measured on arrays: leave --through-database out")
    return arguments


def main(argument_texts: Sequence[str] | None = None) -> None:
    """Measure every contestant and print the table; given: arguments instead of the program's own."""
    argument_texts = sys.argv[1:] if argument_texts is None else argument_texts
    arguments = read_arguments(argument_texts)
    if arguments.alone:
        print(json.dumps(measure(arguments)))
        return
    if arguments.baselines:
        check_installed()
    runs: dict[str, list[Measures]] = {}
    for name, by_seed in names_of(arguments):
        for seed in range(1, arguments.seeds + 1 if by_seed else 2):
            for each, measures in measure_in_process(argument_texts, arguments, name, seed).items():
                runs.setdefault(each, []).append(measures)
    results = {name: summary(measures) for name, measures in runs.items()}
    print(json.dumps({"seeds": arguments.seeds, "results": results}) if arguments.json else table(results))


if __name__ == "__main__":
    main()
