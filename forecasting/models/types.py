"""Types that every method shares: networks as plain numbers, the result of training, predictions and forecasts."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from forecasting.domain.panel import Counts, Values
from forecasting.domain.vocabulary import Split
from forecasting.lstm.weights import Weights


@dataclass(frozen=True)
class Networks:
    """All numbers that a forecast needs beside the histories.

    weights: tensors by name; those of local networks have the series axis first. scalers: one JSON object per series.
    state: one JSON object for all series.
    """

    weights: Weights
    scalers: tuple[dict[str, Any], ...]
    state: dict[str, Any]

    @property
    def are_global(self) -> bool:
        """Whether all series use the same networks."""
        return bool(self.state.get("shared", False))

    def select(self, rows: Sequence[int]) -> "Networks":
        """Return the networks of the series at `rows`, in that order."""
        weights = (
            self.weights if self.are_global else {name: tensor[list(rows)] for name, tensor in self.weights.items()}
        )
        return Networks(weights, tuple(self.scalers[row] for row in rows), self.state)


@dataclass(frozen=True)
class SplitScores:
    """Scores on one split (train or test) of the histories; all arrays are (series, horizons), RMSE in the unit of the series.

    n: number of scored months. rmse: of the networks; baseline_rmse: of the seasonal naive. skill: on the months for which
    there is a seasonal naive. Where n is 0, the scores are NaN.
    """

    n: Counts
    rmse: Values
    baseline_rmse: Values
    naive_rmse: Values
    base_path_rmse: Values
    skill: Values

    def select(self, rows: Sequence[int]) -> "SplitScores":
        """Return the scores of the series at `rows`, in that order."""
        return SplitScores(**{field.name: getattr(self, field.name)[list(rows)] for field in fields(self)})

    def scatter(self, rows: np.ndarray, series_count: int) -> "SplitScores":
        """Return scores of series_count series: those at `rows` have these scores, the others n = 0 and NaN."""

        def scattered(scores: Any) -> Any:
            result = np.full((series_count, scores.shape[1]), np.nan if scores.dtype == np.float64 else 0, scores.dtype)
            result[rows] = scores
            return result

        return SplitScores(**{field.name: scattered(getattr(self, field.name)) for field in fields(self)})


@dataclass(frozen=True)
class FitResult:
    """The result of training.

    scores: of the training and the test part. trained_lengths: int (series,), the first months of each history, on which weights
    or scaler were fitted. diverged_mask: bool (series,), True where a weight of the series' networks is not finite.
    """

    networks: Networks
    scores: dict[Split, SplitScores]
    trained_lengths: Counts
    diverged_mask: np.ndarray

    def select(self, rows: Sequence[int]) -> "FitResult":
        """Return the result for the series at `rows`, in that order."""
        scores = {split: split_scores.select(rows) for split, split_scores in self.scores.items()}
        index = list(rows)
        return FitResult(self.networks.select(rows), scores, self.trained_lengths[index], self.diverged_mask[index])


@dataclass(frozen=True)
class PastPredictions:
    """Predictions of observed months of one series, each made one month ahead, in the unit of the series.

    train: (months,), the months from column train_start on: the networks that predict them were trained on them. test:
    (months,), the months from column test_start on: the networks that predict them were not.
    """

    train: Values
    train_start: int
    test: Values
    test_start: int


@dataclass(frozen=True)
class Forecasts:
    """Forecasts of many series; all arrays are (series, horizon) in the unit of the series.

    bounds: by name, lower_95, lower_80, upper_80 and upper_95; empty where the recipe has no intervals. base_path: None where
    the recipe has none. fallback_reasons: (series,), a word where the forecast is not the networks', else empty.
    blend_failures: (series,), a sentence for each model of a blend that failed, else empty.
    """

    values: Values
    fallback_reasons: tuple[str, ...]
    bounds: dict[str, Values]
    base_path: Values | None = None
    blend_failures: tuple[str, ...] | None = None
