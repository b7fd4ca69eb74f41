"""Windows: look_back months that a network reads, and the month after them, which it is trained to predict."""

from dataclasses import dataclass

import numpy as np

from forecasting.domain.panel import Counts, Values, columns_inside
from forecasting.domain.recipes import ClassicRecipe


@dataclass(frozen=True)
class Windows:
    """Windows of many series. Each row begins with the windows of its series; padding follows, up to the longest row.

    inputs: (series, windows, look_back). targets: (series, windows, 1). counts: (series,), number of windows without padding.
    target_columns: int (series, windows), the column of each target in the history.
    """

    inputs: Values
    targets: Values
    counts: Counts
    target_columns: Counts

    @property
    def is_real(self) -> np.ndarray:
        """Mask (series, windows): False where a window is padding."""
        return columns_inside(self.inputs.shape[1], self.counts)


def train_lengths(lengths: Counts, train_share: float) -> Counts:
    """Return the length of the training part of each history, its first months: (series,)."""
    return (lengths * train_share).astype(np.int64)


def cut_windows(values: Values, first_targets: Counts, end_targets: Counts, *, look_back: int) -> Windows:
    """Return the windows whose targets are the columns first_targets to end_targets - 1 of each history.

    values: (series, months). first_targets, end_targets: (series,), columns; the first targets are at least look_back.
    """
    counts = np.maximum(end_targets - first_targets, 0)
    window_indices = np.arange(int(counts.max(initial=0)))
    last_column = max(values.shape[1] - 1, 0)
    unclipped_columns = first_targets[:, None] + window_indices  # (series, windows)
    target_columns = np.minimum(unclipped_columns, last_column)
    input_columns = np.minimum(unclipped_columns[:, :, None] + np.arange(-look_back, 0), last_column)
    rows = np.arange(len(values))[:, None]
    is_real = window_indices < counts[:, None]
    return Windows(
        inputs=np.where(is_real[:, :, None], values[rows[:, :, None], input_columns], 0.0),
        targets=np.where(is_real, values[rows, target_columns], 0.0)[:, :, None],
        counts=counts,
        target_columns=target_columns,
    )


def split_windows(values: Values, lengths: Counts, recipe: ClassicRecipe) -> tuple[Windows, Windows]:
    """Return the training and the test windows of each history.

    The targets of training windows are in the training part. The inputs of a test window may be in the training part. With
    drop_last_window, as in the published tutorial, the inputs of a test window are in the test part, and each part loses its
    last window.
    """
    train_ends = train_lengths(lengths, recipe.train_share)
    first_targets = np.full_like(lengths, recipe.look_back)
    dropped_count = 1 if recipe.drop_last_window else 0
    test_targets = (
        train_ends + recipe.look_back if recipe.drop_last_window else np.maximum(train_ends, recipe.look_back)
    )
    return (
        cut_windows(values, first_targets, train_ends - dropped_count, look_back=recipe.look_back),
        cut_windows(values, test_targets, lengths - dropped_count, look_back=recipe.look_back),
    )
