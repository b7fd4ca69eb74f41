"""Inject faults and print what became of the rows.

    python -m tests.faults [--trials N] [--fault WORD …] [--seed N] [--json] [--soak MINUTES] [--series N]

Each trial has a database of its own, cloned from one that is ready; a process is forked that does a story (load, run
that trains, run that reuses, backfill, migrate), is disturbed, and the work is done again. Then every row of every table
is compared with undisturbed work, and at each pause a reader looks for half of anything. The control arm is a writer
that looks before it inserts, in three transactions: it must fail.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from tests.faults import small_disk, stories
from tests.faults.trials import FAULTS, Count, Fault, Worlds, run_all, running_worlds
from tests.faults.verdicts import has_failed

_COLUMNS = ("trials", "met", "lost", "doubled", "half_seen", "unlike")


def main() -> int:
    """Print a table of faults; 1 where a row was lost, doubled or half seen, a control arm did not fail, or no trial met."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--trials", type=int, help="of each fault, over all stories; else as many as the fault has")
    parser.add_argument("--fault", action="append", help="only faults whose name holds this; may be repeated")
    parser.add_argument("--seed", type=int, default=None, help="drawn where none is given, and printed")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="mixed faults for so long instead")
    parser.add_argument("--series", type=int, default=stories.SERIES, help="of the panel, in three shards")
    asked = parser.parse_args()
    stories.SERIES, stories.SHARD = asked.series, -(-asked.series // 3)
    seed = random.randrange(2**32) if asked.seed is None else asked.seed  # noqa: S311 - any number will do
    faults = [fault for fault in FAULTS if any(word in fault.name for word in asked.fault or [""])]
    if not faults:
        parser.error(f"no fault is named so; there are: {', '.join(fault.name for fault in FAULTS)}")
    bad = False
    told: dict[str, dict[str, int]] = {}
    why_not = small_disk.why_not() if any(fault.small_disk for fault in faults) else ""
    left_out = {fault.name: why_not for fault in faults if fault.small_disk and why_not}
    faults = [fault for fault in faults if fault.name not in left_out]
    with running_worlds() as worlds:
        if asked.soak:
            bad, told = soak(worlds, faults, asked.soak, seed)
        else:
            for fault, real, control in run_all(worlds, faults, asked.trials, seed):
                bad |= _has_failed(fault.name, real) or (fault.naive_fails and control.failures == 0)
                told[fault.name] = {**asdict(real), "control_trials": control.trials, "control": control.failures}
                if not asked.json:
                    show(told, seed, fault.name)
    if asked.json:
        print(json.dumps({"seed": seed, "faults": told, "left_out": left_out}))
    elif asked.soak:
        for name in told:
            show(told, seed, name)
    if not asked.json:
        for name, reason in left_out.items():
            print(f"{name:36}NOT TRIED: {reason}")
    return int(bad)


def soak(worlds: Worlds, faults: Sequence[Fault], minutes: float, seed: int) -> tuple[bool, dict[str, dict[str, int]]]:
    """Draw fault and story anew until the time is over."""
    draw = random.Random(seed)  # noqa: S311 - the same order every time
    counts = {fault.name: Count() for fault in faults}
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        fault = draw.choice(faults)
        worlds(fault).trial(fault, draw.choice(fault.stories), draw.randrange(10**6), seed, counts[fault.name])
    told = {name: {**asdict(count), "control_trials": 0, "control": 0} for name, count in counts.items()}
    return any(_has_failed(name, count) for name, count in counts.items() if count.trials), told


def _has_failed(name: str, count: Count) -> bool:
    return has_failed(name, trials=count.trials, met=count.met, failures=count.failures)


def show(told: dict[str, dict[str, int]], seed: int, name: str) -> None:
    """Print one line of the table, and its head before the first."""
    if next(iter(told)) == name:
        head = ("trials", "met", "lost", "doubled", "half seen", "unlike", "control arm")
        print(f"seed {seed}\n{'fault':36}" + "".join(f"{word:>12}" for word in head))
    row = told[name]
    control = f"{row['control']}/{row['control_trials']}" if row["control_trials"] else "-"
    print(f"{name:36}" + "".join(f"{row[column]:>12}" for column in _COLUMNS) + f"{control:>12}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
