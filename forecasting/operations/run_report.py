"""The page of a published run: what is stored about every series is gathered, some series at a time, and written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from forecasting.domain.errors import RunRefused
from forecasting.domain.panel import Panel, Values, histories_of
from forecasting.domain.vocabulary import Cause, RunState
from forecasting.operations.series_review import predict_past
from forecasting.reports.charts import Line
from forecasting.reports.page import write_page
from forecasting.storage.db.database import Database
from forecasting.storage.panels import read_panel
from forecasting.storage.runs import Run, read_run
from forecasting.storage.views.forecasts import read_changes_of_run, read_forecast_arrays
from forecasting.storage.views.months import read_newest_observation
from forecasting.storage.views.rows import Record
from forecasting.storage.views.runs import RunHistory, find_newest_published_run, read_run_history, read_series_outcomes
from forecasting.storage.views.scores import SCORE_COLUMNS, SPLITS, read_score_arrays

EARLIER_ORIGINS = 12
BATCH = 500
# Asking networks about every month of the past costs a hundred times what a forecast does: larger runs show its end only.
WHOLE_PAST_UP_TO = 1000
PAST_MONTHS = 24


def report_run(database: Database, run_id: int | None, folder: Path | None = None) -> Path:
    """Write the page of a published run (None: the newest) into a folder and return its index.html.

    folder: None means `report-RUN` where the command was given. Raises RunRefused when there is no such published run.
    """
    with database.reading() as connection:
        run = read_run(connection, find_newest_published_run(connection) if run_id is None else run_id)
        if run.state != RunState.PUBLISHED:
            raise RunRefused(
                f"Run {run.run_id} is not published yet: milkrun run publishes it, going on where it ended."
            )
        history = read_run_history(connection, run, origins=EARLIER_ORIGINS)
    run_row = {name: _json_value(value) for name, value in history.health[run.run_id].items()}
    return write_page(folder or Path(f"report-{run.run_id}"), run_row, _cards(database, run, history))


def _cards(database: Database, run: Run, history: RunHistory) -> Iterator[dict[str, Any]]:
    """Give everything that the page shows of each series of a run, as JSON values."""
    past_months = None if len(run.request.series_ids) <= WHOLE_PAST_UP_TO else PAST_MONTHS
    for first_series in range(0, len(run.request.series_ids), BATCH):
        series_ids = run.request.series_ids[first_series : first_series + BATCH]
        with database.reading() as connection:
            outcomes = read_series_outcomes(connection, run.run_id, series_ids)
            newest_month, newest_load = read_newest_observation(connection, series_ids)
            newest_origin = max(newest_month, run.request.origin)
            newest_panel = read_panel(connection, series_ids, origin=newest_origin, as_of=newest_load)
            run_panel = read_panel(connection, series_ids, origin=run.request.origin, as_of=run.request.as_of)
            forecasts = read_forecast_arrays(connection, history, series_ids)
            scores = read_score_arrays(connection, history, series_ids)
            changes = read_changes_of_run(connection, run.run_id, [outcome["series"] for outcome in outcomes])
        past_lines = predict_past(database, run, run_panel, past_months=past_months)
        lines = _observed_lines(newest_panel)
        for outcome in outcomes:
            series_id = outcome.pop("series_id")
            run_ids = _newest_run_of_each_origin(series_id, history, forecasts, scores)
            train_line, test_line = past_lines.by_series.get(series_id, (None, None))
            yield {
                **{name: _json_value(value) for name, value in outcome.items()},
                "observed": _line(lines.get(series_id), exact=True),
                "train": _line(train_line),
                "test": _line(test_line),
                "missing_predictions_reason": past_lines.failures.get(series_id),
                "forecast": _forecast(history.health[run.run_id], forecasts.get((series_id, run.run_id))),
                "earlier": [
                    _forecast(history.health[run_id], forecasts[series_id, run_id])
                    for run_id in run_ids
                    if run_id != run.run_id and (series_id, run_id) in forecasts
                ],
                "scores": [
                    split_scores
                    for run_id in run_ids
                    for split_scores in _scores(history.health[run_id], scores.get((series_id, run_id)))
                ],
                "changes": _changes(changes.get(outcome["series"])),
            }


def _newest_run_of_each_origin(
    series_id: int, history: RunHistory, *arrays: dict[tuple[int, int], np.ndarray]
) -> list[int]:
    """Return the newest run of each earlier origin, the oldest origin first, and the run of the page last.

    arrays: by series and run; only runs that have rows for the series in one of them are returned.
    """
    run_ids = [run_id for run_id in history.earlier_run_ids if any((series_id, run_id) in table for table in arrays)]
    return [*{history.health[run_id]["origin"]: run_id for run_id in run_ids}.values(), history.run_id]


def _observed_lines(panel: Panel) -> dict[int, Line]:
    histories = histories_of(panel)
    return {
        series_id: Line(histories.last_months[row] + (1 - length), histories.values[row, :length])
        for row, (series_id, length) in enumerate(zip(panel.series_ids, histories.lengths.tolist(), strict=True))
        if length
    }


def _line(line: Line | None, *, exact: bool = False) -> list[Any] | None:
    """Return a line as its first month and its numbers; exact: with all digits."""
    if line is None or len(line.values) == 0:
        return None
    return [str(line.first), _missing_as_none(line.values) if exact else _numbers(line.values)]


def _forecast(run_row: Record, rows: np.ndarray | None) -> dict[str, Any] | None:
    """Return the forecast of a series in a run; rows: one per month, None where the run has none."""
    if rows is None:
        return None
    first = np.datetime64(int(rows["day"][0]), "D").astype("datetime64[M]")
    columns = ("value", "seasonal_naive", "lower_80", "upper_80", "lower_95", "upper_95")
    return {
        **{name: _json_value(run_row[name]) for name in ("run_id", "origin", "recipe")},
        "first": str(first),
        **{name: _numbers(rows[name]) for name in columns if not np.isnan(rows[name]).all()},
    }


def _scores(run_row: Record, rows: np.ndarray | None) -> list[dict[str, Any]]:
    """Return the scores of a series in a run, one object per split that has any, as columns over the horizons.

    run_row: of the view run_health. rows: one per split and horizon, None where the run has no scores of the series.
    """
    scores: list[dict[str, Any]] = []
    if rows is None:
        return scores
    for split_number, split in enumerate(SPLITS):
        split_rows = rows[rows["split"] == split_number]
        if len(split_rows) == 0:
            continue
        scores.append(
            {
                **{name: _json_value(run_row[name]) for name in ("run_id", "origin", "recipe")},
                "split": split,
                "horizon": split_rows["horizon"].tolist(),
                "n": split_rows["n"].tolist(),
                **{name: _numbers(split_rows[name]) for name in SCORE_COLUMNS if not np.isnan(split_rows[name]).all()},
            }
        )
    return scores


def _changes(rows: Any) -> dict[str, Any] | None:
    """Return why the forecast of a series changed, as columns over its months; a cause that changed nothing is left out."""
    if rows is None:
        return None
    of_all_months = ("previous_run_id", "previous_origin", "origin", "previous_recipe", "recipe", "reason")
    columns = {name: np.array([row[name] or 0.0 for row in rows]) for name in ("previous_value", "change", *Cause)}
    return {
        **{name: _json_value(rows[0][name]) for name in of_all_months},
        "first": _json_value(rows[0]["month"]),
        **{name: _numbers(values) for name, values in columns.items() if name not in list(Cause) or values.any()},
    }


def _numbers(values: Values) -> list[float | None]:
    """Round numbers to the seven digits that a network's float32 holds, so that the page stays small."""
    with np.errstate(divide="ignore"):
        decimals = 6 - np.floor(np.log10(np.abs(values)))
    decimals = np.where(np.isfinite(decimals), np.clip(decimals, -300, 300), 0)
    powers = 10.0 ** np.abs(decimals)
    return _missing_as_none(
        np.where(decimals < 0, np.round(values / powers) * powers, np.round(values * powers) / powers)
    )


def _missing_as_none(values: Values) -> list[float | None]:
    return [None if number != number else number for number in values.tolist()]


def _json_value(value: Any) -> Any:
    """Return a value as JSON takes it: a month as YYYY-MM, a time in ISO form, others as they are."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    text = str(value.isoformat())
    return text[:7] if len(text) == 10 else text
