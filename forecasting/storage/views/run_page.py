"""Reading what a published run said of some series, and what earlier runs had said: the rows behind its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from forecasting.domain.errors import RunRefused
from forecasting.domain.months import Month
from forecasting.storage.attribution import PARTS
from forecasting.storage.db.copy import array_of, copy_out_binary
from forecasting.storage.runs import Run

_NEWEST = """
    SELECT run_id FROM milkrun.run WHERE state = 'published'
    ORDER BY kind = 'live' DESC, origin DESC, cardinality(series_ids) DESC, run_id DESC LIMIT 1"""
_INTERVALS = ("lower_80", "upper_80", "lower_95", "upper_95")
_FORECAST_TYPES = {
    "series_id": "i4",
    "run_id": "i8",
    "day": "i4",
    "value": "f8",
    "seasonal_naive": "f8",
} | dict.fromkeys(_INTERVALS, "f8")
SPLITS = ("train", "test", "live")
_SCORE_NUMBERS = ("rmse", "baseline_rmse", "skill", "coverage_80", "coverage_95")
_SCORE_TYPES = {"series_id": "i4", "run_id": "i8", "split": "i4", "horizon": "i4", "n": "i4"} | dict.fromkeys(
    _SCORE_NUMBERS, "f8"
)


@dataclass(frozen=True)
class RunsInView:
    """A published run and the newest earlier ones of its kind and vintages; heads: rows of run_health by run_id."""

    run_id: int
    heads: dict[int, dict[str, Any]]

    @property
    def earlier(self) -> list[int]:
        """The earlier runs, the oldest first."""
        return [run_id for run_id in self.heads if run_id != self.run_id]


def find_newest_published(connection: Connection) -> int:
    """Return the run that people mean by the newest: live before backfill, then by origin, then the one of most series.

    Raises RunRefused when no run is published.
    """
    run_id: int | None = connection.scalar(text(_NEWEST))
    if run_id is None:
        raise RunRefused("No run is published yet: milkrun run makes one.")
    return run_id


def read_runs_in_view(connection: Connection, run: Run, *, origins: int) -> RunsInView:
    """Read a run beside the earlier published runs of its kind and vintages, from its newest `origins` origins."""
    rows = connection.execute(
        text("""
            SELECT * FROM milkrun.run_health h
            WHERE run_id = :run_id OR (state = 'published' AND kind = :kind AND vintages = :vintages AND origin IN (
                SELECT origin FROM milkrun.run WHERE state = 'published' AND kind = :kind AND vintages = :vintages
                  AND origin < :origin GROUP BY origin ORDER BY origin DESC LIMIT :origins))
            ORDER BY origin, run_id
        """),
        {
            "run_id": run.run_id,
            "kind": run.kind,
            "vintages": run.vintages,
            "origin": run.origin.first_day,
            "origins": origins,
        },
    )
    return RunsInView(run.run_id, {row["run_id"]: dict(row) for row in rows.mappings()})


def read_outcomes(connection: Connection, run_id: int, series_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return how a run ended for some series, in their order; a series without an outcome is left out."""
    rows = connection.execute(
        text("""
            SELECT x.series_id, s.name AS series, s.unit, x.origin, x.outcome, x.reason, x.detail, x.decision,
                   x.decision_reason, x.method
            FROM milkrun.run_series x JOIN milkrun.series s USING (series_id)
            WHERE run_id = :run_id AND series_id = ANY(:ids)
        """),
        {"run_id": run_id, "ids": list(series_ids)},
    )
    found = {row["series_id"]: dict(row) for row in rows.mappings()}
    return [found[series_id] for series_id in series_ids if series_id in found]


def read_forecasts(connection: Connection, runs: RunsInView, series_ids: Sequence[int]) -> dict[tuple[int, int], Any]:
    """Return, per series and run, a structured array with one row per horizon, in order; NaN where there is no number.

    Fields: day (of the target month, since 1970), value, seasonal_naive and the ends of the intervals.
    """
    columns = ", ".join(f"coalesce({name}, 'NaN') AS {name}" for name in ("seasonal_naive", *_INTERVALS))
    rows = copy_out_binary(
        connection,
        f"SELECT series_id, run_id, month - '1970-01-01'::date AS day, value, {columns} FROM milkrun.forecast "
        f"WHERE {_of(runs, series_ids)} ORDER BY series_id, run_id, horizon",
        _FORECAST_TYPES,
    )
    return _grouped(rows)


def read_scores(connection: Connection, runs: RunsInView, series_ids: Sequence[int]) -> dict[tuple[int, int], Any]:
    """Return, per series and run, a structured array with one row per split (its place in SPLITS) and horizon.

    Fields: split, horizon, n, rmse, baseline_rmse, skill, coverage_80 and coverage_95; NaN where there is no number.
    """
    columns = ", ".join(f"coalesce({name}, 'NaN') AS {name}" for name in _SCORE_NUMBERS)
    splits = ", ".join(repr(split) for split in SPLITS)
    rows = copy_out_binary(
        connection,
        f"SELECT series_id, run_id, array_position(ARRAY[{splits}], split) - 1 AS split, horizon::int, n, {columns} "
        f"FROM milkrun.rmse_history WHERE {_of(runs, series_ids)} ORDER BY series_id, run_id, 3, horizon",
        _SCORE_TYPES,
    )
    return _grouped(rows)


def read_changes(connection: Connection, run_id: int, names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return, per series, the rows of the view forecast_change for a run, by month."""
    rows = connection.execute(
        text(f"""
            SELECT series, month, previous_run_id, previous_origin, origin, previous_recipe, recipe, reason, previous_value,
                   change, {", ".join(PARTS)}
            FROM milkrun.forecast_change WHERE run_id = :run_id AND series = ANY(:names) ORDER BY series, month"""),
        {"run_id": run_id, "names": list(names)},
    )
    changes: dict[str, list[dict[str, Any]]] = {}
    for row in rows.mappings():
        changes.setdefault(row["series"], []).append(dict(row))
    return changes


def read_newest_month(connection: Connection, series_ids: Sequence[int]) -> tuple[Month, int]:
    """Return the newest month that any of the series has, and the newest load."""
    row = connection.execute(
        text(
            "SELECT max(month) AS month, max(load_id) AS load_id FROM milkrun.observation WHERE series_id = ANY(:ids)"
        ),
        {"ids": list(series_ids)},
    ).one()
    return Month.containing(row.month), row.load_id


def _of(runs: RunsInView, series_ids: Sequence[int]) -> str:
    """Say in SQL which series of which runs; both are whole numbers."""
    ids, run_ids = (array_of(map(int, numbers)) for numbers in (series_ids, runs.heads))
    return f"series_id = ANY({ids}::int[]) AND run_id = ANY({run_ids}::bigint[])"


def _grouped(rows: np.ndarray) -> dict[tuple[int, int], Any]:
    """Cut rows that are ordered by series and run into one array for each."""
    if len(rows) == 0:
        return {}
    new = (np.diff(rows["series_id"]) != 0) | (np.diff(rows["run_id"]) != 0)
    starts = np.concatenate([[0], np.flatnonzero(new) + 1])
    keys = zip(rows["series_id"][starts].tolist(), rows["run_id"][starts].tolist(), strict=True)
    return dict(zip(keys, np.split(rows, starts[1:]), strict=True))
