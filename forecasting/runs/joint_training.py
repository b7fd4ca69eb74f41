"""Networks of each series' own, trained: those of one shard, or those of many origins' shards as one program.

What was trained ahead is known by all that it was trained on, to the last bit. A shard that would train on anything else
does not find it and trains for itself: nothing that is learned later, and no other origin, can slip in.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.domain.panel import Histories, concatenate_histories
from forecasting.domain.policy import Policy, verdict_without_network
from forecasting.domain.recipes import Recipe
from forecasting.lstm.random import series_seeds
from forecasting.models.method import method_of
from forecasting.models.types import FitResult
from forecasting.runs.snapshot import ObservationCache, Observations, read_observations
from forecasting.storage import attempts
from forecasting.storage.db.database import Database
from forecasting.storage.runs import Request

# Training uses every core by itself; shards that share a process wait for one another.
TRAINING_LOCK = threading.Lock()

PretrainedNetworks = Mapping[str, FitResult]  # by the digest of what was learned from


@dataclass(frozen=True)
class TrainingData:
    """What networks of some series' own learn from.

    histories: without gaps; filled: bool (series, months), months that were missing; seeds: uint64 (series,).
    """

    recipe: Recipe
    histories: Histories
    filled: np.ndarray
    seeds: np.ndarray

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides what the networks become."""
        values, lengths = self.histories.values, self.histories.lengths
        inside = np.arange(values.shape[1]) < lengths[:, None]
        digest = hashlib.sha256(self.recipe.hash.encode())
        for part in (lengths, np.where(inside, values, 0.0), self.filled & inside, self.seeds):
            digest.update(f"{part.dtype} {part.shape}".encode() + part.tobytes())
        return digest.hexdigest()


def training_data_from(recipe: Recipe, observed: Observations, rows: list[int]) -> TrainingData:
    """Return what networks of some series of a panel learn from."""
    histories = observed.histories.select(rows)
    filled = observed.lags[rows][:, : histories.values.shape[1]] > 0
    return TrainingData(
        recipe, histories, filled, series_seeds(recipe.seed, [observed.panel.names[row] for row in rows])
    )


def train_local(
    lessons: TrainingData,
    *,
    ahead: PretrainedNetworks | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> FitResult:
    """Train networks on their lessons, or take them from those that were trained ahead, where they are among them."""
    found = ahead.get(lessons.digest) if ahead else None
    if found is not None:
        return found
    with TRAINING_LOCK:
        return method_of(lessons.recipe).fit(
            lessons.recipe,
            lessons.histories,
            lessons.seeds,
            filled_mask=lessons.filled,
            workers=workers,
            progress=progress,
        )


def always_trains(request: Request) -> bool:
    """Say whether a run trains networks of each series' own whatever the runs before it were: only then can it be ahead."""
    return request.policy["retrain"] == "always" and not request.recipe.shares(len(request.series_ids))


def pretrain(
    database: Database,
    requests: Sequence[Request],
    *,
    seen: ObservationCache | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> PretrainedNetworks:
    """Train the networks of some runs' shards as one program; shards that are written already are left out.

    requests: of one recipe and policy, each such that `always_trains` holds. seen: keeps what was observed of the shards.
    progress: called with the number of networks trained since the last call.
    """
    with database.reading() as connection:
        written = attempts.written_shards(connection, requests)
        shards = [
            (request, read_observations(connection, request, ids, seen))
            for request, done in zip(requests, written, strict=True)
            for number, ids in enumerate(request.parts)
            if number not in done
        ]
    lessons = [part for request, observed in shards for part in _lessons_to_come(request, observed)]
    if not lessons:
        return {}
    histories = concatenate_histories([part.histories for part in lessons])
    width = histories.values.shape[1]
    filled = [np.pad(part.filled, ((0, 0), (0, width - part.filled.shape[1]))) for part in lessons]
    seeds = np.concatenate([part.seeds for part in lessons])
    fitted = train_local(
        TrainingData(lessons[0].recipe, histories, np.concatenate(filled), seeds), workers=workers, progress=progress
    )
    ends = np.cumsum([len(part.seeds) for part in lessons]).tolist()
    return {
        part.digest: fitted.select(range(end - len(part.seeds), end)) for part, end in zip(lessons, ends, strict=True)
    }


def _lessons_to_come(request: Request, observed: Observations) -> list[TrainingData]:
    """Return what a shard will train on, if on anything."""
    policy = Policy(**request.policy)
    rows = [
        row
        for row, evidence in enumerate(observed.evidence)
        if verdict_without_network(evidence, policy, request.recipe, request.origin) is None
    ]
    return [training_data_from(request.recipe, observed, rows)] if rows else []
