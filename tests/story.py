"""A year of monthly rounds over a handful of series, for tests that read what Milkrun has written."""

import importlib.resources
from pathlib import Path

from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC
from forecasting.domain.settings import Settings
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import open_file
from forecasting.intake.loads import load_observations
from forecasting.runs import job
from forecasting.storage.db.database import open_database

FIRST, LAST = Month.of(1974, 9), Month.of(1975, 12)
HOSTILE = "<img src=x onerror=alert(1)> & \"quoted\", 'so'"
START = Month.of(1962, 1)


def tell(settings: Settings, folder: Path) -> None:
    """Load month by month as it arrived, and run after each: 16 runs of eight series, published.

    milk, butter, cream and one with a hostile name are forecast; salt is constant, quark is short, whey falls silent in
    1974-05, so that it is held; one value of butter is revised and one row is rejected.
    """
    with open_database(settings) as database:
        for origin in (FIRST + step for step in range(LAST - FIRST + 1)):
            file = folder / f"{origin}.csv"
            file.write_text("\n".join(["series,month,value,unit", *_rows(origin)]) + "\n")
            source = open_file(file, ColumnRoles())
            load_observations(database, source, source=source.name, sha256=source.sha256, today=Month.of(2000, 1))
            run = job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy()))
            for shard in run.request.shard_numbers:
                job.run_shard(database, run, shard)
            job.publish_run(database, run)


def _rows(origin: Month) -> list[str]:
    """Return the rows that arrive once the month `origin` is known: all before it the first time."""
    lines = importlib.resources.files("forecasting.examples").joinpath("milk.csv").read_text().splitlines()[1:]
    milk = {Month.parse(line[:7]): float(line[8:]) for line in lines}
    hostile = '"' + HOSTILE.replace('"', '""') + '"'
    rows = ["milk,1975-07,unknown,pounds per cow"] if origin == Month.of(1975, 8) else []
    rows += ["butter,1974-12,90.5,tons"] if origin == Month.of(1975, 3) else []
    for month, value in milk.items():
        if month > origin or (origin > FIRST and month < origin):
            continue
        rows += [f"milk,{month},{value},pounds per cow", f"butter,{month},{value / 9:.6g},tons"]
        rows += [
            f"cream,{month},{1e6 - 800 * value:.7g},",
            f"{hostile},{month},{value / 1e5:.6g},%",
            f"salt,{month},5,tons",
        ]
        rows += [f"whey,{month},{2 * value},tons"] if month <= Month.of(1974, 5) else []
        rows += [f"quark,{month},{3 * value},tons"] if month >= Month.of(1974, 10) else []
    return rows
