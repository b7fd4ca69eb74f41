"""What training takes and gives: settings, windows and the networks that come of them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecasting.lstm.weights import Weights


@dataclass(frozen=True)
class BatchedTraining:
    """How networks are trained; the defaults of Adam (Kingma & Ba 2015) are those of Keras.

    With the pinball loss, output j of a network is for quantile j modulo the number of quantiles.
    """

    loss: Literal["mse", "pinball"] = "mse"
    quantiles: tuple[float, ...] = ()
    epochs: int = 100
    batch_size: int = 1
    learning_rate: float = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    shuffle: bool = True
    patience: int | None = None

    def __post_init__(self) -> None:
        if self.loss not in ("mse", "pinball"):
            raise ValueError(f"loss must be 'mse' or 'pinball', not {self.loss!r}")
        if (self.loss == "pinball") != bool(self.quantiles):
            raise ValueError("quantiles belong to the pinball loss, which needs them")
        if self.epochs < 1 or self.batch_size < 1 or (self.patience is not None and self.patience < 0):
            raise ValueError("epochs and batch_size must be at least 1, patience at least 0")


@dataclass(frozen=True)
class TrainingResult:
    """Trained networks; the axis of networks comes first."""

    weights: Weights
    losses: np.ndarray  # (networks, epochs) mean training loss of each epoch; NaN after a network stopped
    epochs: np.ndarray  # (networks,) epochs run
    diverged: np.ndarray  # (networks,) whether a weight or a loss is not finite


@dataclass(frozen=True)
class TrainingWindows:
    """What networks learn from, or are validated on."""

    x: np.ndarray  # (networks, windows, look_back)
    y: np.ndarray  # (networks, windows, outputs)
    counts: np.ndarray  # (networks,) windows in use; the rows beyond are padding
