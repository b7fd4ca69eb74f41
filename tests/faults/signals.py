"""Commands that SIGTERM or SIGHUP ends at any time, on an embedded database of their own.

    python -m tests.faults.signals [--trials N] [--command WORD …] [--seed N] [--naive]

In each trial a load, a run, a query or a backfill is sent a signal at a random moment, alone or with its whole group, as a
service manager or a terminal does. It must end by itself, and with it every process of its data folder. Then the command is
repeated in peace: the rows must be those of undisturbed work. With --naive the command has no handlers: its remains must be
noticed.
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
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from forecasting.domain.settings import Settings
from forecasting.storage.db.database import open_database
from forecasting.storage.db.schema import ensure_migrated
from tests.faults import rows
from tests.faults.rows import Lines
from tests.faults.verdicts import has_failed
from tests.processes import commands_of, processes_of

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
COMMANDS = {
    "load": ("load", "forecasting/examples/milk.csv"),
    "run": ("run", "--retrain", "always"),
    "sql": ("sql", "SELECT pg_sleep(2), count(*) FROM observation"),
    "backfill": ("backfill", "--start", "1975-08", "--end", "1975-10", "--yes"),
}
_PROGRAM = "from forecasting.cli import main; main()"
_NAIVE_PROGRAM = f"import forecasting.cli; forecasting.cli.stop_on_signals = lambda: None; {_PROGRAM}"
_MOST_SECONDS = 60.0  # for an end; it takes about one


@dataclass(frozen=True)
class Undisturbed:
    """What a command finds and leaves where nothing disturbs it; seconds: how long it takes."""

    before: Path
    stored: Lines
    seconds: float


def start(home: Path, command: tuple[str, ...], program: str = _PROGRAM) -> "subprocess.Popen[bytes]":
    """Start a command on the embedded database of a data folder, in a group of its own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
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
    """Return every row on record, without the numbers that Prefect gives its runs."""
    with open_database(Settings(home)) as database, database.reading() as connection:
        flow_runs = set(connection.exec_driver_sql("SELECT prefect_flow_run_id FROM milkrun.run").scalars())
        lines = rows.stored(connection)
    counts: Lines = Counter()
    for line, count in lines.items():
        for flow_run in flow_runs - {None}:
            line = line.replace(str(flow_run), "flow run")
        counts[line] += count
    return counts


def prepare(folder: Path, name: str) -> Undisturbed:
    """Make the data folder that a command begins with, and do it once in peace on a copy."""
    before = folder / f"{name}-before"
    (before / "recipes").mkdir(parents=True)
    (before / "recipes" / "quick.toml").write_text('base = "classic"\nepochs = 2\n')
    with open_database(Settings(before)) as database:
        ensure_migrated(database)
    if name != "load":
        assert start(before, COMMANDS["load"]).wait() == 0
    after = copy(before, folder / f"{name}-after")
    began = time.monotonic()
    assert start(after, COMMANDS[name]).wait() == 0
    return Undisturbed(before, stored(after), time.monotonic() - began)


def copy(home: Path, other: Path) -> Path:
    """Copy a data folder whose server is stopped, with owners and rights; returns the copy."""
    subprocess.run(["cp", "-a", home, other], check=True)  # noqa: S607 - wherever the system has it
    return other


def trial(home: Path, name: str, known: Undisturbed, number: signal.Signals, draw: random.Random, program: str) -> str:
    """Send a signal to a command and repeat it; returns what went wrong, or `finished` where it had ended before."""
    process = start(home, COMMANDS[name], program)
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
    if start(home, COMMANDS[name]).wait() != 0:
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
    parser.add_argument("--trials", type=int, default=100, help="of each signal, over all commands")
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
