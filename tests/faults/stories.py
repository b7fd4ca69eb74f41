"""The work that faults are injected into: the real program's, and that of a naive writer as the control arm.

The recipe's networks are tiny ones that all series share, trained in NumPy: a process that has none but this may be
forked, three times a second, from one that has imported everything.
"""

import atexit
import importlib.resources
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from forecasting.domain.errors import PassingFailure, RunRefused
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import MonthlyRecipe
from forecasting.domain.vocabulary import Kind
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import open_file
from forecasting.intake.loads import load_observations
from forecasting.intake.pulls import PullContext, pull_source
from forecasting.intake.source_settings import SourceSettings
from forecasting.operations import promotions as orders
from forecasting.operations.deliveries import DeliverySettings, deliver, undelivered_runs
from forecasting.operations.run_report import report_run
from forecasting.runs import job
from forecasting.runs.backfill import plan_backfill
from forecasting.storage import promotions, pruning
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


def run_with_new_networks(database: Database) -> None:
    """Take all steps of a live run that trains, whatever there is."""
    take(database, job.RunParameters(recipe=RECIPE, policy=Policy(retrain="always"), shard_size=SHARD))


def begin_run(database: Database) -> None:
    """Open a live run and write one of its shards."""
    opened = job.open_run(database, job.RunParameters(recipe=RECIPE, policy=Policy(retrain="always"), shard_size=SHARD))
    job.prepare_global_networks(database, opened)
    job.run_shard(database, opened, 0)


def _order(make: Callable[[], object]) -> None:
    """Give an order, which is refused where it was given before."""
    try:
        make()
    except RunRefused as refusal:
        if "in charge already" not in str(refusal):
            raise


def roll_back(database: Database) -> None:
    """Put the networks before the present ones in charge."""
    _order(lambda: orders.rollback(database, None, why="a trial", made_by="a trial"))


def promote(database: Database) -> None:
    """Put the networks that made the newest forecasts in charge again."""
    with database.reading() as connection:
        newest = promotions.read_bundle_uses(connection, None)[0].bundle_id
    _order(lambda: orders.promote(database, None, why="a trial", made_by="a trial", bundle=newest))


def prune(database: Database) -> None:
    """Remove all that may be removed, however young, as the command does."""
    now = datetime.now(UTC)
    with database.reading() as connection:
        prunable = pruning.find_prunable(connection, now)
    if prunable:
        database.write(lambda connection: pruning.prune(connection, now))


def report(run_id: int | None = None) -> Act:
    """Write the page of a run, or of the newest one, into the folder of a database's page."""

    def act(database: Database) -> None:
        report_run(database, run_id, rows.page_folder(str(database.engine.url.database)))

    return act


def pull(last: Month) -> Act:
    """Pull a source that has the months up to one."""
    source = SourceSettings("shop", url_from="SHOP_URL", query="SELECT * FROM sales", overlap=3)

    def act(database: Database) -> None:
        file = _SHOPS / f"{last}.db"
        if not file.exists():
            _write_shop(file, last)
        pull_source(database, source, PullContext(_MOMENT, "UTC", "ada", None, lambda _: f"sqlite:///{file}"))

    return act


def _write_shop(file: Path, last: Month) -> None:
    """Write the source of a pull, whole or not at all: several processes may do so at once."""
    file.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        arrival, shop = Path(folder, "arrival.csv"), Path(folder, "shop.db")
        write_arrival(arrival, FIRST, last)
        connection = sqlite3.connect(shop)
        connection.execute("CREATE TABLE sales (series text, month text, value text)")
        lines = arrival.read_text().splitlines()[1:-1]
        connection.executemany("INSERT INTO sales VALUES (?, ?, ?)", [line.split(",") for line in lines])
        connection.commit()
        connection.close()
        shop.replace(file)


def deliver_run(database: Database) -> None:
    """Deliver the newest run to two tables of the same database."""
    url = database.engine.url.render_as_string(hide_password=False)
    settings = DeliverySettings("shelf", url_from="SHELF_URL", table="public.shelf")
    for each in undelivered_runs(database, settings):
        deliver(database, settings, each, made_by="ada", find_url=lambda _: url)


_MOMENT = datetime(1972, 1, 10, tzinfo=UTC)
_SHOPS = (
    Path(tempfile.gettempdir()) / f"milkrun-shops-{os.getpid()}"
)  # forked processes have it from the one that forked
atexit.register(shutil.rmtree, _SHOPS, ignore_errors=True)


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

_TRAINED_THRICE: tuple[Act, ...] = (
    *_KNOWN,
    run,
    *(step for months in (1, 2) for step in (load(ORIGIN + months, ORIGIN + months), run_with_new_networks)),
)
ROLLBACK = Story("rollback", _TRAINED_THRICE, roll_back, sees=rows.all_at_once)
PROMOTE = Story("promote", (*_TRAINED_THRICE, roll_back), promote, sees=rows.all_at_once)
PRUNE = Story("prune", (*_TRAINED_THRICE, load(ORIGIN + 3, ORIGIN + 3), begin_run), prune, sees=rows.all_at_once)
REPORT = Story("report", (*_TRAINED_THRICE, report(1)), report(), rows.page, rows.page_at_once)
PULL = Story("pull", (migrate, pull(ORIGIN)), pull(ORIGIN + 1), rows.pulled, rows.pulled_at_once)
DELIVERY = Story("delivery", (*_KNOWN, run), deliver_run, rows.delivered, rows.delivered_at_once)
MONTH = (PULL, DELIVERY)
ORDERS = (ROLLBACK, PROMOTE, PRUNE, REPORT)

NAIVE = Story("naive writer", (make_naive_table,), write_naively, rows.naive, rows.naive_visible)
STORIES = (LOAD, RUN, AGAIN, BACKFILL, MIGRATE)
