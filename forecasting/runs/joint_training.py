"""Networks of each series' own, trained: those of one shard, or those of many origins' shards as one program.

What was trained ahead is known by all that it was trained on, to the last bit. A shard that would train on anything else
does not find it and trains for itself: nothing that is learned later, and no other origin, can slip in.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.domain.panel import Histories, joined
from forecasting.domain.policy import Policy, without_network
from forecasting.domain.recipes import Recipe
from forecasting.lstm.random import series_seeds
from forecasting.models.method import method_of
from forecasting.models.types import Fitted
from forecasting.runs.snapshot import Observed, Seen, observe
from forecasting.storage import attempts
from forecasting.storage.db.database import Database
from forecasting.storage.runs import Request

# Training uses every core by itself; shards that share a process wait for one another.
ONE_AT_A_TIME = threading.Lock()

TrainedAhead = Mapping[str, Fitted]  # by the digest of what was learned from


@dataclass(frozen=True)
class Lessons:
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


def lessons_of(recipe: Recipe, observed: Observed, rows: list[int]) -> Lessons:
    """Return what networks of some series of a panel learn from."""
    histories = observed.histories.select(rows)
    filled = observed.lags[rows][:, : histories.values.shape[1]] > 0
    return Lessons(recipe, histories, filled, series_seeds(recipe.seed, [observed.panel.names[row] for row in rows]))


def train(
    lessons: Lessons,
    *,
    ahead: TrainedAhead | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Fitted:
    """Train networks on their lessons, or take them from those that were trained ahead, where they are among them."""
    found = ahead.get(lessons.digest) if ahead else None
    if found is not None:
        return found
    with ONE_AT_A_TIME:
        return method_of(lessons.recipe).fit(
            lessons.recipe,
            lessons.histories,
            lessons.seeds,
            filled=lessons.filled,
            workers=workers,
            progress=progress,
        )


def will_train(request: Request) -> bool:
    """Say whether a run trains networks of each series' own whatever the runs before it were: only then can it be ahead."""
    return request.policy["retrain"] == "always" and not request.recipe.shares(len(request.series_ids))


def train_together(
    database: Database,
    requests: Sequence[Request],
    *,
    seen: Seen | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> TrainedAhead:
    """Train the networks of some runs' shards as one program; shards that are written already are left out.

    requests: of one recipe and policy, each such that `will_train` holds. seen: keeps what was observed of the shards.
    progress: called with the number of networks trained since the last call.
    """
    with database.reading() as connection:
        written = attempts.written_shards(connection, requests)
        shards = [
            (request, observe(connection, request, ids, seen))
            for request, done in zip(requests, written, strict=True)
            for number, ids in enumerate(request.parts)
            if number not in done
        ]
    lessons = [part for request, observed in shards for part in _lessons_to_come(request, observed)]
    if not lessons:
        return {}
    histories = joined([part.histories for part in lessons])
    width = histories.values.shape[1]
    filled = [np.pad(part.filled, ((0, 0), (0, width - part.filled.shape[1]))) for part in lessons]
    seeds = np.concatenate([part.seeds for part in lessons])
    fitted = train(
        Lessons(lessons[0].recipe, histories, np.concatenate(filled), seeds), workers=workers, progress=progress
    )
    ends = np.cumsum([len(part.seeds) for part in lessons]).tolist()
    return {
        part.digest: fitted.select(range(end - len(part.seeds), end)) for part, end in zip(lessons, ends, strict=True)
    }


def _lessons_to_come(request: Request, observed: Observed) -> list[Lessons]:
    """Return what a shard will train on, if on anything."""
    policy = Policy(**request.policy)
    rows = [
        row
        for row, evidence in enumerate(observed.evidence)
        if without_network(evidence, policy, request.recipe, request.origin) is None
    ]
    return [lessons_of(request.recipe, observed, rows)] if rows else []
