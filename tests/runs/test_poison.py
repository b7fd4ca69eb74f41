"""Poison: a tenth of the series is spoiled in every way there is; the others do not notice, and each is explained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import open_file
from forecasting.intake.loads import load_observations
from forecasting.lstm.batched.training import train
from forecasting.lstm.batched.types import TrainingResult
from forecasting.lstm.random import series_seeds
from forecasting.lstm.weights import Architecture, initial_weights
from forecasting.models import classic
from forecasting.runs import job
from forecasting.runs import joint_training as together
from forecasting.storage.db.database import Database
from forecasting.storage.db.tables import metadata
from tests.poison import FIRST, ONE, OTHER, REUSED, TODAY, TRAINED, WAYS, Panel

WRITTEN = ("run_series", "filled_month", "forecast", "forecast_change_part", "rmse_history")
NEIGHBOURS = {"run_id", "previous_run_id", "series_id", "bundle_id"}  # numbers and names that others have a part in
DAMAGE = {
    "damaged network": "UPDATE milkrun.bundle SET payload = set_byte(payload, 40, get_byte(payload, 40) # 1)",
    "damaged scaler": "UPDATE milkrun.bundle_member SET scaler = scaler || '{\"high\": 887}'",
}


def forecast_twice(database: Database, panel: Panel, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load and run as two months go by: the first run trains every network, the second reuses them.

    Between the two, series whose bundles are to be damaged get bundles of their own.
    """
    monkeypatch.setattr(classic, "train", diverging(panel.names("diverging network")) if panel.poisoned else train)
    arrive(database, panel, folder, FIRST, TRAINED)
    publish(database, due=TRAINED, shard_size=max(panel.series // 10, 50))
    for way, damage in DAMAGE.items():
        names = tuple(panel.names(way))
        own = publish(database, due=TRAINED, series=names, policy=Policy(retrain="always"))
        if panel.poisoned:
            spoil(
                database, f"{damage} WHERE bundle_id IN (SELECT bundle_id FROM milkrun.run_series WHERE run_id = {own})"
            )
    arrive(database, panel, folder, REUSED, REUSED)
    publish(database, due=REUSED, shard_size=max(panel.series // 10, 50))


def arrive(database: Database, panel: Panel, folder: Path, first: Any, last: Any) -> None:
    """Load a file; every row of it is counted once."""
    file = folder / f"{first}.csv"
    written = panel.write(file, first, last)
    source = open_file(file, ColumnRoles())
    result = load_observations(database, source, source=source.name, sha256=source.sha256, today=TODAY)
    counted = result.rows_added + result.rows_unchanged + result.rows_collapsed + result.rows_rejected
    assert written == result.rows_read == counted


def diverging(names: list[str]) -> Callable[..., TrainingResult]:
    """Let the networks of some series start from weights so large that their training diverges."""
    doomed = series_seeds(CLASSIC.seed, names)

    def train_some_badly(architecture: Architecture, *known: Any, **options: Any) -> TrainingResult:
        seeds = known[-1]
        weights = initial_weights(architecture, seeds)
        for tensor in weights.values():
            tensor[np.isin(seeds, doomed)] += np.float32(1e38)
        return train(architecture, *known, weights=weights, **options)

    return train_some_badly


def publish(database: Database, **asked: Any) -> int:
    """Take all steps of a run, as the flows do, and return its number."""
    run = job.open_run(database, job.RunParameters(**{"recipe": CLASSIC, "policy": Policy(), **asked}))
    for shard in run.request.shard_numbers:
        job.run_shard(database, run, shard)
    job.publish_run(database, run)
    return run.run_id


def spoil(database: Database, statement: str) -> None:
    """Change what no command changes."""
    with database.engine.begin() as connection:
        connection.execute(text(statement))


def read(database: Database, query: str) -> list[tuple[Any, ...]]:
    """Read rows."""
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def written(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return how many rows of each table runs wrote about each series, and the digest of every bit of them."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for table in WRITTEN:
        columns = [f"t.{column.name}" for column in metadata.tables[f"milkrun.{table}"].columns]
        kept = ", ".join(column for column in columns if column[2:] not in NEIGHBOURS)
        query = f"""
            SELECT name, '{table}', count(*), md5(string_agg(line, '|' ORDER BY line)) FROM (
                SELECT s.name, concat_ws(' ', r.origin, r.policy ->> 'retrain', ROW({kept})::text) AS line
                FROM milkrun.{table} t JOIN milkrun.run r USING (run_id) JOIN milkrun.series s USING (series_id)) lines
            GROUP BY name ORDER BY name"""
        for name, *digest in read(database, query):
            found.setdefault(name, []).append(tuple(digest))
    return found


def differing(clean: Database, poisoned: Database) -> set[str]:
    """Return the series, of those in both databases, about which anything is written otherwise."""
    before, after = written(clean), written(poisoned)
    return {name for name in before.keys() & after.keys() if before[name] != after[name]}


@pytest.mark.slow
@pytest.mark.parametrize("series", [1_000, pytest.param(10_000, marks=pytest.mark.long)])
def test_poisoned_series_are_explained_and_change_no_bit_of_the_others(
    database: Database, elsewhere: Database, tmp_path: Path, series: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forecasts, scores and outcomes of nine tenths are bit for bit those of a clean panel; the last tenth says what is wrong."""
    clean, poisoned = Panel(series, poisoned=False), Panel(series)
    forecast_twice(database, clean, tmp_path, monkeypatch)
    forecast_twice(elsewhere, poisoned, tmp_path, monkeypatch)

    unlike = differing(database, elsewhere)

    assert unlike.isdisjoint(poisoned.names(None))
    # The same comparison finds every series whose months were changed: it can fail.
    touched = {name for way, poison in WAYS.items() if not poison.unchanged for name in poisoned.names(way)}
    assert unlike == touched & set(written(database)) & set(written(elsewhere))
    assert_all_end(elsewhere, poisoned)
    assert_rows_are_explained(elsewhere, poisoned)


def assert_all_end(database: Database, panel: Panel) -> None:
    """Every series ends once in each run, as expected of its way; what is no ordinary forecast has its reason in a sentence."""
    query = """SELECT series, run_id, outcome, reason, detail, decision_reason, origin FROM milkrun.run_outcome
               WHERE run_id IN (SELECT run_id FROM milkrun.run WHERE scope = 'all') ORDER BY series, run_id"""
    ended: dict[str, list[tuple[Any, ...]]] = {}
    for name, *end in read(database, query):
        ended.setdefault(name, []).append(tuple(end))
    expected = dict.fromkeys(panel.names(None), (("forecast", "ok"),) * 2)
    for way, poison in WAYS.items():
        expected |= dict.fromkeys(panel.names(way), poison.ends) if poison.ends else {}
    assert {name: tuple(end[1:3] for end in ends) for name, ends in ended.items()} == expected
    for ends in ended.values():
        for _, outcome, reason, detail, *_ in ends:
            assert outcome == "forecast" or (reason and detail.endswith("."))
    for way, told in {"damaged network": "checksum", "damaged scaler": "scaler"}.items():
        for name in panel.names(way):
            assert ended[name][1][4] == "bundle_damaged"
            assert told in ended[name][1][3]
    for name in panel.names("late"):
        assert str(OTHER) in ended[name][0][3]


def assert_rows_are_explained(database: Database, panel: Panel) -> None:
    """Each rejected row names series, month and reason; months lost by it are filled, and that is on record."""
    said: dict[str, set[str]] = {}
    for raw, reason in read(database, "SELECT raw, reason FROM milkrun.rejected_row"):
        name, month, *_ = raw.split(",")
        word, _, sentence = reason.partition(": ")
        assert month
        assert sentence
        said.setdefault(name, set()).add(word)
    filled = set(
        read(
            database,
            "SELECT name, to_char(month, 'YYYY-MM') FROM milkrun.filled_month JOIN milkrun.series USING (series_id)",
        )
    )
    rejected = {way: poison for way, poison in WAYS.items() if poison.said}
    assert said == {_shown(name): set(poison.said) for way, poison in rejected.items() for name in panel.names(way)}
    for way, poison in rejected.items():
        if poison.ends and not poison.unchanged:
            assert {(name, str(ONE)) for name in panel.names(way)} <= filled


def _shown(name: str) -> str:
    """Return a name as the list of rejected rows shows it."""
    escaped = name.replace("\x1b", "\\x1b").replace("\x00", "\\x00")
    return escaped if len(escaped) <= 200 else f"{escaped[:100]}…"


def test_a_program_that_minds_the_neighbours_would_be_found(
    database: Database, elsewhere: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: networks whose seeds depend on their place among the others differ as soon as some of those are poisoned."""

    def by_place(seed: int, names: tuple[str, ...]) -> np.ndarray:
        return np.arange(len(names), dtype=np.uint64)

    monkeypatch.setattr(together, "series_seeds", by_place)
    panel = Panel(20 * len(WAYS))
    forecast_twice(database, Panel(panel.series, poisoned=False), tmp_path, monkeypatch)
    forecast_twice(elsewhere, panel, tmp_path, monkeypatch)

    assert not differing(database, elsewhere).isdisjoint(panel.names(None))
