"""Forecasts as they are stored: of a run, of a series, and why they changed from run to run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from forecasting.domain.months import Month
from forecasting.domain.panel import BOUNDS, Values
from forecasting.domain.vocabulary import Cause
from forecasting.storage.db.copy import array_of, copy_out_binary
from forecasting.storage.panels import ordinals, positions, require_series
from forecasting.storage.runs import Run
from forecasting.storage.views.rows import Record, in_series_and_runs, read_arrays_by_series_and_run, read_records
from forecasting.storage.views.runs import RunHistory

NUMBER_COLUMNS = ("value", "seasonal_naive", "base_path", *BOUNDS)
_ARRAY_COLUMNS = ("seasonal_naive", "lower_80", "upper_80", "lower_95", "upper_95")
_ARRAY_TYPES = {"series_id": "i4", "run_id": "i8", "day": "i4", "value": "f8"} | dict.fromkeys(_ARRAY_COLUMNS, "f8")


@dataclass(frozen=True)
class PublishedForecasts:
    """The forecasts that a run stored for some series.

    has_forecast: bool (series,). bundle_ids: the bundle that made each forecast; None where the method used no networks.
    numbers: by column of the table `forecast`, each (series, horizon) in the unit of the series, NaN where there is none.
    """

    has_forecast: np.ndarray
    bundle_ids: tuple[str | None, ...]
    numbers: dict[str, Values]


def read_published_forecasts(
    connection: Connection, run: Run, series_ids: Sequence[int], last_months: Sequence[Month]
) -> PublishedForecasts:
    """Read the forecasts of a run for some series; a row counts only if its month is the series' last month + horizon.

    last_months: (series,) the last month of observations that each forecast used.
    """
    outcomes = connection.execute(
        text("""
            SELECT wanted.series_id, x.method IS NOT NULL AS has_forecast, x.bundle_id
            FROM unnest(CAST(:ids AS int[])) WITH ORDINALITY AS wanted (series_id, place)
            LEFT JOIN milkrun.run_series x ON x.run_id = :run AND x.series_id = wanted.series_id ORDER BY place
        """),
        {"run": run.run_id, "ids": list(series_ids)},
    ).all()
    columns = ", ".join(f"coalesce({name}, 'NaN')" for name in NUMBER_COLUMNS)
    sql_ids = array_of(map(int, series_ids))
    rows = copy_out_binary(
        connection,
        f"""SELECT series_id, horizon, month - '1970-01-01'::date, {columns}
            FROM milkrun.forecast WHERE run_id = {int(run.run_id)} AND series_id = ANY({sql_ids}::int[])""",
        {"series_id": "i4", "horizon": "i2", "day": "i4", **dict.fromkeys(NUMBER_COLUMNS, "f8")},
    )
    grid_rows = positions(rows["series_id"], series_ids) if len(rows) else np.empty(0, np.int64)
    origins = np.array([month.ordinal for month in last_months], np.int64)
    is_on_time = ordinals(rows["day"]) == origins[grid_rows] + rows["horizon"]
    horizon = max(run.request.recipe.horizon, int(rows["horizon"].max(initial=0)))
    numbers = {name: np.full((len(series_ids), horizon), np.nan) for name in NUMBER_COLUMNS}
    for name, grid in numbers.items():
        grid[grid_rows[is_on_time], rows["horizon"][is_on_time] - 1] = rows[name][is_on_time]
    has_forecast = np.array([bool(row.has_forecast) for row in outcomes], dtype=bool)
    return PublishedForecasts(has_forecast, tuple(row.bundle_id for row in outcomes), numbers)


def read_forecast_arrays(
    connection: Connection, history: RunHistory, series_ids: Sequence[int]
) -> dict[tuple[int, int], np.ndarray]:
    """Return, by series id and run id, a structured array with one row per horizon, in ascending order.

    Fields: day (first of the target month, in days since 1970), value, seasonal_naive and the bounds of the intervals; NaN
    where there is no number.
    """
    columns = ", ".join(f"coalesce({name}, 'NaN') AS {name}" for name in _ARRAY_COLUMNS)
    return read_arrays_by_series_and_run(
        connection,
        f"SELECT series_id, run_id, month - '1970-01-01'::date AS day, value, {columns} FROM milkrun.forecast "
        f"WHERE {in_series_and_runs(series_ids, list(history.health))} ORDER BY series_id, run_id, horizon",
        _ARRAY_TYPES,
    )


def read_forecast_records(connection: Connection, run: Run, *, limit: int) -> list[Record]:
    """Return at most `limit` forecasts of a run, by series and month; of larger runs only one month ahead."""
    recipe_horizon = run.request.recipe.horizon
    return read_records(
        connection,
        """
        SELECT series, to_char(month, 'YYYY-MM') AS month, value AS forecast, lower_95, upper_95, seasonal_naive, unit,
               method
        FROM milkrun.forecast_history WHERE run_id = :run_id AND horizon <= :horizon
        ORDER BY series, milkrun.forecast_history.month LIMIT :limit""",
        run_id=run.run_id,
        horizon=recipe_horizon if len(run.request.series_ids) * recipe_horizon <= limit else 1,
        limit=limit,
    )


def read_changes_of_run(connection: Connection, run_id: int, names: Sequence[str]) -> dict[str, list[Record]]:
    """Return, by name of the series, the rows of the view forecast_change for a run, in the order of months."""
    rows = read_records(
        connection,
        f"""
        SELECT series, month, previous_run_id, previous_origin, origin, previous_recipe, recipe, reason, previous_value,
               change, {", ".join(Cause)}
        FROM milkrun.forecast_change WHERE run_id = :run_id AND series = ANY(:names) ORDER BY series, month""",
        run_id=run_id,
        names=list(names),
    )
    changes: dict[str, list[Record]] = {}
    for row in rows:
        changes.setdefault(row["series"], []).append(row)
    return changes


@dataclass(frozen=True)
class NewestForecast:
    """The newest published live forecast of a series.

    values, seasonal_naive: (horizon,) in the unit of the series. intervals: lower and upper bounds, each (horizon,), by
    level 80 or 95, where the forecast has them.
    """

    series_id: int
    unit: str | None
    run_id: int
    values: Values
    seasonal_naive: Values
    intervals: dict[int, tuple[Values, Values]]


def read_newest_forecast(connection: Connection, name: str) -> NewestForecast | None:
    """Return the newest published live forecast of a series; None where there is none.

    Raises InputError when there is no series of that name.
    """
    series_id = require_series(connection, name)
    rows = connection.execute(
        text("SELECT * FROM milkrun.latest_forecast WHERE series = :name ORDER BY horizon"), {"name": name}
    ).all()
    if not rows:
        return None
    columns = {
        column: np.array([getattr(row, column) for row in rows], dtype=np.float64)
        for column in ("value", *_ARRAY_COLUMNS)
    }
    bounds = {level: (columns[f"lower_{level}"], columns[f"upper_{level}"]) for level in (80, 95)}
    intervals = {level: low_and_high for level, low_and_high in bounds.items() if np.isfinite(low_and_high).all()}
    return NewestForecast(
        series_id, rows[0].unit, rows[0].run_id, columns["value"], columns["seasonal_naive"], intervals
    )
