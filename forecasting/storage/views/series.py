"""Reading the views about one series: how it stands, its forecasts beside what happened, its RMSE over time."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from forecasting.domain.months import Month
from forecasting.storage.panels import require_series

Rows = tuple[list[str], list[Sequence[Any]]]


def read_health(connection: Connection, name: str) -> dict[str, Any]:
    """Return the row of series_health; raises InputError for an unknown series."""
    require_series(connection, name)
    row = connection.execute(text("SELECT * FROM milkrun.series_health WHERE series = :name"), {"name": name})
    return dict(row.mappings().one())


def read_latest_forecast(connection: Connection, name: str) -> Rows:
    """Return the newest published live forecast of a series, one row per target month."""
    return _rows(
        connection,
        """
        SELECT month, horizon, value AS forecast, lower_80, upper_80, lower_95, upper_95, seasonal_naive, origin, method,
               recipe, published_at, run_id
        FROM milkrun.latest_forecast WHERE series = :name ORDER BY month""",
        name=name,
    )


def read_latest_rmse(connection: Connection, name: str) -> Rows:
    """Return the newest RMSE of a series, one row per recipe, split and horizon."""
    return _rows(
        connection,
        """
        SELECT recipe, split, horizon, n, rmse, baseline_rmse AS seasonal_naive_rmse, skill, coverage_80, coverage_95,
               run_origin
        FROM milkrun.latest_rmse WHERE series = :name
        ORDER BY recipe, array_position(ARRAY['train', 'test', 'live'], split), horizon""",
        name=name,
    )


def read_history(connection: Connection, name: str, *, kind: str, horizon: int) -> Rows:
    """Return the published forecasts of a series `horizon` months ahead beside what happened, the oldest first.

    Raises InputError for an unknown series.
    """
    require_series(connection, name)
    return _rows(
        connection,
        """
        SELECT month, forecast, actual, error, seasonal_naive, seasonal_naive_error, inside_80, inside_95, unit, origin,
               method, recipe, published_at, run_id
        FROM milkrun.forecast_versus_actual WHERE series = :name AND kind = :kind AND horizon = :horizon
        ORDER BY month, run_id""",
        name=name,
        kind=kind,
        horizon=horizon,
    )


def read_rmse_trend(connection: Connection, name: str, *, kind: str, horizon: int) -> Rows:
    """Return the RMSE of a series `horizon` months ahead as each run found it; raises InputError for an unknown series."""
    require_series(connection, name)
    return _rows(
        connection,
        """
        SELECT run_origin, split, n, rmse, rmse_first, baseline_rmse AS seasonal_naive_rmse, skill, coverage_80, coverage_95,
               unit, recipe, published_at, run_id
        FROM milkrun.rmse_trend WHERE series = :name AND kind = :kind AND horizon = :horizon
        ORDER BY run_origin, run_id, array_position(ARRAY['train', 'test', 'live'], split)""",
        name=name,
        kind=kind,
        horizon=horizon,
    )


def read_change(connection: Connection, name: str, month: Month | None) -> Rows:
    """Return how the forecasts of a series moved: those of its newest live run, or of one target month by every run.

    The oldest first; raises InputError for an unknown series.
    """
    require_series(connection, name)
    newest = """run_id = (SELECT run_id FROM milkrun.latest_forecast WHERE series = :name LIMIT 1)"""
    return _rows(
        connection,
        f"""
        SELECT month, previous_origin, origin, previous_value, value, change, new_months, revisions, network, recipe_change,
               reason, unit, previous_recipe, recipe, previous_run_id, run_id
        FROM milkrun.forecast_change WHERE series = :name AND {"month = :month" if month else newest}
        ORDER BY origin, run_id, month""",
        name=name,
        month=month and month.first_day,
    )


def _rows(connection: Connection, query: str, **parameters: Any) -> Rows:
    result = connection.execute(text(query), parameters)
    return list(result.keys()), [tuple(row) for row in result]
