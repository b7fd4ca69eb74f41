"""Training sets of the monthly networks: examples from many past origins of many series, with their residuals.

Residual of a month: r = (log - base path) / scale. It is what the networks learn to predict.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from forecasting.domain.panel import Counts, Values, columns_inside
from forecasting.lstm.random import random_bits, unit_interval
from forecasting.models.monthly.features import (
    Examples,
    concatenate_examples,
    examples_at,
    prepare,
    select_examples,
    targets_at,
)

BLOCK = 4096  # series computed at a time: limits the memory
MAXIMUM_RESIDUAL = 15.0  # residuals beyond are cut


@dataclass(frozen=True)
class TrainingSet:
    """Examples with their residuals: one row for each pair of series and origin.

    residuals: (rows, horizon) in units of scale, NaN for a month after the end of the series. series_index: int (rows,),
    position of the series among the histories. lags: int (rows,), months from the origin to the last month of the series.
    """

    examples: Examples
    residuals: np.ndarray
    series_index: np.ndarray
    lags: np.ndarray


def build_training_set(
    values: Values,
    lengths: Counts,
    *,
    horizon: int,
    maximum_lag: int,
    minimum_months: int,
    maximum_examples: int | None = None,
    seed: int = 0,
) -> TrainingSet:
    """Make examples from the origins at the lags 1 to maximum_lag of each history that have minimum_months up to them.

    values: (series, longest). maximum_examples: where there are more, each is chosen with the same probability, by random
    numbers of the seed, so that about as many remain; None: all remain.
    """
    available_count = int(np.minimum(np.maximum(lengths - minimum_months, 0), maximum_lag).sum())
    probability = 1.0 if maximum_examples is None else min(1.0, maximum_examples / max(available_count, 1))
    parts = []
    for start, block_values, block_lengths in _blocks(values, lengths):
        lags = np.arange(1, min(maximum_lag, int(block_lengths.max()) - minimum_months) + 1)
        if not len(lags):
            continue
        prepared = prepare(block_values, block_lengths, lags, horizon=horizon)
        for lag_index, lag in enumerate(lags):
            random_numbers = unit_interval(random_bits(np.uint64(seed), (start << 12) + int(lag), len(block_values)))
            rows = np.flatnonzero((block_lengths - lag >= minimum_months) & (random_numbers < probability))
            if not len(rows):
                continue
            examples = select_examples(examples_at(prepared, int(lag), lag_index, horizon=horizon), rows)
            residuals = residuals_of(examples, targets_at(prepared, int(lag), horizon=horizon)[rows])
            parts.append(TrainingSet(examples, residuals, start + rows, np.full(len(rows), lag)))
    return TrainingSet(
        concatenate_examples([part.examples for part in parts]),
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("residuals", "series_index", "lags")),
    )


def describe_histories(values: Values, lengths: Counts, *, horizon: int) -> tuple[Examples, Values]:
    """Examples at the last month of each history, one row per series; and the shift of the logs, (series,)."""
    parts, shifts = [], []
    for _, block_values, block_lengths in _blocks(values, lengths):
        prepared = prepare(block_values, block_lengths, np.zeros(1, np.int64), horizon=horizon)
        parts.append(examples_at(prepared, 0, 0, horizon=horizon))
        shifts.append(prepared.shift)
    return concatenate_examples(parts), np.concatenate(shifts)


def residuals_of(examples: Examples, logs: Values) -> np.ndarray:
    """Residuals of logs (rows, horizon) that follow the origins of examples: (rows, horizon) in units of scale."""
    with np.errstate(invalid="ignore"):
        residuals = (logs - examples.base_path) / examples.scale[:, None]
        return np.asarray(np.clip(residuals, -MAXIMUM_RESIDUAL, MAXIMUM_RESIDUAL))


def values_of(examples: Examples, residuals: Values, shift: Values, *, largest_log: float = np.inf) -> Values:
    """Undo `residuals_of`, in the unit of the series: exp(base path + residual · scale) - shift, (rows, horizon).

    residuals: (rows, horizon) in units of scale. shift: (rows,), of the logs. largest_log: where logs are cut.
    """
    with np.errstate(over="ignore"):
        logs = np.minimum(examples.base_path + residuals * examples.scale[:, None], largest_log)
        return np.asarray(np.exp(logs) - shift[:, None])


def _blocks(values: Values, lengths: Counts) -> Iterator[tuple[int, Values, Counts]]:
    """Cut histories into blocks of series: first series, values as wide as the longest and zero after its end, lengths."""
    for start in range(0, len(values), BLOCK):
        block_lengths = lengths[start : start + BLOCK]
        width = int(block_lengths.max(initial=1))
        inside = columns_inside(width, block_lengths)
        yield start, np.where(inside, values[start : start + BLOCK, :width], 0.0), block_lengths
