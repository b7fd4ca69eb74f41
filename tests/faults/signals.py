"""Commands that SIGTERM or SIGHUP ends at any time, on an embedded database of their own.

    python -m tests.faults.signals [--trials N] [--command WORD …] [--seed N] [--naive]

In each trial a load, a run, a query, a backfill, a rollback, a promotion, a pruning or a report is sent a signal at a random
moment, alone or with its whole group, as a service manager or a terminal does. It must end by itself, and with it every
process of its data folder. Rows and page of the last four must then be those before or those after undisturbed work. Then the
command is repeated in peace: the rows must be those of undisturbed work. With --naive the command has no
handlers: its remains must be noticed.
"""

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, text

from forecasting.domain.settings import Settings
from forecasting.storage.db.database import open_database
from forecasting.storage.db.schema import ensure_migrated
from tests.faults import rows
from tests.faults.rows import Lines
from tests.faults.verdicts import has_failed
from tests.processes import commands_of, processes_of

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
_LOAD, _LAST_RUN = ("load", "forecasting/examples/milk.csv"), ("run", "--retrain", "always")
_ROLLBACK = ("rollback", "milk", "--why", "a trial")
_TWO_RUNS = (("load", "{folder}/beginning.csv"), ("run",), _LOAD, _LAST_RUN)
COMMANDS = {
    "load": _LOAD,
    "run": _LAST_RUN,
    "sql": ("sql", "SELECT pg_sleep(2), count(*) FROM observation"),
    "backfill": ("backfill", "--start", "1975-08", "--end", "1975-10", "--yes"),
    "rollback": _ROLLBACK,
    "promote": ("promote", "milk", "--why", "a trial", "--bundle", "{bundle}"),
    "prune": ("prune", "--yes"),
    "report": ("report", "--out", "{home}/page"),
}
_READY: dict[str, tuple[tuple[str, ...], ...]] = {  # what was done before; of others: a load
    "load": (),
    "rollback": _TWO_RUNS,
    "promote": (*_TWO_RUNS, _ROLLBACK),
    "prune": _TWO_RUNS,
    "report": (*_TWO_RUNS, ("report", "--run", "1", "--out", "{home}/page")),
}
_ONE_STEP = ("rollback", "promote", "prune", "report")  # done or not done
_REFUSED = 4  # what was ordered before
_PROGRAM = "from forecasting.cli import main; main()"
_NAIVE_PROGRAM = f"import forecasting.cli; forecasting.cli.stop_on_signals = lambda: None; {_PROGRAM}"
_MOST_SECONDS = 60.0  # for an end; it takes about one


@dataclass(frozen=True)
class Undisturbed:
    """What a command finds and leaves where nothing disturbs it; seconds: how long it takes."""

    command: tuple[str, ...]
    before: Path
    stored_before: Lines
    stored: Lines
    seconds: float


def start(home: Path, command: tuple[str, ...], program: str = _PROGRAM) -> "subprocess.Popen[bytes]":
    """Start a command on the embedded database of a data folder, in a group of its own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    command = tuple(word.replace("{home}", str(home)).replace("{folder}", str(home.parent)) for word in command)
    environment = {**own, "MILKRUN_HOME": str(home), "DATABASE_URL": "", "MILKRUN_RECIPE": "quick", "DO_NOT_TRACK": "1"}
    line = [sys.executable, "-c", program, *command]
    output = subprocess.DEVNULL
    return subprocess.Popen(
        line,
        env=environment,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # these trials may run under nohup themselves
    )


def stored(home: Path) -> Lines:
    """Return every row on record, without the numbers that Prefect gives its runs, and every file of the page."""
    with open_database(Settings(home)) as database, database.reading() as connection:
        flow_runs = set(connection.exec_driver_sql("SELECT prefect_flow_run_id FROM milkrun.run").scalars())
        lines = rows.stored(connection)
    counts: Lines = Counter()
    for line, count in lines.items():
        for flow_run in flow_runs - {None}:
            line = line.replace(str(flow_run), "flow run")
        counts[line] += count
    return counts + (rows.page_files(home / "page") if (home / "page").exists() else Lines())


def prepare(folder: Path, name: str) -> Undisturbed:
    """Make the data folder that a command begins with, and do it once in peace on a copy."""
    (folder / "beginning.csv").write_text("\n".join(Path(_LOAD[1]).read_text().splitlines()[:-1]) + "\n")
    before = copy(make_ready(folder, _READY.get(name, (_LOAD,))), folder / f"{name}-before")
    with open_database(Settings(before)) as database:
        bundle = database.write(age_runs) or ""
    command = tuple(word.replace("{bundle}", bundle) for word in COMMANDS[name])
    stored_before = stored(before)
    after = copy(before, folder / f"{name}-after")
    began = time.monotonic()
    assert start(after, command).wait() == 0
    seconds = time.monotonic() - began
    known = Undisturbed(command, before, stored_before, stored(after), seconds)
    assert name not in _ONE_STEP or known.stored != stored_before, f"{name} changes nothing"
    return known


def make_ready(folder: Path, commands: tuple[tuple[str, ...], ...]) -> Path:
    """Return a data folder on which commands were done; those that begin alike share the beginning."""
    home = folder / f"ready-{zlib.crc32(repr(commands).encode())}"
    if home.exists():
        return home
    if commands:
        copy(make_ready(folder, commands[:-1]), home)
        assert start(home, commands[-1]).wait() == 0
    else:
        (home / "recipes").mkdir(parents=True)
        (home / "recipes" / "quick.toml").write_text('base = "classic"\nepochs = 2\n')
        with open_database(Settings(home)) as database:
            ensure_migrated(database)
    return home


def age_runs(connection: Connection) -> str | None:
    """Move all runs years into the past, so that they may be pruned, and return the bundle of the newest one."""
    connection.execute(
        text("UPDATE milkrun.run SET (started_at, published_at) = (started_at - :age, published_at - :age)"),
        {"age": timedelta(days=5 * 365)},
    )
    bundle: str | None = connection.scalar(
        text("SELECT bundle_id FROM milkrun.run_series ORDER BY run_id DESC LIMIT 1")
    )
    return bundle


def copy(home: Path, other: Path) -> Path:
    """Copy a data folder whose server is stopped, with owners and rights; returns the copy."""
    subprocess.run(["cp", "-a", home, other], check=True)  # noqa: S607 - wherever the system has it
    return other


def trial(home: Path, name: str, known: Undisturbed, number: signal.Signals, draw: random.Random, program: str) -> str:
    """Send a signal to a command and repeat it; returns what went wrong, or `finished` where it had ended before."""
    process = start(home, known.command, program)
    time.sleep(draw.uniform(0, known.seconds))
    has_met = process.poll() is None
    if has_met:
        (os.killpg if draw.random() < 0.5 else os.kill)(process.pid, number)
    try:
        code = process.wait(_MOST_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return "did not end"
    if remains := commands_of(home):
        return f"left {remains}"
    if code not in (0, -number, 128 + number):
        return f"ended with {code}"
    if name in _ONE_STEP and stored(home) not in (known.stored_before, known.stored):
        return "is done in part"
    if start(home, known.command).wait() not in ((0, _REFUSED) if name in ("rollback", "promote") else (0,)):
        return "could not be repeated"
    difference = stored(home) - known.stored + (known.stored - stored(home))
    return f"differs in {sorted(difference)[:2]}" if difference else "" if has_met and code else "finished"


def stop_remains(home: Path) -> None:
    """End what a trial left, so that the next one begins in peace."""
    for process in processes_of(home):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def main() -> int:
    """Play the trials and print a line for each command and signal; 1 where one left a process or other rows, or none met."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.signals", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--trials", type=int, default=200, help="of each signal, over all commands")
    parser.add_argument("--command", action="append", choices=COMMANDS, help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--naive", action="store_true", help="the control arm, which must fail")
    options = parser.parse_args()
    names = options.command or list(COMMANDS)
    bad = False
    with tempfile.TemporaryDirectory(prefix="milkrun-signals-") as folder_name:
        folder = Path(folder_name)
        folder.chmod(0o755)
        for name in names:
            known = prepare(folder, name)
            for number in SIGNALS:
                count = -(-options.trials // len(names))
                ends = Counter[str]()
                for index in range(count):
                    draw = random.Random(f"{options.seed} {name} {number} {index}")  # noqa: S311 - the same every time
                    home = copy(known.before, folder / f"{name}-{number.name}-{index}")
                    wrong = trial(home, name, known, number, draw, _NAIVE_PROGRAM if options.naive else _PROGRAM)
                    ends[wrong if wrong in ("", "finished") else "wrong"] += 1
                    if wrong not in ("", "finished"):
                        print(f"{name}, {number.name}, trial {index}, seed {options.seed}: {wrong}", flush=True)
                        stop_remains(home)
                    shutil.rmtree(home, ignore_errors=True)
                series = f"{number.name} at any time, {name}"
                print(
                    f"{series}: {count} trials (seed {options.seed}), {ends['']} met, {ends['wrong']} left something",
                    flush=True,
                )
                bad |= has_failed(series, trials=count, met=ends[""] + ends["wrong"], failures=ends["wrong"])
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
