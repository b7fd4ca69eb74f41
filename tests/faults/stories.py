"""The work that faults are injected into: the real program's, and that of a naive writer as the control arm.

The recipe's networks are tiny ones that all series share, trained in NumPy: a process that has none but this may be
forked, three times a second, from one that has imported everything.
"""

import importlib.resources
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from forecasting.domain.errors import PassingFailure
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import MonthlyRecipe
from forecasting.domain.vocabulary import Kind
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import open_file
from forecasting.intake.loads import load_observations
from forecasting.runs import job
from forecasting.runs.backfill import plan_backfill
from forecasting.storage.db.database import Database
from forecasting.storage.db.schema import migrate
from tests.faults import rows
from tests.faults.rows import Lines

RECIPE = MonthlyRecipe(
    name="tiny", horizon=3, windows=(12,), emphasis=(0.5,), judges=1, units=2, updates=3, batch_size=8, shared_from=4
)
FIRST, ORIGIN = Month.of(1966, 1), Month.of(1971, 10)
SERIES, SHARD = 12, 4

Act = Callable[[Database], None]


@dataclass(frozen=True)
class Story:
    """Work on a database that was made ready; doing it again must change nothing.

    says: every row that the work leaves. sees: what a reader has before him at any moment, each part whole or not there.
    """

    name: str
    ready: tuple[Act, ...]
    act: Act
    says: Callable[[Connection], Lines] = rows.stored
    sees: Callable[[Connection], Lines] = field(default=rows.visible)


def write_arrival(file: Path, first: Month, last: Month) -> None:
    """Write what arrives with the months from `first` to `last`: whole series, a constant, a late one and a bad row."""
    text_lines = importlib.resources.files("forecasting.examples").joinpath("milk.csv").read_text().splitlines()[1:]
    milk = {Month.parse(line[:7]): float(line[8:]) for line in text_lines}
    lines = ["series,month,value"]
    for month in (first + step for step in range(last - first + 1)):
        lines += [f"region {number},{month},{milk[month] + number}" for number in range(SERIES - 2)]
        lines += [f"salt,{month},5"]
        lines += [f"whey,{month},{2 * milk[month]}"] if month <= ORIGIN - 6 else []
    file.write_text("\n".join([*lines, f"region 0,{last},unknown", ""]))


def load(first: Month, last: Month) -> Act:
    """Load those months as one load."""

    def act(database: Database) -> None:
        with tempfile.TemporaryDirectory(prefix="milkrun-fault-") as folder:
            file = Path(folder) / "arrival.csv"
            write_arrival(file, first, last)
            source = open_file(file, ColumnRoles())
            load_observations(database, source, source="arrival.csv", sha256=source.sha256, today=Month.of(2000, 1))

    return act


def run(database: Database) -> None:
    """Take all steps of a live run from the newest month."""
    take(database, job.RunParameters(recipe=RECIPE, policy=Policy(), shard_size=SHARD))


def backfill(database: Database) -> None:
    """Backfill two past origins."""
    asked = job.RunParameters(recipe=RECIPE, policy=Policy(), kind=Kind.BACKFILL, shard_size=SHARD)
    for step in plan_backfill(database, asked, ORIGIN - 2, ORIGIN - 1, "none"):
        if step.to_do:
            take(database, step.parameters)


def take(database: Database, asked: job.RunParameters) -> None:
    """Take all steps of a run, in order, as the flows do."""
    opened = job.open_run(database, asked)
    if opened.state == "published":
        return
    job.prepare_global_networks(database, opened)
    for number in opened.request.shard_numbers:
        job.run_shard(database, opened, number)
    job.publish_run(database, opened)


def make_naive_table(database: Database) -> None:
    """Make the table that a naive writer would have."""
    database.write(
        lambda connection: connection.execute(text("CREATE TABLE naive (origin date, month int, value float)"))
    )


def write_naively(database: Database) -> None:
    """Look whether the forecasts are there, else insert them, in three transactions, the last one to be found by."""
    try:
        with database.engine.begin() as connection:
            if connection.scalar(text("SELECT 1 FROM naive WHERE month = 3 LIMIT 1")):
                return
        for month in (1, 2, 3):
            time.sleep(0.05)  # as its forecasts would take
            with database.engine.begin() as connection:
                connection.execute(text(_INSERT), {"month": month})
    except DBAPIError as failure:  # whatever it was, it begins again, as a simple scheduler would have it
        raise PassingFailure(str(failure)) from None


_INSERT = "INSERT INTO naive SELECT '1971-10-01', :month, value FROM generate_series(1, 2000) AS value"


_KNOWN: tuple[Act, ...] = (migrate, load(FIRST, ORIGIN))
LOAD = Story("load", (migrate,), load(FIRST, ORIGIN))
RUN = Story("run that trains", _KNOWN, run)
AGAIN = Story("run that reuses", (*_KNOWN, run, load(ORIGIN + 1, ORIGIN + 1)), run)
BACKFILL = Story("backfill", _KNOWN, backfill)
MIGRATE = Story("migrate", (), migrate, rows.structure, lambda _connection: Lines())
NAIVE = Story("naive writer", (make_naive_table,), write_naively, rows.naive, rows.naive_visible)
STORIES = (LOAD, RUN, AGAIN, BACKFILL, MIGRATE)
