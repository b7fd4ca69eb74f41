"""What the monthly networks learn from: examples from many past origins of many series, a few thousand series at a time."""

from dataclasses import dataclass

import numpy as np

from forecasting.domain.panel import Counts, Values
from forecasting.lstm.random import random_bits, unit_interval
from forecasting.models.monthly.features import (
    Examples,
    concatenate_examples,
    examples_at,
    prepare,
    select_examples,
    targets_at,
)

BLOCK = 4096  # series looked at together: bounds the memory
FARTHEST = 15.0  # residuals beyond so many scales are cut


@dataclass(frozen=True)
class TrainingSet:
    """Examples with what came after them.

    residuals: (rows, horizon) logs less the base path in units of scale, NaN where not known; series: (rows,) position
    of each row's series; origins: (rows,) months before its last month.
    """

    examples: Examples
    residuals: np.ndarray
    series: np.ndarray
    origins: np.ndarray


def build_training_sets(
    values: Values, lengths: Counts, *, horizon: int, months: int, least: int, most: int | None = None, seed: int = 0
) -> TrainingSet:
    """Collect examples from the origins 1 to `months` before the last month of each history.

    values: (series, longest). Origins with fewer than `least` months before them are left out; of the others at most
    about `most` are kept, drawn from the seed (None: all).
    """
    usable = int(np.minimum(np.maximum(lengths - least, 0), months).sum())
    share = 1.0 if most is None else min(1.0, most / max(usable, 1))
    parts = []
    for start in range(0, len(values), BLOCK):
        block = slice(start, start + BLOCK)
        parts += _learn_block(values[block], lengths[block], start, (horizon, months, least, share, seed))
    return TrainingSet(
        concatenate_examples([part.examples for part in parts]),
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("residuals", "series", "origins")),
    )


def describe_histories(values: Values, lengths: Counts, *, horizon: int) -> tuple[Examples, Values]:
    """Describe histories as seen from their last months, and return the shift of their logs: one row per series."""
    parts, shifts = [], []
    for start in range(0, len(values), BLOCK):
        block = slice(start, start + BLOCK)
        prepared = prepare(*_narrow(values[block], lengths[block]), np.zeros(1, np.int64), horizon=horizon)
        parts.append(examples_at(prepared, 0, 0, horizon=horizon))
        shifts.append(prepared.shift)
    return concatenate_examples(parts), np.concatenate(shifts)


def residuals_of(examples: Examples, logs: Values) -> np.ndarray:
    """Return logs (rows, horizon) less the base path, in units of scale, as networks learn them."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.clip((logs - examples.base) / examples.scale[:, None], -FARTHEST, FARTHEST))


def _learn_block(
    values: Values, lengths: Counts, start: int, limits: tuple[int, int, int, float, int]
) -> list[TrainingSet]:
    horizon, months, least, share, seed = limits
    values, lengths = _narrow(values, lengths)
    origins = np.arange(1, min(months, int(lengths.max()) - least) + 1)
    if not len(origins):
        return []
    prepared = prepare(values, lengths, origins, horizon=horizon)
    parts = []
    for position, origin in enumerate(origins):
        drawn = unit_interval(random_bits(np.uint64(seed), (start << 12) + int(origin), len(values)))
        rows = np.flatnonzero((lengths - origin >= least) & (drawn < share))
        if not len(rows):
            continue
        examples = select_examples(examples_at(prepared, int(origin), position, horizon=horizon), rows)
        residuals = residuals_of(examples, targets_at(prepared, int(origin), horizon=horizon)[rows])
        parts.append(TrainingSet(examples, residuals, start + rows, np.full(len(rows), origin)))
    return parts


def _narrow(values: Values, lengths: Counts) -> tuple[Values, Counts]:
    width = int(lengths.max(initial=1))
    inside = np.arange(width) < lengths[:, None]
    return np.where(inside, values[:, :width], 0.0), lengths
