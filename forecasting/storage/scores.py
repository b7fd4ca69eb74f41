"""Live RMSE: earlier forecasts against the actuals that have since arrived."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from forecasting.storage.runs import Request, Run

LIVE_WINDOW = 12


@dataclass(frozen=True)
class Score:
    """One row of the RMSE history; rmse and baseline_rmse in the unit of the series."""

    series_id: int
    split: str
    horizon: int
    n: int
    rmse: float
    baseline_rmse: float | None
    skill: float | None
    naive_rmse: float | None = None
    base_path_rmse: float | None = None
    coverage_80: float | None = None
    coverage_95: float | None = None


def _square(difference: str) -> str:
    """Square in SQL; PostgreSQL refuses a product too small for a float, where zero is as good."""
    return f"CASE WHEN abs({difference}) < 1e-150 THEN 0 ELSE ({difference}) ^ 2 END"


# Where a series was forecast more than once from the same origin, the newest forecast counts.
_SCORED = f"""
    WITH forecasted AS (
        SELECT DISTINCT ON (f.series_id, x.origin, f.horizon)
               f.series_id, f.horizon, f.month, f.value, f.seasonal_naive, x.last_value, f.base_path,
               f.lower_80, f.upper_80, f.lower_95, f.upper_95, x.bundle_id
        FROM milkrun.run r
        JOIN milkrun.run_series x USING (run_id)
        JOIN milkrun.forecast f USING (run_id, series_id)
        WHERE r.state = 'published' AND r.kind = :kind AND r.vintages = :vintages AND r.recipe_hash = :recipe_hash
          AND r.origin < :origin AND r.as_of <= :as_of AND f.series_id = ANY(:ids)
          AND f.month <= :origin AND f.month > :after
        ORDER BY f.series_id, x.origin, f.horizon, r.run_id DESC
    ), actual AS (
        SELECT DISTINCT ON (series_id, month) series_id, month, value AS actual
        FROM milkrun.observation
        WHERE series_id = ANY(:ids) AND month <= :origin AND month > :after AND load_id <= :as_of
        ORDER BY series_id, month, load_id DESC
    ), scored AS (
        SELECT f.*, {_square("f.value - a.actual")} AS square, {_square("f.seasonal_naive - a.actual")} AS baseline_square,
               {_square("f.last_value - a.actual")} AS naive_square, {_square("f.base_path - a.actual")} AS base_square,
               a.actual BETWEEN f.lower_80 AND f.upper_80 AS inside_80,
               a.actual BETWEEN f.lower_95 AND f.upper_95 AS inside_95
        FROM forecasted f JOIN actual a USING (series_id, month)
    )
"""

_LIVE_SCORES = text(f"""{_SCORED}
    SELECT series_id, horizon, count(*) AS n, sqrt(avg(square)) AS rmse, sqrt(avg(baseline_square)) AS baseline_rmse,
           sqrt(avg(square) FILTER (WHERE baseline_square IS NOT NULL)) AS rmse_beside_baseline,
           sqrt(avg(naive_square)) AS naive_rmse, sqrt(avg(base_square)) AS base_path_rmse,
           avg(inside_80::int)::float AS coverage_80, avg(inside_95::int)::float AS coverage_95
    FROM scored GROUP BY series_id, horizon ORDER BY series_id, horizon
""")

_BUNDLE_SCORES = text(f"""{_SCORED}
    SELECT series_id, bundle_id, count(*) AS n, sqrt(avg(square)) AS rmse
    FROM scored WHERE horizon = 1 AND bundle_id IS NOT NULL GROUP BY series_id, bundle_id
""")


_SHARED_RATIO = text(f"""{_SCORED}
    SELECT count(*) AS series, min(n) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY rmse / test_rmse) AS ratio
    FROM (
        SELECT series_id, count(*) AS n, sqrt(avg(square)) AS rmse, min(m.test_rmse) AS test_rmse
        FROM scored JOIN milkrun.bundle_member m USING (bundle_id, series_id)
        WHERE horizon = 1 AND bundle_id = :bundle_id AND m.test_rmse > 0
        GROUP BY series_id HAVING count(*) >= :least
    ) AS answered
""")


def read_live_scores(connection: Connection, series_ids: Sequence[int], run: Run | Request) -> list[Score]:
    """Score published forecasts of the run's recipe, kind and vintages for the twelve months up to its origin.

    One score per series and horizon. Actuals are those known at the run's as_of; the skill is on the months that have a
    seasonal naive.
    """
    rows = connection.execute(_LIVE_SCORES, _parameters(series_ids, run))
    return [
        Score(
            row.series_id,
            "live",
            row.horizon,
            row.n,
            row.rmse,
            row.baseline_rmse,
            _skill(row.rmse_beside_baseline, row.baseline_rmse),
            row.naive_rmse,
            row.base_path_rmse,
            row.coverage_80,
            row.coverage_95,
        )
        for row in rows
    ]


def read_bundle_scores(
    connection: Connection, series_ids: Sequence[int], run: Run | Request
) -> dict[tuple[int, str], tuple[int, float]]:
    """Return, per series and bundle, how many one-month-ahead forecasts were answered and their RMSE."""
    rows = connection.execute(_BUNDLE_SCORES, _parameters(series_ids, run))
    return {(row.series_id, row.bundle_id): (row.n, row.rmse) for row in rows}


def read_shared_ratio(
    connection: Connection, run: Run | Request, bundle_id: str, *, least: int
) -> tuple[int, int, float | None]:
    """Compare live and test RMSE of networks that series share, one month ahead.

    Returns how many series have at least `least` answered forecasts, the fewest that any of them has, and the median
    ratio of live to test RMSE; 0, 0, None where there are none.
    """
    parameters = {**_parameters(run.series_ids, run), "bundle_id": bundle_id, "least": least}
    row = connection.execute(_SHARED_RATIO, parameters).one()
    return row.series, row.n or 0, row.ratio


def _parameters(series_ids: Sequence[int], run: Run | Request) -> dict[str, object]:
    return {
        "ids": list(series_ids),
        "kind": run.kind,
        "vintages": run.vintages,
        "recipe_hash": run.recipe.hash,
        "origin": run.origin.first_day,
        "after": (run.origin + -LIVE_WINDOW).first_day,
        "as_of": run.as_of,
    }


def _skill(rmse: float | None, baseline_rmse: float | None) -> float | None:
    if rmse is None or baseline_rmse is None:
        return None
    if baseline_rmse == 0:
        return 0.0 if rmse == 0 else None
    return 1.0 - rmse / baseline_rmse
