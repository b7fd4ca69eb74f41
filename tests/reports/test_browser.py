"""Tests of the page in a browser: it opens from a folder, without errors, for one, seven and 10,000 series."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from forecasting.domain.settings import Settings
from forecasting.operations.run_report import report_run
from forecasting.reports.page import write_page
from forecasting.storage.db.database import open_database
from tests.reports.test_page import read_cards, read_table
from tests.story import HOSTILE

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SWITCHES = (
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install one to look at the page"),
    pytest.mark.slow,
]
MINUS = "\N{MINUS SIGN}"
Show = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the machine's own Chromium."""
    switches = [f"--{switch}" for switch in SWITCHES] + (["--no-sandbox"] if os.geteuid() == 0 else [])
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=switches)


@pytest.fixture
def show(browser: Browser) -> Iterator[Show]:
    """Give a function that opens a page; afterwards nothing may have been reported or asked of the network."""
    problems: list[str] = []

    def note(found: str, *, if_any: bool = True) -> None:
        if if_any:
            problems.append(found)

    with browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce") as context:
        opened = context.new_page()
        opened.on("console", lambda message: note(message.text, if_any=message.type in ("error", "warning")))
        opened.on("pageerror", lambda error: note(str(error)))
        opened.on("dialog", lambda dialog: note(dialog.message))
        opened.on(
            "request", lambda asked: note(asked.url, if_any=not asked.url.startswith(("file:", "data:", "blob:")))
        )

        def open_page(page: Path, fragment: str = "") -> Page:
            opened.goto("about:blank")
            opened.goto(page.as_uri() + fragment)
            return opened

        yield open_page
    assert problems == []


def violations(page: Page) -> list[str]:
    """Return what axe finds, each with the elements that it is about."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['impact']} {rule['id']}: {[node['html'][:100] for node in rule['nodes']]}" for rule in found]


@pytest.mark.parametrize(
    ("series", "typed", "found", "last"), [(50, "0004", 11, "series 00049"), (10_000, "0999", 11, "series 09999")]
)
def test_a_panel_is_shown_searched_and_sorted(
    page: Path, show: Show, tmp_path: Path, series: int, typed: str, found: int, last: str
) -> None:
    """First content within two seconds; search narrows, a column sorts, the numbers of a late series draw a chart."""
    run, _ = read_table(page)
    milk = next(card for card in read_cards(page) if card["series"] == "milk")
    names = (f"series {number:05}" for number in range(series))
    large = write_page(tmp_path / "large", {**run, "series": series}, ({**milk, "series": name} for name in names))

    started = time.monotonic()
    opened = show(large)
    opened.wait_for_selector("#series-table tbody tr")
    seconds = time.monotonic() - started

    assert seconds < 2
    assert opened.text_content("#count") == f"{series:,} series"
    opened.fill("#search", typed)
    assert opened.text_content("#count") == f"{found} of {series:,} series"
    opened.click("#series-table thead button >> nth=0")
    opened.click("#series-table thead button >> nth=0")
    assert opened.text_content("#series-table tbody th >> nth=0") == last
    opened.click(f"text={last}")
    opened.wait_for_selector("#series-view .chart .main-svg")


def test_a_link_to_a_series_draws_its_chart(page: Path, show: Show) -> None:
    """The address names the series; the legend tells all lines apart, the title and the unit are there."""
    opened = show(page, "#series=milk")
    opened.wait_for_selector("#series-view .chart .legendtext")

    assert opened.text_content("#series-name") == "milk"
    legend = opened.locator("#series-view .chart >> nth=0").locator(".legendtext").all_text_contents()
    assert legend == [
        "observed",
        "predicted, training part",
        "predicted, test part",
        "earlier forecasts, from 12 origins",
        "seasonal naive",
        "forecast",
    ]
    assert opened.text_content("#series-view .chart .ytitle") == "pounds per cow"
    opened.locator("summary", has_text="Earlier forecasts beside what happened").click()
    expect(opened.locator("details[open] tbody tr")).to_have_count(sum(range(1, 13)))


def test_a_series_says_why_its_forecast_moved(page: Path, show: Show) -> None:
    """A sentence about the next month and a table by month, whose parts add up to the change in every row."""
    opened = show(page, "#series=milk")
    table = opened.get_by_role("region", name="Why the forecast moved, by month")
    table.wait_for()
    heads = table.locator("thead th").all_text_contents()
    cells = [row.locator("th, td").all_text_contents() for row in table.locator("tbody tr").all()]
    milk = next(card for card in read_cards(page) if card["series"] == "milk")

    assert heads[:4] == ["month", "forecast from 1975-11, run 15", "forecast from 1975-12", "change"]
    assert "months observed since" in heads[4:]
    assert [row[0] for row in cells] == [f"1976-{month:02}" for month in range(1, 12)]
    for row in cells:
        before, now, change, *parts = (float(cell.replace(MINUS, "-").replace(",", "")) for cell in row[1:])
        assert now - before == pytest.approx(change, abs=0.11)
        assert sum(parts) == pytest.approx(change, abs=0.06 * (1 + len(parts)))
    sentence = opened.text_content("#attribution + p") or ""
    assert sentence.startswith(
        f"1976-01: {cells[0][1]} → {cells[0][2]} pounds per cow, {cells[0][3]} since the run from"
    )
    assert f"{milk['changes']['change'][0]:+.1f}".replace("-", MINUS) == cells[0][3]


def test_a_first_forecast_has_nothing_to_be_compared_with(story: Settings, show: Show, tmp_path: Path) -> None:
    """The first run says so, and shows no table of changes."""
    with open_database(story) as database:
        opened = show(report_run(database, 1, tmp_path / "first"), "#series=milk")
    opened.wait_for_selector("#attribution")

    assert (
        opened.text_content("#attribution + p")
        == "No earlier run forecast these months: there is nothing to compare with."
    )
    assert opened.locator("[aria-label^='Why the forecast moved']").count() == 0


def test_a_hostile_name_stays_a_name(page: Path, show: Show) -> None:
    """A name that is markup is shown as text, in the table, as a heading and in the address."""
    opened = show(page)
    opened.click(f"text={HOSTILE[:20]}")
    opened.wait_for_selector("#series-view .chart .main-svg")

    assert opened.text_content("#series-name") == HOSTILE
    assert opened.locator("img").count() == 0


def test_the_keyboard_reaches_everything(page: Path, show: Show) -> None:
    """Tab goes through link, search, filters, download, headers and series; Enter opens one and Tab its controls."""
    opened = show(page)

    def tabbed(times: int) -> list[str]:
        seen = []
        for _ in range(times):
            opened.keyboard.press("Tab")
            seen.append(opened.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        return seen

    seen = tabbed(30)
    for wanted in ("Skip to the content", "theme", "search", "outcome", "decision", "download-table", "Skill", "milk"):
        assert wanted in seen
    opened.focus("#series-table tbody a >> nth=0")
    opened.keyboard.press("Enter")
    opened.wait_for_selector("#series-view select")
    assert opened.evaluate("document.activeElement.id") == "series-name"
    seen = []
    while opened.evaluate("document.activeElement.tagName") != "SUMMARY":
        seen += tabbed(1)
        assert len(seen) < 20
    assert [name for name in seen if name in ("All", "10 years", "3 years")] == ["All", "10 years", "3 years"]
    opened.keyboard.press("Enter")
    opened.wait_for_selector("details[open] table")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(page: Path, show: Show, scheme: str, width: int) -> None:
    """No rule of accessibility is broken, in light and dark, on a desk and on a telephone; nothing scrolls sideways."""
    opened = show(page)
    opened.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    opened.set_viewport_size({"width": width, "height": 844})
    assert violations(opened) == []
    opened.evaluate("location.hash = '#series=milk'")
    opened.wait_for_selector("#series-view details")
    for summary in opened.locator("summary").all():
        summary.click()
    for opening in opened.locator("#series-view details").all():
        expect(opening.locator("tbody tr").first).to_be_attached()
    assert violations(opened) == []
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_downloads_are_csv(page: Path, show: Show) -> None:
    """The table as filtered, and the months of a series, leave the page as CSV."""
    opened = show(page)
    opened.select_option("#outcome", "held")
    with opened.expect_download() as download:
        opened.click("#download-table")
    table = Path(download.value.path()).read_text().splitlines()
    assert (len(table), table[1].split(",")[:4]) == (2, ["whey", "tons", "held", "late"])
    opened = show(page, "#series=milk")
    opened.locator("summary", has_text="All months").click()
    with opened.expect_download() as download:
        opened.click("details[open] button")
    months = Path(download.value.path()).read_text().splitlines()
    assert months[0].startswith('month,observed,"predicted, training part"')
    assert months[1].startswith("1962-01,589,")


def test_a_page_of_one_series_shows_it_at_once(page: Path, show: Show, tmp_path: Path) -> None:
    """There is nothing to choose from: tiles, and the chart."""
    run, _ = read_table(page)
    milk = next(card for card in read_cards(page) if card["series"] == "milk")

    opened = show(write_page(tmp_path / "milk", {**run, "series": 1}, [milk]))
    opened.wait_for_selector("#series-view .chart .main-svg")

    assert opened.is_visible("#tiles")
    assert not opened.is_visible("#search")
    assert json.loads(opened.evaluate("JSON.stringify(milkrun.table.run.series)")) == 1
