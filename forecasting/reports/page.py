"""The page of a run: one HTML file that opens without a network, its numbers and its charting library beside it.

The numbers are in script files: a page that is opened from a folder may load scripts, but may not fetch data.
"""

import importlib.resources
import itertools
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from forecasting.domain.errors import InputError
from forecasting.domain.vocabulary import Split
from forecasting.reports.labels import PAGE_WORDS

Item = TypeVar("Item")

CHUNK = 25  # series per script file: a third of a megabyte where there is a year of runs
MARKER = "<!-- A report of Milkrun; its folder is written anew by each report. -->"
MARKER_FILE = "milkrun-report.txt"  # written first, so that an interrupted report is recognised as one
DATA_FOLDERS = ("data", "data-2")  # of the numbers; index.html names the one in use
SCRIPTS = ("formats.js", "table.js", "charts.js", "attribution.js", "series.js", "main.js")
COLUMNS = (
    "series",
    "unit",
    "outcome",
    "reason",
    "decision",
    "decision_reason",
    "last_month",
    "last_value",
    "next_month",
    "forecast",
    "change",
    "rmse",
    "baseline_rmse",
    "skill",
    "split",
    "n",
    "coverage_80",
    "coverage_95",
    "coverage_n",
)


def write_page(folder: Path, run: dict[str, Any], cards: Iterable[dict[str, Any]]) -> Path:
    """Write a page and return its index.html, which is written last.

    index.html names the folder of its numbers, and new numbers go into another one: an earlier page in the same folder stays
    whole until it is replaced. run: a row of run_health. cards: for each series all that the page shows, as JSON values
    (operations/run_report.py makes them). Raises InputError when the folder holds anything but an earlier report.
    """
    _check_folder(folder)
    index = folder / "index.html"
    folder.mkdir(parents=True, exist_ok=True)
    _write_script(folder / MARKER_FILE, f"{MARKER}\n")
    free, other = sorted(DATA_FOLDERS, key=lambda name: _names(index, name))
    _remove(folder / free)
    _write_data(folder / free, run, cards)
    from plotly.offline import get_plotlyjs

    _write_script(folder / "plotly.min.js", get_plotlyjs())
    _write_script(index, _index(run, free))
    _remove(folder / other)
    return index


def _names(index: Path, data: str) -> bool:
    return index.is_file() and f'src="{data}/table.js"' in index.read_text(errors="replace")


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _write_data(folder: Path, run: dict[str, Any], cards: Iterable[dict[str, Any]]) -> None:
    """Write the numbers of a page into a new folder."""
    folder.mkdir()
    rows: list[list[Any]] = []
    for number, chunk in enumerate(_chunks(cards, CHUNK)):
        _write_script(folder / f"series-{number:05d}.js", f"milkrun.receive({number}, {_json(chunk)});")
        rows += [_row(card) for card in chunk]
    table = {"run": run, "columns": COLUMNS, "chunk": CHUNK, "words": PAGE_WORDS, "rows": rows}
    _write_script(folder / "table.js", f"milkrun.table = {_json(table)};")


def _check_folder(folder: Path) -> None:
    index = folder / "index.html"
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder with --out.")
    for path in (folder / name for name in DATA_FOLDERS):
        if path.is_symlink():
            raise InputError(f"{path} is a link to another folder: remove it, or name a new folder with --out.")
        if path.is_file():
            raise InputError(f"{path} is a file: remove it, or name a new folder with --out.")
    for path in (folder / MARKER_FILE, index):
        if path.exists() and MARKER in path.read_text(errors="replace")[:1000]:
            return
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder} holds something other than a report: name a new folder with --out.")


def _index(run: dict[str, Any], data: str) -> str:
    """Return the text of index.html, with the style and the scripts in it; data: the name of the folder of its numbers."""
    web = importlib.resources.files("forecasting.reports") / "web"
    replacements = {
        "{{ marker }}": MARKER,
        "{{ run }}": str(run["run_id"]),
        "{{ data }}": data,
        "{{ style }}": (web / "style.css").read_text(),
        "{{ scripts }}": "\n".join((web / name).read_text() for name in SCRIPTS),
    }
    page = (web / "index.html").read_text()
    for placeholder, text in replacements.items():
        page = page.replace(placeholder, text)
    return page


def _row(card: dict[str, Any]) -> list[Any]:
    """Return the row of a series in the table of all series, with the values of COLUMNS."""
    forecast, observations, changes = card["forecast"], card["observed"], card["changes"]
    score = _newest_score(card["scores"])
    live_scores = [score for score in card["scores"] if score["split"] == Split.LIVE and "coverage_80" in score][-1:]
    values: dict[str, Any] = {name: card[name] for name in COLUMNS[:6]}
    values |= {
        "last_month": card["origin"],
        "last_value": _value_at(observations, card["origin"]),
        "next_month": forecast and forecast["first"],
        "forecast": forecast and forecast["value"][0],
        "change": changes and forecast and _value_at([changes["first"], changes["change"]], forecast["first"]),
        **score,
        **(_coverage(live_scores[0]) if live_scores else {}),
    }
    return [values.get(name) for name in COLUMNS]


def _newest_score(scores: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the newest score one month ahead: of live forecasts whose months were observed, else of the test part."""
    for split in (Split.LIVE, Split.TEST):
        for score in reversed(scores):
            if score["split"] == split and score["horizon"][0] == 1:
                numbers = {name: score[name][0] for name in ("n", "rmse", "baseline_rmse", "skill") if name in score}
                return {"split": split, **numbers}
    return {}


def _coverage(score: dict[str, Any]) -> dict[str, Any]:
    """Return the share of forecasts inside their intervals, over all horizons, among those whose months were observed."""
    count = sum(score["n"])
    shares: dict[str, Any] = {
        name: sum(n * share for n, share in zip(score["n"], score[name], strict=True) if share is not None) / count
        for name in ("coverage_80", "coverage_95")
        if name in score
    }
    return {**shares, "coverage_n": count}


def _value_at(line: list[Any] | None, month: str | None) -> float | None:
    if line is None or month is None:
        return None
    first, values = line
    position = 12 * (int(month[:4]) - int(first[:4])) + int(month[5:7]) - int(first[5:7])
    return values[position] if 0 <= position < len(values) else None


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    remaining = iter(items)
    while chunk := list(itertools.islice(remaining, size)):
        yield chunk


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _write_script(path: Path, text: str) -> None:
    """Write a whole file in place of the one there is. What a link points at, such as one that another user made, stays."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with unfinished.open("x", encoding="utf-8") as file:
        file.write(text + "\n")
    unfinished.replace(path)
