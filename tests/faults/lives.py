"""Lives: Hypothesis draws what happens to an installation, step by step, and looks at everything after each step.

    python -m tests.faults.lives [--lives N] [--steps N] [--steady] [--naive]

Months arrive and are revised, runs and backfills are made, networks are put in charge, the past is pruned, the tables are
migrated; each by a process that is killed with -9 at a drawn statement, or by three at once, or in peace. After each step:
each series of a published run has exactly one outcome, what was published stays, no request is published twice, a reader
sees whole runs only, a load is there whole or not at all, and every forecast that is published is computed again to the
same bits. With --naive runs are published before their rows are written: that must be found.
"""

import argparse
import contextlib
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Literal

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.vocabulary import Kind, Retrain
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import open_file
from forecasting.intake.loads import load_observations
from forecasting.operations import promotions as orders
from forecasting.operations.verification import replay_run
from forecasting.runs import job
from forecasting.runs.backfill import plan_backfill
from forecasting.storage import pruning
from forecasting.storage.db.database import Database, create_engine
from forecasting.storage.db.schema import migrate
from tests.coming_release import coming_release
from tests.faults.processes import GAVE_UP, at, end, kill_oneself, start
from tests.faults.records import Records, values_known
from tests.faults.stories import FIRST, ORIGIN, RECIPE, SHARD, take, write_arrival
from tests.faults.trials import FAULTS, World, running_worlds
from tests.faults.verdicts import has_failed

LAST = Month.of(1975, 12)
MOMENTS = st.none() | st.integers(1, 160)  # before or after which statement, COPY or commit the process is killed
RETRAIN: st.SearchStrategy[Retrain] = st.sampled_from(["auto", "auto", "always"])
Values = dict[tuple[str, Month], float]


class Life(RuleBasedStateMachine):
    """One installation, from its first migration on."""

    world: ClassVar[World]
    counted: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._open = contextlib.ExitStack()
        self.url = self.world.server.of(self._open.enter_context(self.world._clone("template0")))
        self.database = Database(create_engine(self.url), "the database of a life")
        self._open.callback(self.database.engine.dispose)
        self.records, self.known, self.newest, self.migrations, self.pruned = Records(), Values(), ORIGIN, 0, False

    @initialize(moment=MOMENTS)
    def begin(self, moment: int | None) -> None:
        """Make the tables, perhaps in two goes, and load what is known."""
        self._do("migrate", migrate, moment)
        self._do("migrate", migrate, None)
        self._load(FIRST, ORIGIN, None)

    @precondition(lambda self: self.newest < LAST)
    @rule(months=st.integers(1, 3), moment=MOMENTS)
    def months_arrive(self, months: int, moment: int | None) -> None:
        """Load the next months, a row that is no number among them."""
        self._load(self.newest + 1, min(self.newest + months, LAST), moment)

    @rule(series=st.integers(0, 9), back=st.integers(0, 30), value=st.integers(-900, 900), moment=MOMENTS)
    def revise(self, series: int, back: int, value: int, moment: int | None) -> None:
        """Load another value of a month that is known."""
        place = f"region {series}", self.newest - back
        self._arrive({place: float(value)}, f"{place[0]},{place[1]},{value}\n", moment)

    @rule(months=st.integers(0, 2), retrain=RETRAIN, at_once=st.sampled_from([1, 1, 1, 3]), moment=MOMENTS)
    def run(self, months: int, retrain: Retrain, at_once: int, moment: int | None) -> None:
        """Make the live run of what is known, or of the next months, perhaps in three processes at once.

        Killed before, it goes on where it ended.
        """
        if months and self.newest < LAST:
            self._load(self.newest + 1, min(self.newest + months, LAST), None)
        self._live(retrain, at_once, moment)

    @rule(
        back=st.integers(0, 6),
        months=st.integers(1, 2),
        again=st.sampled_from(["none", "failed", "completed"]),
        moment=MOMENTS,
    )
    def backfill(
        self, back: int, months: int, again: Literal["none", "failed", "completed"], moment: int | None
    ) -> None:
        """Make runs of past origins, or make them again beside what is there."""
        first = self.newest - back
        asked = job.RunParameters(recipe=RECIPE, policy=Policy(), kind=Kind.BACKFILL, shard_size=SHARD)

        def act(database: Database) -> None:
            for step in plan_backfill(database, asked, first, min(first + months, self.newest), again):
                if step.to_do:
                    self._take(database, step.parameters)

        self._do("backfill", act, moment)

    @rule(order=st.sampled_from([orders.rollback, orders.promote]), moment=MOMENTS)
    def put_in_charge(self, order: Callable[..., object], moment: int | None) -> None:
        """Train a network in the next month's run, and put an earlier one in charge, or one that was refused, if any was."""
        if self.newest < LAST:
            self._live("auto", 1, None)
            self._load(self.newest + 1, self.newest + 1, None)
            self._live("always", 1, None)
        self._do("order", lambda database: order(database, None, why="drawn", made_by="a life"), moment, GAVE_UP)

    @rule(moment=MOMENTS)
    def prune(self, moment: int | None) -> None:
        """Remove all that may be removed, however young."""
        now = datetime.now(UTC)
        self._do("prune", lambda database: database.write(lambda c: pruning.prune(c, now)), moment)
        self.pruned = True

    @precondition(lambda self: self.migrations < 3)
    @rule(moment=MOMENTS)
    def migrate(self, moment: int | None) -> None:
        """Go up to a coming release and down again, then put this one's views in place, perhaps in two goes."""
        self.migrations += 1
        with tempfile.TemporaryDirectory(prefix="milkrun-life-") as folder, coming_release(Path(folder)):
            self._do("upgrade", migrate, None)
            self._do("downgrade", lambda database: migrate(database, "-1"), None)
        self._do("migrate", migrate, moment)
        self._do("migrate", migrate, None)

    @invariant()
    def everything_is_in_order(self) -> None:
        """Look at what is published, and compute what is new again."""
        if not self.known:
            return
        with self.database.reading() as connection:
            new = self.records.look(connection)
        for run_id in new:
            self._verify(run_id)
        self.counted["runs published"] += len(new)

    def teardown(self) -> None:
        """Compute all that was ever published again, and leave nothing behind."""
        for run_id in self.records.said:
            self._verify(run_id)
        self._open.close()

    def _live(self, retrain: Retrain, at_once: int, moment: int | None) -> None:
        def act(database: Database) -> None:
            self._take(database, job.RunParameters(recipe=RECIPE, policy=Policy(retrain=retrain), shard_size=SHARD))

        others = [start(self.url, act) for _ in range(at_once - 1)]
        self._do("run", act, moment)
        assert all(end(child) == 0 for child in others)

    def _take(self, database: Database, asked: job.RunParameters) -> None:
        take(database, asked)

    def _verify(self, run_id: int) -> None:
        found = replay_run(self.database, job.read_run(self.database, run_id))
        assert found.mismatches == 0, found.largest
        lost = [why for why in found.failures if "removed by milkrun prune" not in why]
        assert not lost, lost
        assert self.pruned or not found.failures
        self.counted["forecasts computed again"] += found.compared_count

    def _load(self, first: Month, last: Month, moment: int | None) -> None:
        with tempfile.TemporaryDirectory(prefix="milkrun-life-") as folder:
            file = Path(folder) / "arrival.csv"
            write_arrival(file, first, last)
            lines = file.read_text().splitlines()[1:]
        cells = [line.split(",") for line in lines if not line.endswith("unknown")]
        values = {(name, Month.parse(month)): float(value) for name, month, value in cells}
        if self._arrive(values, "\n".join([*lines, ""]), moment):
            self.newest = last

    def _arrive(self, values: Values, rows: str, moment: int | None) -> bool:
        """Load rows and say whether they came: all of them, or none where the process was killed."""

        def act(database: Database) -> None:
            with tempfile.TemporaryDirectory(prefix="milkrun-life-") as folder:
                file = Path(folder) / "arrival.csv"
                file.write_text(f"series,month,value\n{rows}")
                load_observations(database, open_file(file, ColumnRoles()), source="arrival.csv", today=LAST)

        killed = self._do("load", act, moment)
        with self.database.reading() as connection:
            found = values_known(connection)
        came = found == self.known | values
        assert came or (killed and found == self.known), "a load is there in part"
        self.known = found
        return came

    def _do(self, what: str, act: Callable[[Database], object], moment: int | None, *allowed: int) -> bool:
        """Let a process do something, killed at a moment where one is given; say whether it was killed."""

        def work(database: Database) -> None:
            act(database)

        ended = end(start(self.url, work, at(moment, kill_oneself) if moment else None))
        killed = moment is not None and ended == -signal.SIGKILL
        assert killed or ended in (0, *allowed), f"{what} ended with {ended}"
        self.counted[f"{what}: {'killed' if killed else 'refused' if ended else 'done'}"] += 1
        return killed


class NaiveLife(Life):
    """The control arm: runs are visible from the start, and their rows follow."""

    def _take(self, database: Database, asked: job.RunParameters) -> None:
        opened = job.open_run(database, asked)
        flip = "UPDATE milkrun.run SET state = 'published', published_at = now() WHERE run_id = :id AND state = 'open'"
        database.write(lambda connection: connection.execute(text(flip), {"id": opened.run_id}))
        job.prepare_global_networks(database, opened)
        for number in opened.request.shard_numbers:
            job.run_shard(database, opened, number)


def main() -> int:
    """Live so many lives and print what was in them; 1 where something was not in order, or no process was killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.lives", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--lives", type=int, default=40)
    parser.add_argument("--steps", type=int, default=30, help="of each life, at most")
    parser.add_argument("--steady", action="store_true", help="draw the same lives every time")
    parser.add_argument("--naive", action="store_true", help="the control arm, which must fail")
    asked = parser.parse_args()
    limits = settings(
        max_examples=asked.lives,
        stateful_step_count=asked.steps,
        derandomize=asked.steady,
        database=None,
        deadline=None,
        print_blob=not asked.steady,
        report_multiple_bugs=not asked.naive,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate] if asked.naive else [Phase.generate, Phase.shrink],
    )
    with running_worlds() as worlds:
        Life.world = worlds(FAULTS[0])  # that of kills
        run_state_machine_as_test(NaiveLife if asked.naive else Life, settings=limits)
    print("\n".join(f"{count:8,} {what}" for what, count in sorted(Life.counted.items())))
    killed = sum(count for what, count in Life.counted.items() if what.endswith(": killed"))
    return int(has_failed("kills in lives", trials=asked.lives, met=killed, failures=0))


if __name__ == "__main__":
    sys.exit(main())
