"""Scores as rows of the RMSE history, and what live scores need: earlier forecasts of months that have arrived since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from forecasting.domain.panel import BOUNDS, Values
from forecasting.storage.db.copy import array_of, copy_out_binary
from forecasting.storage.panels import ordinals, positions
from forecasting.storage.runs import BUILT_ON, RUN_PRECEDENCE, Run, built_on_parameters

LIVE_MONTHS = 12
_NUMBER_COLUMNS = ("value", "seasonal_naive")
_BASE_PATH_COLUMNS = ("base_path", *BOUNDS)  # of recipes with a base path


@dataclass(frozen=True)
class Scores:
    """The scores of forecasts in one split: train, test or live.

    measures: by column of the table rmse_history, each (series, horizon), RMSE in the unit of the series, NaN where there is
    none. Where n is 0 or the rmse is not finite, no row is stored.
    """

    series_ids: Sequence[int]
    split: str
    measures: dict[str, Values]


@dataclass(frozen=True)
class AnsweredForecasts:
    """Published forecasts for the LIVE_MONTHS months up to the origin of a run.

    paths: by column of the table `forecast`, each (series, horizon, LIVE_MONTHS), NaN where there is none; last_value is the
    last observation that a forecast used. by_champion: bool (series, LIVE_MONTHS), whether the champion of the series made
    the forecast one month ahead.
    """

    paths: dict[str, Values]
    by_champion: np.ndarray


def read_answered_forecasts(
    connection: Connection, series_ids: Sequence[int], run: Run, champions: Mapping[int, str]
) -> AnsweredForecasts | None:
    """Read the forecasts by the recipe of a run from earlier runs that it may build on; None where there are none.

    champions: by series id, the id of the bundle with the champion. Where a series has several forecasts from the same
    origin, one from a run of the same kind counts first, then the newest.
    """
    run_ids = _read_earlier_run_ids(connection, run)
    if not run_ids:
        return None
    bundle_numbers = {bundle_id: number for number, bundle_id in enumerate(sorted(set(champions.values())), 1)}
    condition = f"run_id = ANY({array_of(run_ids)}) AND series_id = ANY({array_of(series_ids)})"
    outcomes = copy_out_binary(
        connection,
        f"""SELECT series_id, run_id, coalesce(last_value, 'NaN'),
                   coalesce(array_position({array_of(bundle_numbers)}::text[], bundle_id), 0)
            FROM milkrun.run_series WHERE {condition}""",
        {"series_id": "i4", "run_id": "i8", "last_value": "f8", "bundle": "i4"},
    )
    number_columns = _NUMBER_COLUMNS + (_BASE_PATH_COLUMNS if run.request.recipe.corrects_base_path else ())
    columns = ", ".join(f"coalesce({name}, 'NaN')" for name in number_columns)
    month_before, origin = (run.request.origin - LIVE_MONTHS).first_day, run.request.origin.first_day
    forecasts = copy_out_binary(
        connection,
        f"""SELECT series_id, run_id, month - '1970-01-01'::date, horizon, {columns}
            FROM milkrun.forecast WHERE {condition} AND month > '{month_before}' AND month <= '{origin}'""",
        {"series_id": "i4", "run_id": "i8", "day": "i4", "horizon": "i2", **dict.fromkeys(number_columns, "f8")},
    )
    champion_numbers = np.array([bundle_numbers.get(champions.get(series_id, ""), -1) for series_id in series_ids])
    return _to_grids(series_ids, run_ids, run, champion_numbers, outcomes, forecasts)


_GLOBAL_RATIO = text("""
    WITH forecasted AS (
        SELECT DISTINCT ON (f.series_id, f.month) f.series_id, f.month, f.value
        FROM milkrun.run_series x JOIN milkrun.forecast f USING (run_id, series_id)
        WHERE x.run_id = ANY(CAST(:run_ids AS bigint[])) AND x.bundle_id = :bundle_id AND f.horizon = 1
          AND f.month <= :origin AND f.month > :after
        ORDER BY f.series_id, f.month, array_position(CAST(:run_ids AS bigint[]), f.run_id) DESC
    ), actual AS (
        SELECT DISTINCT ON (series_id, month) series_id, month, value
        FROM milkrun.observation WHERE month <= :origin AND month > :after AND load_id <= :as_of
        ORDER BY series_id, month, load_id DESC
    ), answered AS (
        -- PostgreSQL refuses a square too small for a float, where zero is as good.
        SELECT series_id, count(*) AS n, min(m.test_rmse) AS test_rmse,
               sqrt(avg(CASE WHEN abs(f.value - a.value) < 1e-150 THEN 0 ELSE (f.value - a.value) ^ 2 END)) AS rmse
        FROM forecasted f JOIN actual a USING (series_id, month)
        JOIN milkrun.bundle_member m USING (series_id)
        WHERE m.bundle_id = :bundle_id AND m.test_rmse > 0
        GROUP BY series_id HAVING count(*) >= :least
    )
    SELECT count(*) AS series, min(n) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY rmse / test_rmse) AS ratio
    FROM answered
""")


def read_global_ratio(connection: Connection, run: Run, bundle_id: str, *, least: int) -> tuple[int, int, float | None]:
    """Return the ratio of live to test RMSE of global networks, one month ahead.

    Returns the number of series with at least `least` forecasts whose months have arrived, the smallest number of such
    forecasts of any of them, and the median ratio over them; 0, 0, None where there are none.
    """
    row = connection.execute(
        _GLOBAL_RATIO,
        {
            "run_ids": _read_earlier_run_ids(connection, run),
            "bundle_id": bundle_id,
            "least": least,
            "origin": run.request.origin.first_day,
            "after": (run.request.origin - LIVE_MONTHS).first_day,
            "as_of": run.request.as_of,
        },
    ).one()
    return row.series, row.n or 0, row.ratio


def _read_earlier_run_ids(connection: Connection, run: Run) -> list[int]:
    """Return the ids of the runs by the same recipe and from earlier origins that `run` may build on.

    Their forecasts can reach the LIVE_MONTHS months up to its origin. The run that takes precedence is last.
    """
    # Forecasts from this origin end just before those months.
    too_early = run.request.origin - (LIVE_MONTHS + run.request.recipe.horizon)
    run_ids = connection.scalars(
        text(f"""
            SELECT run_id FROM milkrun.run
            WHERE {BUILT_ON} AND recipe_hash = :recipe_hash AND origin < :origin AND origin > :too_early
            ORDER BY {RUN_PRECEDENCE}
        """),
        {**built_on_parameters(run), "too_early": too_early.first_day},
    )
    return list(run_ids)[::-1]


def _to_grids(
    series_ids: Sequence[int],
    run_ids: Sequence[int],
    run: Run,
    champion_numbers: np.ndarray,
    outcomes: np.ndarray,
    forecasts: np.ndarray,
) -> AnsweredForecasts:
    """Arrange rows of the tables run_series (outcomes) and forecast in grids.

    champion_numbers: (series,) the number of the champion's bundle, -1 where there is none.
    """
    last_values = np.full((len(series_ids), len(run_ids)), np.nan)
    bundle_numbers = np.zeros(last_values.shape, dtype=np.int64)
    outcome_cells = positions(outcomes["series_id"], series_ids), positions(outcomes["run_id"], run_ids)
    last_values[outcome_cells], bundle_numbers[outcome_cells] = outcomes["last_value"], outcomes["bundle"]
    # Of two forecasts for one cell, the later one overwrites the earlier: the run that takes precedence must come last.
    forecasts = forecasts[np.argsort(positions(forecasts["run_id"], run_ids), kind="stable")]
    series_rows, run_columns = positions(forecasts["series_id"], series_ids), positions(forecasts["run_id"], run_ids)
    month_columns = ordinals(forecasts["day"]) - (run.request.origin + (1 - LIVE_MONTHS)).ordinal
    forecast_cells = series_rows, forecasts["horizon"] - 1, month_columns
    shape = (len(series_ids), run.request.recipe.horizon, LIVE_MONTHS)

    def grid(values: np.ndarray, missing_value: float) -> np.ndarray:
        numbers = np.full(shape, missing_value, dtype=values.dtype)
        numbers[forecast_cells] = values
        return numbers

    names = [name for name in forecasts.dtype.names or () if forecasts.dtype[name].kind == "f"]
    paths = {name: grid(forecasts[name].astype(np.float64), np.nan) for name in names}
    paths["last_value"] = grid(last_values[series_rows, run_columns], np.nan)
    by_champion = grid(bundle_numbers[series_rows, run_columns] == champion_numbers[series_rows], False)
    return AnsweredForecasts(paths, by_champion[:, 0])
