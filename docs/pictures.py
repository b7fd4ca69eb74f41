"""Take the pictures of the page that the documents show: python docs/pictures.py. Needs Chromium on the machine.

Thirty series are made from milk production, known month by month through 1975, with a run after each month.
"""

import importlib.resources
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import MONTHLY
from forecasting.domain.settings import Settings
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import open_file
from forecasting.intake.loads import load_observations
from forecasting.operations.run_report import report_run
from forecasting.runs import job
from forecasting.storage.db.database import Database
from forecasting.storage.db.schema import open_migrated_database

IMAGES = Path(__file__).parent / "images"
FIRST, START = Month.of(1974, 12), Month.of(1962, 1)
PRODUCTS = ("butter", "cheddar", "cream", "curd", "kefir", "powder", "quark", "skyr", "whey", "yoghurt")
REGIONS = ("north", "south", "west")


def main() -> int:
    """Make the series, the runs and the page, and take its pictures."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        print("There is no Chromium on this machine: install one, such as Debian's package chromium.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="milkrun-pictures-") as folder:
        Path(folder).chmod(0o755)
        with open_migrated_database(Settings(home=Path(folder))) as database:
            _run_months(database, Path(folder))
            page = report_run(database, None, Path(folder) / "report")
        take(page, browser, "page-table.png", "#series-table tbody tr")
        take(page, browser, "page-series.png", "#series-view details", "#series=milk", whole=True)
    return 0


def take(page: Path, browser: str, name: str, wait_for: str, fragment: str = "", *, whole: bool = False) -> None:
    """Save what the page shows once an element is there."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        page_view = playwright.chromium.launch(executable_path=browser, args=["--disable-gpu", *sandbox]).new_page(
            viewport={"width": 1280, "height": 860}, reduced_motion="reduce"
        )
        page_view.goto(page.as_uri() + fragment)
        page_view.wait_for_selector(wait_for)
        page_view.screenshot(path=IMAGES / name, full_page=whole)
    print(IMAGES / name)


def _run_months(database: Database, folder: Path) -> None:
    rows = list(_rows())
    for origin in (FIRST + step for step in range(13)):
        arrived = [row for month, row in rows if month == origin or (origin == FIRST and month < origin)]
        file = folder / f"{origin}.csv"
        file.write_text("\n".join(["series,month,value,unit", *arrived]) + "\n")
        source = open_file(file, ColumnRoles())
        load_observations(database, source, source=source.name, sha256=source.sha256, today=Month.of(2000, 1))
        run = job.open_run(database, job.RunParameters(recipe=MONTHLY, policy=Policy()))
        for shard in run.request.shard_numbers:
            job.run_shard(database, run, shard)
        job.publish_run(database, run)


def _rows() -> Iterator[tuple[Month, str]]:
    """Give month and row: milk as it is; of every product and region a series with its own level, season and noise."""
    lines = importlib.resources.files("forecasting.examples").joinpath("milk.csv").read_text().splitlines()[1:]
    milk = np.array([float(line.split(",")[1]) for line in lines])
    generator = np.random.default_rng(7)
    for step, value in enumerate(milk):
        yield START + step, f"milk,{START + step},{value},pounds per cow"
    for product in PRODUCTS:
        for region in REGIONS:
            level, noise = 10 ** generator.uniform(0, 4), generator.normal(1, 0.04, len(milk))
            values = level * (milk / milk.mean()) ** generator.uniform(0.2, 2) * noise
            values = np.full_like(values, 40) if (product, region) == ("whey", "west") else values
            months = len(milk) - 9 if (product, region) == ("kefir", "south") else len(milk)
            for step, value in enumerate(values[:months]):
                yield START + step, f"{product} {region},{START + step},{value:.4g},tons"


if __name__ == "__main__":
    sys.exit(main())
