"""Windows: what a network sees (look_back months) and the month that it must tell."""

from dataclasses import dataclass

import numpy as np

from forecasting.domain.panel import Counts, Values
from forecasting.domain.recipes import ClassicRecipe


@dataclass(frozen=True)
class Windows:
    """Windows of many series, each series' own first and padding after them.

    inputs: (series, windows, look_back); targets: (series, windows, 1); counts: (series,) windows that are real;
    months: (series, windows) column of each target in the history.
    """

    inputs: Values
    targets: Values
    counts: Counts
    months: Counts

    @property
    def real(self) -> np.ndarray:
        """Mask (series, windows): False where a window is padding."""
        return np.arange(self.inputs.shape[1]) < self.counts[:, None]


def train_lengths(lengths: Counts, train_share: float) -> Counts:
    """Return how many months of each history are its training part, the first ones."""
    return (lengths * train_share).astype(np.int64)


def cut_windows(values: Values, first_target: Counts, end_target: Counts, *, look_back: int) -> Windows:
    """Cut the windows whose targets lie in [first_target, end_target) of each history.

    values: (series, months); first_target, end_target: (series,) columns, first_target at least look_back.
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

    Training targets lie in the training part. A test window may look back into the training part, which is known
    by then. With drop_last_window, as in the published tutorial, each part is cut on its own and loses its last window.
    """
    split = train_lengths(lengths, recipe.train_share)
    first = np.full_like(lengths, recipe.look_back)
    dropped = 1 if recipe.drop_last_window else 0
    test_first = split + recipe.look_back if recipe.drop_last_window else np.maximum(split, recipe.look_back)
    return (
        cut_windows(values, first, split - dropped, look_back=recipe.look_back),
        cut_windows(values, test_first, lengths - dropped, look_back=recipe.look_back),
    )
