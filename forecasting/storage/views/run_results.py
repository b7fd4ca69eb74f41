"""What a published run found, as rows for people: decisions, forecasts, scores, and the months before them."""

from typing import Any

from sqlalchemy import Connection, text

from forecasting.storage.runs import Run

Rows = list[dict[str, Any]]

_DECISIONS = text("""
    SELECT coalesce(decision, 'no network') AS decision, coalesce(decision_reason, reason) AS reason, count(*) AS series,
           min(series) AS "such as"
    FROM milkrun.run_outcome WHERE run_id = :run GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2
""")
_OUTCOMES = text("""
    SELECT outcome, reason, count(*) AS series, min(series) AS "such as"
    FROM milkrun.run_outcome WHERE run_id = :run GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2
""")
_FORECASTS = text("""
    SELECT series, to_char(month, 'YYYY-MM') AS month, value AS forecast, lower_95, upper_95, seasonal_naive, unit, method
    FROM milkrun.forecast_history WHERE run_id = :run AND horizon <= :horizons
    ORDER BY series, milkrun.forecast_history.month LIMIT :most
""")
# A live score says more than one of the test part; the least skilful come first, those without a baseline last.
_SCORES = text("""
    SELECT series, split, horizon, n AS months, rmse, baseline_rmse AS seasonal_naive_rmse, skill, unit
    FROM milkrun.rmse_trend WHERE run_id = :run AND split = ANY(:splits)
    ORDER BY split = 'live' DESC, split, skill NULLS LAST, rmse DESC, series, horizon LIMIT :most
""")
_OBSERVED = text("""
    SELECT series, to_char(month, 'YYYY-MM') AS month, value FROM (
        SELECT DISTINCT ON (s.name, o.month) s.name AS series, o.month, o.value
        FROM milkrun.observation o JOIN milkrun.series s USING (series_id)
        WHERE series_id = ANY(:ids) AND load_id <= :as_of AND o.month > :after AND o.month <= :origin
        ORDER BY s.name, o.month, load_id DESC) newest
    ORDER BY series, newest.month
""")


def read_decisions(connection: Connection, run: Run) -> Rows:
    """Count the series retrained, reused and done without a network, by reason; the most frequent first."""
    return _rows(connection, _DECISIONS, run=run.run_id)


def read_outcomes(connection: Connection, run: Run) -> Rows:
    """Count the series by outcome and reason; the most frequent first."""
    return _rows(connection, _OUTCOMES, run=run.run_id)


def read_forecasts(connection: Connection, run: Run, *, most: int) -> Rows:
    """Return at most `most` forecasts, by series and month; of larger runs those of the next month only."""
    horizons = run.recipe.horizon if len(run.series_ids) * run.recipe.horizon <= most else 1
    return _rows(connection, _FORECASTS, run=run.run_id, horizons=horizons, most=most)


def read_scores(connection: Connection, run: Run, *, most: int) -> Rows:
    """Return at most `most` rows of the RMSE history that the run wrote, the least skilful first within a split."""
    return _rows(connection, _SCORES, run=run.run_id, most=most, splits=["live", "test", "train"])


def read_worst(connection: Connection, run: Run, *, most: int) -> Rows:
    """Return the least skilful scores of forecasts that were answered, or of the test part before there are any."""
    live, test = (_rows(connection, _SCORES, run=run.run_id, most=most, splits=[split]) for split in ("live", "test"))
    return live or test


def read_observed(connection: Connection, run: Run, *, months: int) -> Rows:
    """Return the last months that the run could know of each of its series."""
    return _rows(
        connection,
        _OBSERVED,
        ids=list(run.series_ids),
        as_of=run.as_of,
        origin=run.origin.first_day,
        after=(run.origin + -months).first_day,
    )


def _rows(connection: Connection, query: Any, **parameters: Any) -> Rows:
    return [dict(row) for row in connection.execute(query, parameters).mappings()]
