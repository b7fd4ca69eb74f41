"""What the monthly networks see of a series at an origin, and what they must tell: all in logs, free of level and season.

Examples of one origin are made by one function, whether to train on a past origin or to forecast from the last one, and
from the months up to the origin only.
"""

from dataclasses import dataclass, fields

import numpy as np

from forecasting.domain.panel import Counts, Values
from forecasting.numerics.airline import airline_paths
from forecasting.numerics.base_path import base_path, smoothed_level
from forecasting.numerics.seasonality import (
    SEASON,
    ending_together,
    is_seasonal,
    known_rows,
    seasonal_indices,
    seasonal_path,
    shift_for_logs,
    take_out,
    total,
)
from forecasting.numerics.smoothing import Smoothed, smooth, smoothed_path

STEPS = 12  # time steps that the LSTM walks through, whatever the window
WIDEST = 60  # months of history that a network may see
OTHERS = 3
SLOPES = (3, 6, 12, 24, 36)


@dataclass(frozen=True)
class PreparedSeries:
    """Histories in logs, ready to look at from any of some origins.

    logs: (months, series) that end together; counts, shift: (series,); evolving: whether a series' season is smoothed
    too; fixed: (12, series) the season taken out before smoothing where it is not; smoothed: states at each origin;
    airline: (origins, horizon, series) the paths of the airline model.
    """

    logs: Values
    counts: Counts
    shift: Values
    fixed: Values
    smoothed: Smoothed
    airline: Values


@dataclass(frozen=True)
class Examples:
    """One row per series and origin.

    window, mask: (rows, WIDEST) deseasonalised logs less their level, in units of scale; known months are 1 in mask.
    facts: (rows, facts); season: (rows, 12) seasonal indices in units of scale; level, scale: (rows,) in logs.
    others: (rows, OTHERS, horizon) smoothed path, airline path and repeated year less the base path, in logs;
    base: (rows, horizon) the base path in logs;
    yearly: (rows,) mean absolute change over a year, in logs: what MASE divides by.
    """

    window: np.ndarray
    mask: np.ndarray
    facts: np.ndarray
    season: np.ndarray
    others: np.ndarray
    base: np.ndarray
    scale: np.ndarray
    yearly: np.ndarray


def prepare(values: Values, lengths: Counts, origins: Counts, *, horizon: int) -> PreparedSeries:
    """Bring histories (series, longest) into logs and smooth them; origins: (origins,) months before the last one."""
    together = ending_together(values, lengths)
    known = known_rows(len(together), lengths)
    shift = shift_for_logs(together, lengths)
    logs = np.where(known, np.log(np.where(known, together + shift, 1.0)), 0.0)
    evolving = is_seasonal(logs, lengths)
    fixed = np.where(evolving, 0.0, seasonal_indices(logs, lengths))
    from_start = _starting_together(take_out(logs, fixed), lengths)
    last = np.maximum(lengths - 1 - np.asarray(origins)[:, None], 0)
    airline = airline_paths(_starting_together(logs, lengths), last, horizon=horizon)
    return PreparedSeries(logs, lengths, shift, fixed, smooth(from_start, evolving, last), airline)


def examples_at(prepared: PreparedSeries, origin: int, position: int, *, horizon: int) -> Examples:
    """Describe every series as seen `origin` months before its last one.

    position: where that origin stands among those that were prepared. Series without a month by then give rows of no
    meaning, but finite.
    """
    months = len(prepared.logs) - origin
    logs, counts = prepared.logs[:months], np.maximum(prepared.counts - origin, 1)
    known = known_rows(months, counts)
    indices = seasonal_indices(logs, counts)
    adjusted = np.where(known, take_out(logs, indices), 0.0)
    level, weight = smoothed_level(adjusted, counts)
    path = base_path(adjusted, counts, horizon=horizon) + seasonal_path(indices, 0, horizon)
    fixed = seasonal_path(prepared.fixed, -origin, horizon - origin)
    smoothed = smoothed_path(prepared.smoothed, position, horizon=horizon) + fixed
    repeated = _last_rows(logs, SEASON)[np.arange(horizon) % SEASON]
    others = np.stack([smoothed, prepared.airline[position], repeated]) - path
    others = np.where(counts > SEASON + 1, others, 0.0)
    changes = np.where(known[:-1], np.diff(adjusted, axis=0), 0.0)
    volatility = np.sqrt(total(changes**2) / np.maximum(counts - 1, 1))
    scale = np.clip(volatility, 0.005, 1.0)
    window = _last_rows(np.where(known, adjusted - level, 0.0), WIDEST) / scale
    yearly = _yearly_change(logs, known, volatility)
    facts = [
        np.log(yearly / scale + 1e-3),
        np.log(scale),
        np.log(volatility + 1e-4),
        np.log(counts) - 4.5,
        weight,
        np.sqrt(total(indices**2)) / scale,
        np.log(prepared.smoothed.error[position] / scale + 1e-3),
        *_slopes(adjusted, counts, scale),
    ]
    return Examples(
        window=np.clip(window, -20, 20).T.astype(np.float32),
        mask=_last_rows(known.astype(np.float64), WIDEST).T.astype(np.float32),
        facts=np.clip(np.array(facts), -10, 10).T.astype(np.float32),
        season=np.clip(indices / scale, -20, 20).T.astype(np.float32),
        others=np.clip(others, -2, 2).transpose(2, 0, 1),
        base=path.T,
        scale=scale,
        yearly=yearly,
    )


def network_inputs(examples: Examples, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Arrange examples for a network that sees the last `window` months, a multiple of STEPS.

    Returns steps (rows, STEPS, features), several months at each step with the facts beside them, and facts
    (rows, facts) with the season and the smoothed path; float32.
    """
    rows = len(examples.window)
    months = examples.window[:, WIDEST - window :].reshape(rows, STEPS, window // STEPS) / 3
    known = examples.mask[:, WIDEST - window :].reshape(rows, STEPS, window // STEPS).mean(axis=2, keepdims=True)
    facts = np.repeat(examples.facts[:, None], STEPS, axis=1) / 3
    others = np.clip(examples.others / examples.scale[:, None, None], -10, 10) / 3
    beside = np.concatenate([examples.facts, examples.season / 3, others.reshape(rows, -1)], axis=1)
    return np.concatenate([months, known, facts], axis=2).astype(np.float32), beside.astype(np.float32)


def concatenate_examples(parts: list[Examples]) -> Examples:
    """Put examples below one another."""
    names = [field.name for field in fields(Examples)]
    return Examples(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def select_examples(examples: Examples, rows: np.ndarray) -> Examples:
    """Return some rows of examples: bool (rows,) or positions."""
    return Examples(**{field.name: getattr(examples, field.name)[rows] for field in fields(Examples)})


def targets_at(prepared: PreparedSeries, origin: int, *, horizon: int) -> Values:
    """Return the logs (series, horizon) of the months after an origin, NaN where they are not known."""
    months = len(prepared.logs)
    rows = np.arange(months - origin, months - origin + horizon)
    found = prepared.logs[np.minimum(rows, months - 1)]
    return np.where(rows[:, None] < months, found, np.nan).T


def _slopes(adjusted: Values, counts: Counts, scale: Values) -> list[Values]:
    last = adjusted[-1]
    slopes = []
    for lead in SLOPES:
        row = adjusted[max(len(adjusted) - 1 - lead, 0)]
        slopes.append(np.where(counts > lead, (last - row) / np.sqrt(lead) / scale, 0.0))
    return slopes


def _yearly_change(logs: Values, known: np.ndarray, volatility: Values) -> Values:
    if len(logs) <= SEASON:
        return np.maximum(volatility, 0.005)
    both = known[:-SEASON]
    change = total(np.where(both, np.abs(logs[SEASON:] - logs[:-SEASON]), 0.0)) / np.maximum(both.sum(axis=0), 1)
    return np.maximum(np.where(both.any(axis=0), change, volatility), 0.005)


def _last_rows(values: Values, rows: int) -> Values:
    missing = max(rows - len(values), 0)
    return np.concatenate([np.zeros((missing, values.shape[1])), values[-rows:]])


def _starting_together(values: Values, counts: Counts) -> Values:
    rows = np.arange(len(values))[:, None]
    found = values[np.minimum(rows + len(values) - counts, len(values) - 1), np.arange(values.shape[1])]
    return np.where(rows < counts, found, 0.0)
