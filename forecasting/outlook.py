"""What a run knows of some series before it acts, and what it decides about each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.numerics.gaps import fill_gaps, longest_gap
from forecasting.numerics.windows import train_lengths
from forecasting.panel import Histories, Panel, Values, histories_of
from forecasting.policy import ChampionEvidence, Evidence, Policy, Verdict, decide
from forecasting.recipes import Recipe
from forecasting.storage import bundles, scores
from forecasting.storage.bundles import Champion
from forecasting.storage.database import Database
from forecasting.storage.panels import read_panel
from forecasting.storage.runs import Request, Run
from forecasting.storage.scores import Score


@dataclass(frozen=True)
class Outlook:
    """What a run knows of some series, and what it decides about each: one row per series of the panel.

    lags: (series, months) of histories: how many months before a filled month its value was taken, 0 if observed.
    """

    panel: Panel
    histories: Histories
    lags: Values
    verdicts: tuple[Verdict, ...]
    champions: dict[int, Champion]
    live_scores: tuple[Score, ...]


def look(database: Database, run: Run | Request, series_ids: Sequence[int]) -> Outlook:
    """Read what the run may know of some series, in one snapshot, and decide about each; nothing is written."""
    with database.reading() as connection:
        panel = read_panel(connection, series_ids, origin=run.origin, as_of=run.as_of)
        champions = bundles.read_champions(connection, series_ids, run)
        live_scores = scores.read_live_scores(connection, series_ids, run)
        bundle_scores = scores.read_bundle_scores(connection, series_ids, run)
    observed = histories_of(panel)
    gaps = longest_gap(observed.values, observed.lengths)
    filled, lags = fill_gaps(observed.values, observed.lengths)
    histories = Histories(filled, observed.lengths, observed.last_months)
    constant = _constant(histories, run.recipe)
    policy = Policy(**run.policy)
    verdicts = []
    for row, series_id in enumerate(series_ids):
        evidence = Evidence(
            last_month=histories.last_months[row] if histories.lengths[row] else None,
            observations=int(histories.lengths[row]),
            longest_gap=int(gaps[row]),
            constant=bool(constant[row]),
            champion=_champion_evidence(champions.get(series_id), bundle_scores),
        )
        verdicts.append(decide(evidence, policy, run.recipe, run.origin))
    return Outlook(panel, histories, lags, tuple(verdicts), champions, tuple(live_scores))


def _constant(histories: Histories, recipe: Recipe) -> np.ndarray:
    seen = histories.lengths if recipe.scaler_sees == "all" else train_lengths(histories.lengths, recipe.train_share)
    inside = np.arange(histories.values.shape[1]) < seen[:, None]
    high = np.where(inside, histories.values, -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(inside, histories.values, np.inf).min(axis=1, initial=np.inf)
    return np.asarray(high == low)


def _champion_evidence(
    champion: Champion | None, bundle_scores: dict[tuple[int, str], tuple[int, float]]
) -> ChampionEvidence | None:
    if champion is None:
        return None
    n, live_rmse = bundle_scores.get((champion.series_id, champion.bundle_id), (0, None))
    return ChampionEvidence(champion.recipe_hash, champion.origin, champion.test_rmse, n, live_rmse)
