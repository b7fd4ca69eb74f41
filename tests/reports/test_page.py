"""Tests of what the page of a run holds, as files."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import URL, text

from forecasting.domain.errors import InputError, RunRefused
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC, MonthlyRecipe
from forecasting.domain.settings import Settings
from forecasting.domain.vocabulary import Cause
from forecasting.operations.run_report import report_run
from forecasting.reports.labels import CAUSE_LABELS
from forecasting.reports.page import write_page
from forecasting.runs import job
from forecasting.storage.db.database import Database, open_database
from tests.story import HOSTILE


def data_folder(page: Path) -> Path:
    """Return the folder of a page's numbers, which its index names; there is no other."""
    [name] = re.findall(r'src="([\w-]+)/table.js"', page.read_text())
    assert [path.name for path in page.parent.glob("data*")] == [name]
    return page.parent / str(name)


def read_table(page: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Read the run and the rows of the table of a page."""
    script = (data_folder(page) / "table.js").read_text()
    table = json.loads(script.removeprefix("milkrun.table = ").rstrip(";\n"))
    return table["run"], [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def read_cards(page: Path) -> list[dict[str, Any]]:
    """Read what a page shows of each series."""
    cards: list[dict[str, Any]] = []
    for path in sorted(data_folder(page).glob("series-*.js")):
        cards += json.loads(re.sub(r"^milkrun\.receive\(\d+, ", "", path.read_text()).removesuffix(");\n"))
    return cards


def test_the_table_has_every_series_as_the_database_has_it(page: Path, story: Settings) -> None:
    """Outcome, next month's forecast, its change, RMSE and skill are those of the views, to seven digits."""
    run, rows = read_table(page)
    with open_database(story) as database, database.reading() as connection:
        forecasts = connection.execute(
            text("SELECT series, value FROM milkrun.latest_forecast WHERE horizon = 1")
        ).all()
        health = connection.execute(text("SELECT series, outcome, reason FROM milkrun.series_health")).all()
        skills = connection.execute(
            text("SELECT series, skill, n FROM milkrun.latest_rmse WHERE horizon = 1 AND split = 'live'")
        ).all()
        changes = connection.execute(
            text("SELECT series, change FROM milkrun.forecast_change WHERE run_id = 16 AND month = '1976-01-01'")
        ).all()

    assert (run["run_id"], run["origin"], run["series"]) == (16, "1975-12", 7)
    forecasts_by_series = {row["series"]: row["forecast"] for row in rows if row["forecast"]}
    assert forecasts_by_series == pytest.approx(dict(map(tuple, forecasts)), rel=1e-6)
    assert {(row["series"], row["outcome"], row["reason"]) for row in rows} == set(map(tuple, health))
    by_name = {row["series"]: row for row in rows}
    for series, skill, n in skills:
        assert by_name[series]["split"] == "live"
        assert (by_name[series]["skill"], by_name[series]["n"]) == (pytest.approx(skill, rel=1e-6), n)
    for series, change in changes:
        assert by_name[series]["change"] == pytest.approx(change, rel=1e-6)
    assert len(changes) == 6


def test_a_series_shows_what_was_forecast_at_each_origin(page: Path) -> None:
    """Exact history, both parts of the predictions, twelve earlier forecasts from their own origins, scores and changes."""
    milk = next(card for card in read_cards(page) if card["series"] == "milk")

    first, values = milk["observed"]
    assert (first, len(values), values[0], values[-1]) == ("1962-01", 168, 589.0, 843.0)
    assert milk["train"][0] == "1962-02"
    assert len(milk["train"][1]) + len(milk["test"][1]) == 167
    assert [forecast["origin"] for forecast in milk["earlier"]] == ["1974-12", *(f"1975-{m:02}" for m in range(1, 12))]
    assert [forecast["first"] for forecast in milk["earlier"]][:2] == ["1975-01", "1975-02"]
    assert (milk["forecast"]["first"], len(milk["forecast"]["value"])) == ("1976-01", 12)
    newest = milk["scores"][-1]
    assert (newest["split"], newest["origin"], newest["horizon"]) == ("live", "1975-12", list(range(1, 13)))
    changes = milk["changes"]
    assert (changes["first"], changes["previous_run_id"], changes["previous_origin"]) == ("1976-01", 15, "1975-11")
    assert changes["previous_value"] == milk["earlier"][-1]["value"][1:]
    assert changes["change"] == pytest.approx(
        np.subtract(milk["forecast"]["value"][:11], milk["earlier"][-1]["value"][1:]), rel=1e-3, abs=1e-3
    )


def test_the_parts_of_a_change_add_up(
    database: Database, arrive: Callable[..., object], milk: list[float], tmp_path: Path
) -> None:
    """A revised month and a new one each have their part; a part that moved nothing takes no room."""
    for first, months in (("1962-01", milk[:167]), ("1975-11", [700.0, milk[167]])):
        arrive(first, milk=months)
        run = job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy()))
        job.run_shard(database, run, 0)
        job.publish_run(database, run)

    [card] = read_cards(report_run(database, None, tmp_path / "page"))
    changes = card["changes"]

    assert [part for part in Cause if part in changes] == ["new_months", "revisions"]
    assert len(changes["change"]) == 11
    assert changes["revisions"][0] != 0
    sums = np.add(changes["new_months"], changes["revisions"])
    assert sums == pytest.approx(changes["change"], abs=1e-3)


def test_the_attribution_is_small_at_ten_thousand_series(page: Path) -> None:
    """What it adds to a series is below a kilobyte: 10 MB at 10,000 series."""
    sizes = [len(json.dumps(card["changes"], separators=(",", ":"))) for card in read_cards(page)]

    assert 0 < max(sizes) < 1000


def test_a_series_without_forecast_says_why(page: Path) -> None:
    """Held for being late: no forecast, no chart of one, but its months and the reason."""
    whey = next(card for card in read_cards(page) if card["series"] == "whey")

    assert (whey["outcome"], whey["reason"], whey["forecast"], whey["train"]) == ("held", "late", None, None)
    assert "1974-05" in whey["detail"]
    assert len(whey["observed"][1]) == 149


def test_a_page_of_an_older_run_does_not_know_newer_forecasts(story: Settings, tmp_path: Path) -> None:
    """Asked for by number, a run shows its own forecast, those before it, and what has happened since."""
    with open_database(story) as database:
        page = report_run(database, 5, tmp_path / "older")
    milk = next(card for card in read_cards(page) if card["series"] == "milk")

    assert [forecast["run_id"] for forecast in milk["earlier"]] == [1, 2, 3, 4]
    assert (milk["forecast"]["origin"], milk["forecast"]["first"]) == ("1975-01", "1975-02")
    assert len(milk["observed"][1]) == 168
    assert len(milk["train"][1]) + len(milk["test"][1]) == 156


QUICK = MonthlyRecipe("quick", horizon=4, own_epochs=3, own_members=2)


def test_intervals_and_coverage_reach_the_page(
    database: Database, arrive: Callable[..., object], milk: list[float], tmp_path: Path
) -> None:
    """Where a recipe gives intervals, the page has them, with the share of answered forecasts inside."""
    for first, months in (("1962-01", milk[:166]), ("1975-11", milk[166:167]), ("1975-12", milk[167:])):
        arrive(first, milk=months)
        run = job.open_run(database, job.RunParameters(recipe=QUICK, policy=Policy()))
        job.run_shard(database, run, 0)
        database.write(
            lambda connection: connection.execute(
                text("""
                    UPDATE milkrun.forecast SET lower_95 = value - 200, lower_80 = value - 100,
                                                upper_80 = value + 100, upper_95 = value + 200""")
            )
        )
        job.publish_run(database, run)

    page = report_run(database, None, tmp_path / "page")
    [card], (_, [row]) = read_cards(page), read_table(page)

    assert card["forecast"]["upper_95"][3] - card["forecast"]["lower_95"][3] == pytest.approx(400, abs=1e-3)
    assert (row["coverage_80"], row["coverage_95"], row["coverage_n"]) == (1.0, 1.0, 3)


def test_a_page_is_written_over_an_older_one_and_over_nothing_else(page: Path, tmp_path: Path) -> None:
    """A shorter report leaves no series of a longer one behind; a folder of the user's is refused."""
    run, _ = read_table(page)
    cards = read_cards(page)
    index = write_page(tmp_path / "report", run, cards * 9)
    assert len(list(data_folder(index).glob("series-*.js"))) == 3

    write_page(tmp_path / "report", run, cards)

    assert [path.name for path in data_folder(index).glob("series-*.js")] == ["series-00000.js"]
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="something other than a report"):
        write_page(tmp_path / "own", run, cards)


def test_a_report_that_was_left_half_made_is_replaced(page: Path, tmp_path: Path) -> None:
    """Its index is written last: a folder with data and without it is our own, and is written whole."""
    folder = tmp_path / "half"
    run, rows = read_table(page)

    def interrupted() -> Iterator[dict[str, Any]]:
        yield read_cards(page)[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_page(folder, run, interrupted())
    assert not (folder / "index.html").exists()

    whole = write_page(folder, run, read_cards(page))

    assert read_table(whole) == (run, rows)


def test_an_earlier_page_stays_whole_until_another_is_written(page: Path, tmp_path: Path) -> None:
    """A report that is interrupted leaves the page, the table and the series of the one before as they were."""
    run, rows = read_table(page)
    cards = read_cards(page)
    index = write_page(tmp_path / "report", run, cards)

    def interrupted() -> Iterator[dict[str, Any]]:
        yield from cards * 9
        raise KeyboardInterrupt

    for _ in range(3):
        before = index.read_text()
        with pytest.raises(KeyboardInterrupt):
            write_page(tmp_path / "report", {**run, "run_id": 99}, interrupted())
        assert index.read_text() == before
        [name] = re.findall(r'src="([\w-]+)/table.js"', before)
        assert len(list((index.parent / name).glob("series-*.js"))) == len(list(page.parent.glob("data/series-*.js")))

        write_page(tmp_path / "report", run, cards)

        assert read_table(index) == (run, rows)
        assert read_cards(index) == cards


def test_a_page_is_written_of_what_is_stored_where_a_bundle_is_gone(story_copy_url: URL, tmp_path: Path) -> None:
    """Of a run whose networks were pruned, or are damaged, the page has all but the predictions of the past, and says why."""
    settings = Settings(home=tmp_path, database_url=story_copy_url.render_as_string(hide_password=False))
    with open_database(settings) as database:
        before = read_cards(report_run(database, 1, tmp_path / "before"))
        database.write(lambda connection: connection.execute(text("UPDATE milkrun.bundle SET payload = ''")))

        after = read_cards(report_run(database, 1, tmp_path / "after"))

    assert [card["forecast"] for card in after] == [card["forecast"] for card in before]
    assert {card["train"] is None for card in after} == {True}
    missing = {
        card["series"]: card["missing_predictions_reason"] for card in after if card["missing_predictions_reason"]
    }
    assert missing.keys() == {card["series"] for card in before if card["train"]}
    assert all("were removed by milkrun prune" in sentence for sentence in missing.values())


def test_nothing_in_a_page_leads_to_the_network(page: Path) -> None:
    """No address of another machine in page, style or numbers; names stay text inside scripts."""
    html = page.read_text()

    assert re.findall(r"(?:src|href)=\"?(?:https?:)?//|@import|fetch\(", html) == []
    assert HOSTILE not in html
    assert {path.name for path in page.parent.iterdir()} == {
        "index.html",
        data_folder(page).name,
        "milkrun-report.txt",
        "plotly.min.js",
    }


def test_a_run_that_is_not_there_or_not_published_is_refused(
    database: Database, arrive: Callable[..., object], milk: list[float]
) -> None:
    """The remedy is named, and no folder is left."""
    with pytest.raises(RunRefused, match="No run is published yet"):
        report_run(database, None)
    arrive("1962-01", milk=milk)
    job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy()))
    with pytest.raises(RunRefused, match="Run 1 is not published yet"):
        report_run(database, 1)
    with pytest.raises(RunRefused, match="There is no run 7"):
        report_run(database, 7)
    assert not Path("report-1").exists()


def test_every_part_of_a_change_has_its_words() -> None:
    """Page and terminal name every cause that is stored."""
    assert list(CAUSE_LABELS) == list(Cause)
