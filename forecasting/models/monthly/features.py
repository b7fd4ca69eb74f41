"""Features of the monthly networks: what a network gets of a series at an origin, in logs, without level and season.

An origin is a month from which a forecast is made, from the months up to it alone. It is given by its lag: the number of
months between it and the last month of the series. The same function makes the features for training, at past origins,
and for a forecast, at lag 0.
"""

from dataclasses import dataclass, fields

import numpy as np

from forecasting.domain.panel import Counts, Values
from forecasting.numerics.airline import airline_paths
from forecasting.numerics.base_path import base_path, smoothed_level
from forecasting.numerics.seasonality import (
    SEASON,
    align_ends,
    history_mask,
    is_seasonal,
    remove_season,
    seasonal_indices,
    seasonal_path,
    shift_for_logs,
)
from forecasting.numerics.smoothing import SmoothingStates, smooth, smoothed_path
from forecasting.numerics.sums import total

TIME_STEPS = 12  # of the LSTM, whatever the window: a window of 36 months has 3 months at each step
LONGEST_WINDOW = 60  # months of history in an example; a network gets the last ones, as many as its window has
INPUT_DIVISOR = 3  # brings inputs in units of scale, which are a few units large, near 1
ALTERNATIVE_PATHS = 3  # smoothed, airline, last year
SLOPE_MONTHS = (3, 6, 12, 24, 36)
MINIMUM_CHANGE = 0.005  # smallest volatility and yearly change, in logs: nothing is divided by less


@dataclass(frozen=True)
class PreparedSeries:
    """Histories in logs, with the states of the smoothing at some lags.

    logs: (months, series), log(value + shift); the last month of every series is in the last row, zero before its first.
    lengths: int (series,). shift: (series,) in the unit of the series. fixed_season: (12, series) in logs, taken out before the
    smoothing; zero where the smoothing has a season of its own. smoothed: states at each lag. airline: (lags, horizon,
    series) in logs, the paths of the airline model.
    """

    logs: Values
    lengths: Counts
    shift: Values
    fixed_season: Values
    smoothed: SmoothingStates
    airline: Values


@dataclass(frozen=True)
class Examples:
    """Features of some series at some origins: one row for each pair of series and origin.

    window: float32 (rows, LONGEST_WINDOW), (deseasonalised log - level) / scale; known_mask: float32, same shape, 1 where the
    series has the month, else 0. static_features: float32 (rows, static features). seasonal_indices: float32 (rows, 12) in
    units of scale. alternative_paths: (rows, ALTERNATIVE_PATHS, horizon) in logs, less the base path. base_path: (rows, horizon)
    in logs. scale: (rows,), the volatility: root mean square of the monthly changes of deseasonalised logs. yearly_change:
    (rows,), mean absolute change of logs over a year; MASE divides by it.
    """

    window: np.ndarray
    known_mask: np.ndarray
    static_features: np.ndarray
    seasonal_indices: np.ndarray
    alternative_paths: np.ndarray
    base_path: np.ndarray
    scale: np.ndarray
    yearly_change: np.ndarray


def prepare(values: Values, lengths: Counts, lags: Counts, *, horizon: int) -> PreparedSeries:
    """Take logs of histories (series, longest), and run the smoothing and the airline model to each of the lags."""
    aligned_values = align_ends(values, lengths)
    inside_mask = history_mask(len(aligned_values), lengths)
    shift = shift_for_logs(aligned_values, lengths)
    logs = np.where(inside_mask, np.log(np.where(inside_mask, aligned_values + shift, 1.0)), 0.0)
    seasonal_mask = is_seasonal(logs, lengths)
    fixed_season = np.where(seasonal_mask, 0.0, seasonal_indices(logs, lengths))
    origin_rows = np.maximum(lengths - 1 - np.asarray(lags)[:, None], 0)  # (lags, series)
    smoothed = smooth(_align_starts(remove_season(logs, fixed_season), lengths), seasonal_mask, origin_rows)
    airline = airline_paths(_align_starts(logs, lengths), origin_rows, horizon=horizon)
    return PreparedSeries(logs, lengths, shift, fixed_season, smoothed, airline)


def examples_at(prepared: PreparedSeries, lag: int, lag_index: int, *, horizon: int) -> Examples:
    """Features of every series at the origin `lag` months before its last month.

    lag_index: position of the lag among those of `prepare`. A series that begins after the origin gets a row of finite
    numbers without meaning.
    """
    row_count = len(prepared.logs) - lag
    logs, lengths = prepared.logs[:row_count], np.maximum(prepared.lengths - lag, 1)
    inside_mask = history_mask(row_count, lengths)
    indices = seasonal_indices(logs, lengths)
    adjusted = np.where(inside_mask, remove_season(logs, indices), 0.0)
    level, level_weight = smoothed_level(adjusted, lengths)
    path_logs = base_path(adjusted, lengths, horizon=horizon) + seasonal_path(indices, 0, horizon)
    monthly_changes = np.where(inside_mask[:-1], np.diff(adjusted, axis=0), 0.0)
    volatility = np.sqrt(total(monthly_changes**2) / np.maximum(lengths - 1, 1))
    scale = np.clip(volatility, MINIMUM_CHANGE, 1.0)
    yearly_change = _yearly_change(logs, inside_mask, volatility)
    window = _last_rows(np.where(inside_mask, adjusted - level, 0.0), LONGEST_WINDOW) / scale
    alternative_logs = np.where(
        lengths > SEASON + 1, _alternative_paths(prepared, logs, lag, lag_index, horizon) - path_logs, 0.0
    )
    static_features = [
        np.log(yearly_change / scale + 1e-3),
        np.log(scale),
        np.log(volatility + 1e-4),
        np.log(lengths) - 4.5,
        level_weight,
        np.sqrt(total(indices**2)) / scale,
        np.log(prepared.smoothed.error[lag_index] / scale + 1e-3),
        *_slopes(adjusted, lengths, scale),
    ]
    return Examples(
        window=np.clip(window, -20, 20).T.astype(np.float32),
        known_mask=_last_rows(inside_mask.astype(np.float64), LONGEST_WINDOW).T.astype(np.float32),
        static_features=np.clip(np.array(static_features), -10, 10).T.astype(np.float32),
        seasonal_indices=np.clip(indices / scale, -20, 20).T.astype(np.float32),
        alternative_paths=np.clip(alternative_logs, -2, 2).transpose(2, 0, 1),
        base_path=path_logs.T,
        scale=scale,
        yearly_change=yearly_change,
    )


def network_inputs(examples: Examples, window_months: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs of a global network, all float32; window_months: a multiple of TIME_STEPS, at most LONGEST_WINDOW.

    Sequences (rows, TIME_STEPS, features): at each step some months, the share of them that the series has, and the static
    features. Static inputs (rows, static inputs): static features, seasonal indices and alternative paths.
    """
    shape = (len(examples.window), TIME_STEPS, window_months // TIME_STEPS)  # (rows, steps, months of a step)
    months_by_step = examples.window[:, LONGEST_WINDOW - window_months :].reshape(shape) / INPUT_DIVISOR
    mask_by_step = examples.known_mask[:, LONGEST_WINDOW - window_months :].reshape(shape)
    # In the sequences static features enter the LSTM at every step: divided, they do not drown the months. The static inputs
    # go once into a layer of their own, which takes them undivided.
    repeated_features = np.repeat(examples.static_features[:, None], TIME_STEPS, axis=1) / INPUT_DIVISOR
    alternatives = np.clip(examples.alternative_paths / examples.scale[:, None, None], -10, 10) / INPUT_DIVISOR
    static_inputs = [
        examples.static_features,
        examples.seasonal_indices / INPUT_DIVISOR,
        alternatives.reshape(shape[0], -1),
    ]
    sequences = np.concatenate([months_by_step, mask_by_step.mean(axis=2, keepdims=True), repeated_features], axis=2)
    return sequences.astype(np.float32), np.concatenate(static_inputs, axis=1).astype(np.float32)


def concatenate_examples(parts: list[Examples]) -> Examples:
    """Return the rows of all parts, in their order."""
    names = [field.name for field in fields(Examples)]
    return Examples(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def select_examples(examples: Examples, rows: np.ndarray) -> Examples:
    """Return some rows: a mask bool (rows,), or positions."""
    return Examples(**{field.name: getattr(examples, field.name)[rows] for field in fields(Examples)})


def targets_at(prepared: PreparedSeries, lag: int, *, horizon: int) -> Values:
    """Return the logs of the months after an origin: (series, horizon), NaN after the last month of the series."""
    row_count = len(prepared.logs)
    rows = np.arange(row_count - lag, row_count - lag + horizon)
    logs = prepared.logs[np.minimum(rows, row_count - 1)]
    return np.where(rows[:, None] < row_count, logs, np.nan).T


def _alternative_paths(prepared: PreparedSeries, logs: Values, lag: int, lag_index: int, horizon: int) -> Values:
    """Smoothed path, airline path and last year again, in logs: (ALTERNATIVE_PATHS, horizon, series)."""
    fixed_season = seasonal_path(prepared.fixed_season, -lag, horizon - lag)
    smoothed = smoothed_path(prepared.smoothed, lag_index, horizon=horizon) + fixed_season
    last_year = _last_rows(logs, SEASON)[np.arange(horizon) % SEASON]
    return np.stack([smoothed, prepared.airline[lag_index], last_year])


def _slopes(adjusted: Values, lengths: Counts, scale: Values) -> list[Values]:
    """Change of deseasonalised logs over n months / (√n · scale), for each n of SLOPE_MONTHS: (series,) each."""
    slopes = []
    for span in SLOPE_MONTHS:
        earlier_logs = adjusted[max(len(adjusted) - 1 - span, 0)]
        slopes.append(np.where(lengths > span, (adjusted[-1] - earlier_logs) / np.sqrt(span) / scale, 0.0))
    return slopes


def _yearly_change(logs: Values, inside_mask: np.ndarray, volatility: Values) -> Values:
    """Mean absolute change of logs over a year, (series,); the volatility where a series is shorter than that."""
    if len(logs) <= SEASON:
        return np.maximum(volatility, MINIMUM_CHANGE)
    has_both = inside_mask[:-SEASON]
    changes = total(np.where(has_both, np.abs(logs[SEASON:] - logs[:-SEASON]), 0.0))
    mean_changes = changes / np.maximum(has_both.sum(axis=0), 1)
    return np.maximum(np.where(has_both.any(axis=0), mean_changes, volatility), MINIMUM_CHANGE)


def _last_rows(values: Values, row_count: int) -> Values:
    """Return the last rows of (months, series), with rows of zeros before them where there are fewer."""
    missing_count = max(row_count - len(values), 0)
    return np.concatenate([np.zeros((missing_count, values.shape[1])), values[-row_count:]])


def _align_starts(values: Values, lengths: Counts) -> Values:
    """Move series that end in the last row of (months, series) so that they begin in the first, with zeros after the end."""
    rows = np.arange(len(values))[:, None]
    moved = values[np.minimum(rows + len(values) - lengths, len(values) - 1), np.arange(values.shape[1])]
    return np.where(rows < lengths, moved, 0.0)
