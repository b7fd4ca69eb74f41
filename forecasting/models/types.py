"""What networks of every recipe have in common: how they are kept, what training tells of them, what they forecast."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from forecasting.domain.panel import Counts, Values
from forecasting.lstm.weights import Weights


@dataclass(frozen=True)
class Networks:
    """All that forecasts need beside the histories, as plain numbers.

    weights: tensors by name, with the axis of series first unless the series share them; scalers: one JSON object per
    series; state: a JSON object that holds for all of them.
    """

    weights: Weights
    scalers: tuple[dict[str, Any], ...]
    state: dict[str, Any]

    @property
    def are_global(self) -> bool:
        """Whether the series share the tensors."""
        return bool(self.state.get("shared", False))

    def select(self, rows: Sequence[int]) -> "Networks":
        """Return the networks of some rows, in that order."""
        weights = (
            self.weights if self.are_global else {name: tensor[list(rows)] for name, tensor in self.weights.items()}
        )
        return Networks(weights, tuple(self.scalers[row] for row in rows), self.state)


@dataclass(frozen=True)
class SplitScores:
    """How networks did on a part of their histories, per horizon: all (series, horizons), in the unit of each series.

    NaN where a measure has no months, n is 0 then. baseline_rmse is the seasonal naive's; skill is on the months that
    have one.
    """

    n: Counts
    rmse: Values
    baseline_rmse: Values
    naive_rmse: Values
    base_path_rmse: Values
    skill: Values

    def select(self, rows: Sequence[int]) -> "SplitScores":
        """Return the scores of some series, in that order."""
        return SplitScores(**{field.name: getattr(self, field.name)[list(rows)] for field in fields(self)})

    def scatter(self, rows: np.ndarray, series: int) -> "SplitScores":
        """Return the scores as those of some rows of more series; the others have none."""

        def among(scores: Any) -> Any:
            all_of_them = np.full((series, scores.shape[1]), np.nan if scores.dtype == np.float64 else 0, scores.dtype)
            all_of_them[rows] = scores
            return all_of_them

        return SplitScores(**{field.name: among(getattr(self, field.name)) for field in fields(self)})


@dataclass(frozen=True)
class FitResult:
    """What training gives.

    scores: by split, train and test; trained_lengths: (series,) months that the weights or the scaler have seen;
    diverged: bool (series,), the network did not end in finite numbers.
    """

    networks: Networks
    scores: dict[str, SplitScores]
    trained_lengths: Counts
    diverged_mask: np.ndarray

    def select(self, rows: Sequence[int]) -> "FitResult":
        """Return what training gave some series, in that order."""
        scores = {split: of_split.select(rows) for split, of_split in self.scores.items()}
        places = list(rows)
        return FitResult(self.networks.select(rows), scores, self.trained_lengths[places], self.diverged_mask[places])


@dataclass(frozen=True)
class PastPredictions:
    """What networks say of one series' past, one month ahead, in its unit: each value is for the month of its column.

    train: (months,) from column train_start on, months that they were trained on; test: from column test_start on, months
    that whoever predicts them has not seen.
    """

    train: Values
    train_start: int
    test: Values
    test_start: int


@dataclass(frozen=True)
class Forecasts:
    """Forecasts (series, horizon) in the unit of each series.

    bounds: lower_95, lower_80, upper_80 and upper_95 by name, where the recipe has intervals; base_path where it has one.
    reasons: (series,) empty where the networks speak, else the word for why the base path does. notes: (series,) sentences
    about parts that failed without silencing the others; empty where nothing did.
    """

    values: Values
    fallback_reasons: tuple[str, ...]
    bounds: dict[str, Values]
    base_path: Values | None = None
    blend_failures: tuple[str, ...] | None = None
