"""Training of local networks: those of one shard, or those of many origins' shards as one program.

Networks that were trained before are identified by all that they were trained on, to the last bit. A shard that would train
on anything else does not find them and trains for itself: nothing that is learned later, and no other origin, can slip in.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from forecasting.domain.panel import Counts, Histories, concatenate_histories
from forecasting.domain.policy import verdict_without_network
from forecasting.domain.recipes import Recipe
from forecasting.domain.vocabulary import RetrainPolicy
from forecasting.lstm.random import series_seeds
from forecasting.models.method import method_of
from forecasting.models.types import FitResult, Networks
from forecasting.runs.snapshot import ObservationCache, Observations, read_observations
from forecasting.storage import attempts
from forecasting.storage.bundles import Bundle
from forecasting.storage.db.database import Database
from forecasting.storage.runs import Request

# Training uses every core by itself; shards that share a process wait for one another.
_TRAINING_LOCK = threading.Lock()

PretrainedNetworks = Mapping[str, FitResult]  # by the digest of the data that they were trained on


@dataclass(frozen=True)
class TrainingData:
    """What networks of some series are trained on, one row per series.

    histories: without gaps. filled_mask: bool (series, months), the months whose values were missing. seeds: uint64
    (series,), the source of all random numbers of a series' networks.
    """

    recipe: Recipe
    series_ids: Sequence[int]
    histories: Histories
    filled_mask: np.ndarray
    seeds: np.ndarray

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides what the networks become."""
        values, lengths = self.histories.values, self.histories.lengths
        inside = self.histories.inside
        digest = hashlib.sha256(self.recipe.hash.encode())
        for array in (lengths, np.where(inside, values, 0.0), self.filled_mask & inside, self.seeds):
            digest.update(f"{array.dtype} {array.shape}".encode() + array.tobytes())
        return digest.hexdigest()

    def select(self, rows: list[int]) -> "TrainingData":
        """Return the data of some rows, in that order."""
        histories = self.histories.select(rows)
        return TrainingData(
            self.recipe,
            [self.series_ids[row] for row in rows],
            histories,
            self.filled_mask[rows][:, : histories.values.shape[1]],
            self.seeds[rows],
        )


@dataclass(frozen=True)
class TrainedModel:
    """Networks that were just trained, what they were trained on, and their bundle (None where all of them diverged)."""

    data: TrainingData
    fit_result: FitResult
    bundle: Bundle | None

    @property
    def bundle_id(self) -> str | None:
        """The id of the bundle."""
        return self.bundle.bundle_id if self.bundle else None


class Trainer(Protocol):
    """What trains the local networks of a shard."""

    def fit(self, data: TrainingData) -> FitResult:
        """Return the result of training networks of these series, one row per series.

        Unlike in `fit_without`, no month is held out beyond those that the recipe keeps as test part.
        """

    def fit_without(self, data: TrainingData, networks: Networks, holdout_months: Counts) -> Networks:
        """Return networks like the given ones that have not seen the last months of each series: holdout_months (series,)."""


@dataclass(frozen=True)
class LocalTrainer:
    """Trains in this process, one shard at a time; networks that were trained before are taken as they are.

    progress: called with the number of networks trained since the last call.
    """

    pretrained: PretrainedNetworks = field(default_factory=dict)
    workers: int | None = None
    progress: Callable[[int], None] | None = None

    def fit(self, data: TrainingData) -> FitResult:
        """Return the result of training networks of these series, one row per series.

        Networks that were trained on the same data before are taken as they are. Unlike in `fit_without`, no month is held out
        beyond those that the recipe keeps as test part.
        """
        if self.pretrained and (result := self.pretrained.get(data.digest)) is not None:
            return result
        with _TRAINING_LOCK:
            return method_of(data.recipe).fit(
                data.recipe,
                data.histories,
                data.seeds,
                filled_mask=data.filled_mask,
                workers=self.workers,
                progress=self.progress,
            )

    def fit_without(self, data: TrainingData, networks: Networks, holdout_months: Counts) -> Networks:
        """Return networks like the given ones that have not seen the last months of each series: holdout_months (series,)."""
        with _TRAINING_LOCK:
            return method_of(data.recipe).holdout_networks(
                data.recipe, networks, data.histories, data.seeds, holdout_months, workers=self.workers
            )


def training_data_from(recipe: Recipe, observations: Observations, rows: list[int]) -> TrainingData:
    """Return what networks of some rows of a panel are trained on."""
    histories = observations.histories.select(rows)
    panel = observations.panel
    return TrainingData(
        recipe,
        [panel.series_ids[row] for row in rows],
        histories,
        observations.lags[rows][:, : histories.values.shape[1]] > 0,
        series_seeds(recipe.seed, [panel.names[row] for row in rows]),
    )


def rows_for_networks(request: Request, observations: Observations) -> list[int]:
    """Return the rows of the series whose observations suffice for a network."""
    return [
        row
        for row, (name, evidence) in enumerate(zip(observations.panel.names, observations.evidence, strict=True))
        if verdict_without_network(evidence, request.policy.for_series(name), request.recipe, request.origin) is None
    ]


def always_trains(request: Request) -> bool:
    """Say whether a run trains local networks whatever the runs before it were: only then can they be trained before it."""
    return request.policy.retrain == RetrainPolicy.ALWAYS and not request.has_global_networks


def pretrain(
    database: Database,
    requests: Sequence[Request],
    *,
    cache: ObservationCache | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> PretrainedNetworks:
    """Train the networks of some runs' shards as one program; shards that are written already are left out.

    requests: of one recipe and policy, each such that `always_trains` holds. cache: keeps the observations that are read.
    progress: called with the number of networks trained since the last call.
    """
    with database.reading() as connection:
        written_shards = attempts.read_written_shards_of_requests(connection, requests)
        observations = [
            (request, read_observations(connection, request, series_ids, cache))
            for request, numbers in zip(requests, written_shards, strict=True)
            for number, series_ids in enumerate(request.shards)
            if number not in numbers
        ]
    data_by_shard = []
    for request, shard_observations in observations:
        rows = rows_for_networks(request, shard_observations)
        if rows:
            data_by_shard.append(training_data_from(request.recipe, shard_observations, rows))
    if not data_by_shard:
        return {}
    all_data = concatenate_training_data(data_by_shard)
    all_networks = LocalTrainer(workers=workers, progress=progress).fit(all_data)
    ends = np.cumsum([len(data.seeds) for data in data_by_shard]).tolist()
    return {
        data.digest: all_networks.select(range(end - len(data.seeds), end))
        for data, end in zip(data_by_shard, ends, strict=True)
    }


def concatenate_training_data(parts: Sequence[TrainingData]) -> TrainingData:
    """Return the training data of one or more shards of a recipe as one, in their order."""
    histories = concatenate_histories([data.histories for data in parts])
    width = histories.values.shape[1]
    return TrainingData(
        parts[0].recipe,
        [series_id for data in parts for series_id in data.series_ids],
        histories,
        np.concatenate([np.pad(data.filled_mask, ((0, 0), (0, width - data.filled_mask.shape[1]))) for data in parts]),
        np.concatenate([data.seeds for data in parts]),
    )
