"""Scores as rows of the RMSE history, and earlier forecasts whose months have come, for live ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from forecasting.domain.panel import Values
from forecasting.storage.db.copy import array_of, copy_out_binary
from forecasting.storage.panels import positions
from forecasting.storage.runs import BUILT_ON, FIRST_TO_COUNT, Request, Run, built_on_parameters

LIVE_WINDOW = 12
PATHS = ("value", "seasonal_naive")
CORRECTED = ("base_path", "lower_95", "lower_80", "upper_80", "upper_95")  # of recipes with a base path


@dataclass(frozen=True)
class Scores:
    """How forecasts of one split did.

    measures: by their column of rmse_history, each (series, horizon), RMSE in the unit of the series, NaN where not known.
    Where n is 0 or the rmse is not finite there is no row.
    """

    series_ids: Sequence[int]
    split: str
    measures: dict[str, Values]


@dataclass(frozen=True)
class AnsweredForecasts:
    """Published forecasts of the LIVE_WINDOW months up to a run's origin, for some series.

    paths: by name, each (series, horizon, months), NaN where there is none. by_champion: bool (series, months), whether the
    present network made the forecast one month ahead.
    """

    paths: dict[str, Values]
    by_champion: np.ndarray


def read_answered_forecasts(
    connection: Connection, series_ids: Sequence[int], run: Run | Request, champions: Mapping[int, str]
) -> AnsweredForecasts | None:
    """Read forecasts by the run's recipe, from earlier runs that it may build on; None where there are none.

    champions: the bundle of each series' present network. Where a series was forecast more than once from the same
    origin, its own kind's and then the newest forecast counts.
    """
    run_ids = _runs_before(connection, run)
    if not run_ids:
        return None
    numbers = {bundle_id: number for number, bundle_id in enumerate(sorted(set(champions.values())), 1)}
    chosen = f"run_id = ANY({array_of(run_ids)}) AND series_id = ANY({array_of(series_ids)})"
    ended = copy_out_binary(
        connection,
        f"""SELECT series_id, run_id, coalesce(last_value, 'NaN'),
                   coalesce(array_position({array_of(numbers)}::text[], bundle_id), 0)
            FROM milkrun.run_series WHERE {chosen}""",
        {"series_id": "i4", "run_id": "i8", "last_value": "f8", "bundle": "i4"},
    )
    names = PATHS + (CORRECTED if run.recipe.corrects else ())
    known = ", ".join(f"coalesce({name}, 'NaN')" for name in names)
    after = (run.origin + -LIVE_WINDOW).first_day
    made = copy_out_binary(
        connection,
        f"""SELECT series_id, run_id, month - '1970-01-01'::date, horizon, {known}
            FROM milkrun.forecast WHERE {chosen} AND month > '{after}' AND month <= '{run.origin.first_day}'""",
        {"series_id": "i4", "run_id": "i8", "day": "i4", "horizon": "i2", **dict.fromkeys(names, "f8")},
    )
    present = np.array([numbers.get(champions.get(series_id, ""), -1) for series_id in series_ids])
    return _on_grids(series_ids, run_ids, run, present, ended, made)


_SHARED_RATIO = text("""
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


def read_global_ratio(
    connection: Connection, run: Run | Request, bundle_id: str, *, least: int
) -> tuple[int, int, float | None]:
    """Compare live and test RMSE of networks that series share, one month ahead.

    Returns how many series have at least `least` answered forecasts, the fewest that any of them has, and the median
    ratio of live to test RMSE; 0, 0, None where there are none.
    """
    row = connection.execute(
        _SHARED_RATIO,
        {
            "run_ids": _runs_before(connection, run),
            "bundle_id": bundle_id,
            "least": least,
            "origin": run.origin.first_day,
            "after": (run.origin + -LIVE_WINDOW).first_day,
            "as_of": run.as_of,
        },
    ).one()
    return row.series, row.n or 0, row.ratio


def _runs_before(connection: Connection, run: Run | Request) -> list[int]:
    """Return the earlier runs that can have forecast a month of the window, the first to count last."""
    found = connection.scalars(
        text(f"""
            SELECT run_id FROM milkrun.run
            WHERE {BUILT_ON} AND recipe_hash = :recipe_hash AND origin < :origin AND origin > :too_early
            ORDER BY {FIRST_TO_COUNT}
        """),
        {**built_on_parameters(run), "too_early": (run.origin + -(LIVE_WINDOW + run.recipe.horizon)).first_day},
    )
    return list(found)[::-1]


def _on_grids(
    series_ids: Sequence[int],
    run_ids: Sequence[int],
    run: Run | Request,
    present: np.ndarray,
    ended: np.ndarray,
    made: np.ndarray,
) -> AnsweredForecasts:
    """Put rows of run_series and of forecast into their places; present: (series,) number of each champion's bundle."""
    last_value = np.full((len(series_ids), len(run_ids)), np.nan)
    bundle = np.zeros(last_value.shape, dtype=np.int64)
    where = positions(ended["series_id"], series_ids), positions(ended["run_id"], run_ids)
    last_value[where], bundle[where] = ended["last_value"], ended["bundle"]
    # Of two forecasts for one place, the one that counts first comes last and stays.
    made = made[np.argsort(positions(made["run_id"], run_ids), kind="stable")]
    rows, runs = positions(made["series_id"], series_ids), positions(made["run_id"], run_ids)
    months = (
        made["day"].astype("datetime64[D]").astype("datetime64[M]") - (run.origin + (1 - LIVE_WINDOW)).to_datetime64()
    )
    places = rows, made["horizon"] - 1, months.astype(np.int64)
    shape = (len(series_ids), run.recipe.horizon, LIVE_WINDOW)

    def grid(values: np.ndarray, empty: float) -> np.ndarray:
        whole = np.full(shape, empty, dtype=values.dtype)
        whole[places] = values
        return whole

    names = [name for name in made.dtype.names or () if made.dtype[name].kind == "f"]
    paths = {name: grid(made[name].astype(np.float64), np.nan) for name in names}
    paths["last_value"] = grid(last_value[rows, runs], np.nan)
    return AnsweredForecasts(paths, grid(bundle[rows, runs] == present[rows], False)[:, 0])
