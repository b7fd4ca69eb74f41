"""Windows: look_back months that a network reads, and the month after them, which it is trained to predict."""

from dataclasses import dataclass

import numpy as np

from forecasting.domain.panel import Counts, Values, columns_inside
from forecasting.domain.recipes import ClassicRecipe


@dataclass(frozen=True)
class Windows:
    """Windows of many series. Each row begins with the windows of its series; padding follows, up to the longest row.

    inputs: (series, windows, look_back). targets: (series, windows, 1). counts: (series,), number of windows without padding.
    months: (series, windows), column of each target in the history.
    """

    inputs: Values
    targets: Values
    counts: Counts
    months: Counts

    @property
    def real(self) -> np.ndarray:
        """Mask (series, windows): False where a window is padding."""
        return columns_inside(self.inputs.shape[1], self.counts)


def train_lengths(lengths: Counts, train_share: float) -> Counts:
    """Return the length of the training part of each history, its first months: (series,)."""
    return (lengths * train_share).astype(np.int64)


def cut_windows(values: Values, first_target: Counts, end_target: Counts, *, look_back: int) -> Windows:
    """Return the windows whose targets are the columns first_target to end_target - 1 of each history.

    values: (series, months). first_target, end_target: (series,), columns; first_target is at least look_back.
    """
    counts = np.maximum(end_target - first_target, 0)
    steps = np.arange(int(counts.max(initial=0)))
    last_column = max(values.shape[1] - 1, 0)
    months = first_target[:, None] + steps  # (series, windows)
    inside = np.minimum(months, last_column)
    columns = np.minimum(months[:, :, None] + np.arange(-look_back, 0), last_column)
    rows = np.arange(len(values))[:, None]
    real = steps < counts[:, None]
    return Windows(
        inputs=np.where(real[:, :, None], values[rows[:, :, None], columns], 0.0),
        targets=np.where(real, values[rows, inside], 0.0)[:, :, None],
        counts=counts,
        months=inside,
    )


def split_windows(values: Values, lengths: Counts, recipe: ClassicRecipe) -> tuple[Windows, Windows]:
    """Return the training and the test windows of each history.

    The targets of training windows are in the training part. The inputs of a test window may be in the training part. With
    drop_last_window, as in the published tutorial, the inputs of a test window are in the test part, and each part loses its
    last window.
    """
    split = train_lengths(lengths, recipe.train_share)
    first = np.full_like(lengths, recipe.look_back)
    dropped = 1 if recipe.drop_last_window else 0
    test_first = split + recipe.look_back if recipe.drop_last_window else np.maximum(split, recipe.look_back)
    return (
        cut_windows(values, first, split - dropped, look_back=recipe.look_back),
        cut_windows(values, test_first, lengths - dropped, look_back=recipe.look_back),
    )
