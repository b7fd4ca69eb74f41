"""Types of the training: settings, windows, and the result."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecasting.lstm.weights import Weights


@dataclass(frozen=True)
class BatchedTraining:
    """Settings of the training; those of Adam (Kingma & Ba 2015) have the defaults of Keras.

    quantiles: levels, for the pinball loss; output j of a network is for the level at j modulo their number. patience: None:
    no early stopping; else a network stops after so many epochs without a lower validation loss.
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
    """Trained networks; the first axis of all arrays is that of networks."""

    weights: Weights
    losses: np.ndarray  # (networks, epochs) mean training loss of each epoch, NaN after the network has stopped
    epochs: np.ndarray  # int (networks,), number of epochs until the network stopped
    diverged_mask: np.ndarray  # bool (networks,), True where a weight or a loss is not finite


@dataclass(frozen=True)
class TrainingWindows:
    """Windows and targets, for training or for validation."""

    x: np.ndarray  # (networks, windows, look_back)
    y: np.ndarray  # (networks, windows, outputs)
    counts: np.ndarray  # int (networks,), number of windows; further rows are padding
