"""Tests of the page in a browser: it opens from a folder, without errors, for one, seven and 10,000 series."""

import csv
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
    """Give a function that opens a page; afterwards there may be no reported problem and no request to the network."""
    problems: list[str] = []

    def note(problem: str, *, if_any: bool = True) -> None:
        if if_any:
            problems.append(problem)

    with browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce") as context:
        tab = context.new_page()
        tab.on("console", lambda message: note(message.text, if_any=message.type in ("error", "warning")))
        tab.on("pageerror", lambda error: note(str(error)))
        tab.on("dialog", lambda dialog: note(dialog.message))
        tab.on(
            "request", lambda request: note(request.url, if_any=not request.url.startswith(("file:", "data:", "blob:")))
        )

        def open_page(page: Path, fragment: str = "") -> Page:
            tab.goto("about:blank")
            tab.goto(page.as_uri() + fragment)
            return tab

        yield open_page
    assert problems == []


def violations(page: Page) -> list[str]:
    """Return the rules of accessibility that axe finds broken, each with its elements."""
    rules = Axe().run(page).response["violations"]
    return [f"{rule['impact']} {rule['id']}: {[node['html'][:100] for node in rule['nodes']]}" for rule in rules]


@pytest.mark.parametrize(
    ("series", "search_text", "matches", "last"),
    [(50, "0004", 11, "series 00049"), (10_000, "0999", 11, "series 09999")],
)
def test_a_panel_is_shown_searched_and_sorted(
    page: Path, show: Show, tmp_path: Path, series: int, search_text: str, matches: int, last: str
) -> None:
    """First content within two seconds; search narrows, a column sorts, the numbers of a late series draw a chart."""
    run, _ = read_table(page)
    milk = next(card for card in read_cards(page) if card["series"] == "milk")
    names = (f"series {number:05}" for number in range(series))
    large = write_page(tmp_path / "large", {**run, "series": series}, ({**milk, "series": name} for name in names))

    started = time.monotonic()
    tab = show(large)
    tab.wait_for_selector("#series-table tbody tr")
    seconds = time.monotonic() - started

    assert seconds < 2
    assert tab.text_content("#count") == f"{series:,} series"
    tab.fill("#search", search_text)
    assert tab.text_content("#count") == f"{matches} of {series:,} series"
    tab.click("#series-table thead button >> nth=0")
    tab.click("#series-table thead button >> nth=0")
    assert tab.text_content("#series-table tbody th >> nth=0") == last
    tab.click(f"text={last}")
    tab.wait_for_selector("#series-view .chart .main-svg")


def test_a_link_to_a_series_draws_its_chart(page: Path, show: Show) -> None:
    """The address names the series; the legend tells all lines apart, the title and the unit are there."""
    tab = show(page, "#series=milk")
    tab.wait_for_selector("#series-view .chart .legendtext")

    assert tab.text_content("#series-name") == "milk"
    legend = tab.locator("#series-view .chart >> nth=0").locator(".legendtext").all_text_contents()
    assert legend == [
        "observed",
        "predicted, training part",
        "predicted, test part",
        "earlier forecasts, from 12 origins",
        "seasonal naive",
        "forecast",
    ]
    assert tab.text_content("#series-view .chart .ytitle") == "pounds per cow"
    tab.locator("summary", has_text="Earlier forecasts beside what happened").click()
    expect(tab.locator("details[open] tbody tr")).to_have_count(sum(range(1, 13)))


def test_a_series_says_why_its_forecast_moved(page: Path, show: Show) -> None:
    """A sentence about the next month and a table by month, whose parts add up to the change in every row."""
    tab = show(page, "#series=milk")
    table = tab.get_by_role("region", name="Why the forecast moved, by month")
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
    sentence = tab.text_content("#attribution + p") or ""
    assert sentence.startswith(
        f"1976-01: {cells[0][1]} → {cells[0][2]} pounds per cow, {cells[0][3]} since the run from"
    )
    assert f"{milk['changes']['change'][0]:+.1f}".replace("-", MINUS) == cells[0][3]


def test_a_first_forecast_has_nothing_to_be_compared_with(story: Settings, show: Show, tmp_path: Path) -> None:
    """The first run says so, and shows no table of changes."""
    with open_database(story) as database:
        tab = show(report_run(database, 1, tmp_path / "first"), "#series=milk")
    tab.wait_for_selector("#attribution")

    assert (
        tab.text_content("#attribution + p")
        == "No earlier run forecast these months: there is nothing to compare with."
    )
    assert tab.locator("[aria-label^='Why the forecast moved']").count() == 0


def test_a_hostile_name_stays_a_name(page: Path, show: Show) -> None:
    """A name that is markup is shown as text, in the table, as a heading and in the address."""
    tab = show(page)
    tab.click(f"text={HOSTILE[:20]}")
    tab.wait_for_selector("#series-view .chart .main-svg")

    assert tab.text_content("#series-name") == HOSTILE
    assert tab.locator("img").count() == 0


def test_the_keyboard_reaches_everything(page: Path, show: Show) -> None:
    """Tab goes through link, search, filters, download, headers and series; Enter opens one and Tab its controls."""
    tab = show(page)

    def tabbed(times: int) -> list[str]:
        focused = []
        for _ in range(times):
            tab.keyboard.press("Tab")
            focused.append(tab.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        return focused

    focused = tabbed(30)
    for name in ("Skip to the content", "theme", "search", "outcome", "decision", "download-table", "Skill", "milk"):
        assert name in focused
    tab.focus("#series-table tbody a >> nth=0")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#series-view select")
    assert tab.evaluate("document.activeElement.id") == "series-name"
    focused = []
    while tab.evaluate("document.activeElement.tagName") != "SUMMARY":
        focused += tabbed(1)
        assert len(focused) < 20
    assert [name for name in focused if name in ("All", "10 years", "3 years")] == ["All", "10 years", "3 years"]
    tab.keyboard.press("Enter")
    tab.wait_for_selector("details[open] table")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(page: Path, show: Show, scheme: str, width: int) -> None:
    """No rule of accessibility is broken, in light and dark, on a desk and on a telephone; nothing scrolls sideways."""
    tab = show(page)
    tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    tab.set_viewport_size({"width": width, "height": 844})
    assert violations(tab) == []
    tab.evaluate("location.hash = '#series=milk'")
    tab.wait_for_selector("#series-view details")
    for summary in tab.locator("summary").all():
        summary.click()
    for opening in tab.locator("#series-view details").all():
        expect(opening.locator("tbody tr").first).to_be_attached()
    assert violations(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_downloads_are_csv(page: Path, show: Show) -> None:
    """The table as filtered, and the months of a series, leave the page as CSV."""
    tab = show(page)
    tab.select_option("#outcome", "held")
    with tab.expect_download() as download:
        tab.click("#download-table")
    table = Path(download.value.path()).read_text().splitlines()
    assert (len(table), table[1].split(",")[:4]) == (2, ["whey", "tons", "held", "late"])
    tab = show(page, "#series=milk")
    tab.locator("summary", has_text="All months").click()
    with tab.expect_download() as download:
        tab.click("details[open] button")
    months = Path(download.value.path()).read_text().splitlines()
    assert months[0].startswith('month,observed,"predicted, training part"')
    assert months[1].startswith("1962-01,589,")


def test_names_that_a_spreadsheet_would_compute_leave_as_text(page: Path, show: Show, tmp_path: Path) -> None:
    """They begin with an apostrophe in the CSV and are as they are on the page; negative numbers stay numbers."""
    run, _ = read_table(page)
    milk = next(card for card in read_cards(page) if card["series"] == "milk")
    names = ["=HYPERLINK(0)", "+1+1", "@SUM(1)", "-1"]

    tab = show(write_page(tmp_path / "formulas", {**run, "series": 4}, [{**milk, "series": name} for name in names]))
    with tab.expect_download() as download:
        tab.click("#download-table")

    columns, *rows = csv.reader(Path(download.value.path()).read_text().splitlines())
    assert [row[0] for row in rows] == [f"'{name}" for name in names]
    assert tab.locator("#series-table tbody th").all_inner_texts() == names
    assert {row[columns.index("change")][0] for row in rows} <= set("-0123456789")
    assert tab.evaluate("csvOf(['x'], [[-1.5], ['\\t=1'], [null]])") == "x\n-1.5\n'\t=1\n\n"


def test_a_page_of_one_series_shows_it_at_once(page: Path, show: Show, tmp_path: Path) -> None:
    """There is nothing to choose from: tiles, and the chart."""
    run, _ = read_table(page)
    milk = next(card for card in read_cards(page) if card["series"] == "milk")

    tab = show(write_page(tmp_path / "milk", {**run, "series": 1}, [milk]))
    tab.wait_for_selector("#series-view .chart .main-svg")

    assert tab.is_visible("#tiles")
    assert not tab.is_visible("#search")
    assert json.loads(tab.evaluate("JSON.stringify(milkrun.table.run.series)")) == 1
