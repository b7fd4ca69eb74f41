"""One series: its health, its forecasts beside the actual values, its RMSE over time, and why its forecasts changed."""

from sqlalchemy import Connection

from forecasting.domain.months import Month
from forecasting.domain.vocabulary import Split, sql_list
from forecasting.storage.panels import require_series
from forecasting.storage.views.rows import Record, Table, read_records, read_table

_SPLITS = sql_list(Split)


def read_series_health(connection: Connection, name: str) -> Record:
    """Return the row of the view series_health for a series; raises InputError for an unknown series."""
    require_series(connection, name)
    [health] = read_records(connection, "SELECT * FROM milkrun.series_health WHERE series = :name", name=name)
    return health


def read_latest_forecast(connection: Connection, name: str) -> Table:
    """Return the newest published live forecast of a series, one row per target month."""
    return read_table(
        connection,
        """
        SELECT month, horizon, value AS forecast, lower_80, upper_80, lower_95, upper_95, seasonal_naive, origin, method,
               recipe, published_at, run_id
        FROM milkrun.latest_forecast WHERE series = :name ORDER BY month""",
        name=name,
    )


def read_latest_rmse(connection: Connection, name: str) -> Table:
    """Return the newest RMSE of a series, one row per recipe, split and horizon."""
    return read_table(
        connection,
        f"""
        SELECT recipe, split, horizon, n, rmse, baseline_rmse AS seasonal_naive_rmse, skill, coverage_80, coverage_95,
               run_origin
        FROM milkrun.latest_rmse WHERE series = :name
        ORDER BY recipe, array_position(ARRAY[{_SPLITS}], split), horizon""",
        name=name,
    )


def read_forecasts_and_actuals(connection: Connection, name: str, *, kind: str, horizon: int) -> Table:
    """Return the published forecasts of a series `horizon` months ahead beside the actual values, the oldest first.

    Raises InputError for an unknown series.
    """
    require_series(connection, name)
    return read_table(
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


def read_rmse_trend(connection: Connection, name: str, *, kind: str, horizon: int) -> Table:
    """Return the RMSE of a series `horizon` months ahead from each run; raises InputError for an unknown series."""
    require_series(connection, name)
    return read_table(
        connection,
        f"""
        SELECT run_origin, split, n, rmse, rmse_first, baseline_rmse AS seasonal_naive_rmse, skill, coverage_80, coverage_95,
               unit, recipe, published_at, run_id
        FROM milkrun.rmse_trend WHERE series = :name AND kind = :kind AND horizon = :horizon
        ORDER BY run_origin, run_id, array_position(ARRAY[{_SPLITS}], split)""",
        name=name,
        kind=kind,
        horizon=horizon,
    )


def read_changes_of_series(connection: Connection, name: str, month: Month | None) -> Table:
    """Return how the forecasts of a series changed from run to run, the oldest change first.

    month: the target month, in all runs; None: all target months of the newest live run.
    Raises InputError for an unknown series.
    """
    require_series(connection, name)
    in_newest_run = """run_id = (SELECT run_id FROM milkrun.latest_forecast WHERE series = :name LIMIT 1)"""
    return read_table(
        connection,
        f"""
        SELECT month, previous_origin, origin, previous_value, value, change, new_months, revisions, network, recipe_change,
               reason, unit, previous_recipe, recipe, previous_run_id, run_id
        FROM milkrun.forecast_change WHERE series = :name AND {"month = :month" if month else in_newest_run}
        ORDER BY origin, run_id, month""",
        name=name,
        month=month and month.first_day,
    )
