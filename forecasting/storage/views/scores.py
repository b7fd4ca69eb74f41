"""Scores of runs: the rows of the RMSE history."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection

from forecasting.domain.vocabulary import Split, sql_list
from forecasting.storage.views.rows import Record, in_series_and_runs, read_arrays_by_series_and_run, read_records
from forecasting.storage.views.runs import RunHistory

SPLITS = tuple(Split)
SCORE_COLUMNS = ("rmse", "baseline_rmse", "skill", "coverage_80", "coverage_95")
_TYPES = {"series_id": "i4", "run_id": "i8", "split": "i4", "horizon": "i4", "n": "i4"} | dict.fromkeys(
    SCORE_COLUMNS, "f8"
)


def read_score_arrays(
    connection: Connection, history: RunHistory, series_ids: Sequence[int]
) -> dict[tuple[int, int], np.ndarray]:
    """Return, by series id and run id, a structured array with one row per split and horizon.

    Fields: split (its position in SPLITS), horizon, n, rmse, baseline_rmse, skill, coverage_80 and coverage_95; NaN where
    there is no number.
    """
    columns = ", ".join(f"coalesce({name}, 'NaN') AS {name}" for name in SCORE_COLUMNS)
    splits = sql_list(SPLITS)
    return read_arrays_by_series_and_run(
        connection,
        f"SELECT series_id, run_id, array_position(ARRAY[{splits}], split) - 1 AS split, horizon::int, n, {columns} "
        f"FROM milkrun.rmse_history WHERE {in_series_and_runs(series_ids, list(history.health))} "
        "ORDER BY series_id, run_id, 3, horizon",
        _TYPES,
    )


def read_score_records(
    connection: Connection, run_id: int, *, limit: int, splits: Sequence[str] = SPLITS
) -> list[Record]:
    """Return at most `limit` scores of a run: live before test before train, within a split the least skilful first.

    Scores without a baseline have no skill and come last.
    """
    return read_records(
        connection,
        """
        SELECT series, split, horizon, n AS months, rmse, baseline_rmse AS seasonal_naive_rmse, skill, unit
        FROM milkrun.rmse_trend WHERE run_id = :run_id AND split = ANY(:splits)
        ORDER BY split = 'live' DESC, split, skill NULLS LAST, rmse DESC, series, horizon LIMIT :limit""",
        run_id=run_id,
        splits=list(splits),
        limit=limit,
    )


def read_worst_scores(connection: Connection, run_id: int, *, limit: int) -> list[Record]:
    """Return the least skilful live scores of a run; of the test part where the run has no live scores."""
    live, test = (
        read_score_records(connection, run_id, limit=limit, splits=[split]) for split in (Split.LIVE, Split.TEST)
    )
    return live or test
