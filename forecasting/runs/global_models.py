"""The networks that all series of a run share: decided and, if need be, trained once, before the shards."""

from collections.abc import Callable

import numpy as np

from forecasting.domain.errors import BundleError, RunRefused
from forecasting.domain.evidence import Stored, stored_challenge, stored_champion
from forecasting.domain.panel import Histories, concatenate_histories
from forecasting.domain.policy import GlobalDecision, Policy, Verdict, verdict_on_damage, verdict_without_network
from forecasting.domain.promotion_rules import CHALLENGE_REASONS, Challenge, decide_promotion
from forecasting.domain.recipes import MonthlyRecipe
from forecasting.models.monthly import training as monthly_training
from forecasting.models.types import Networks
from forecasting.runs.champion_challenger import TrainedSeries, challenge_global
from forecasting.runs.model_store import damage_message, make_bundle, networks_from
from forecasting.runs.snapshot import Observations, decide_global, read_observations
from forecasting.storage.bundles import Bundle, read_bundles
from forecasting.storage.db.database import Database
from forecasting.storage.run_networks import GlobalChampion
from forecasting.storage.runs import Run


def prepare_global(
    database: Database, run: Run, *, progress: Callable[[int], None] | None = None
) -> tuple[GlobalDecision, Bundle | None]:
    """Decide about the networks that a run's series share; train them where that is decided.

    progress: called with the number of networks done since the last call.
    """
    with database.reading() as connection:
        verdict, champion, known = decide_global(connection, run)
    evidence: Stored = {"champion": stored_champion(known, run.recipe)} if known else {}
    if verdict.decision == "reuse" and champion is not None:
        damage = _damage(database, champion.bundle_id)
        if damage is None:
            return _told(verdict, champion.bundle_id, evidence), None
        evidence["damage"] = damage
        verdict = verdict_on_damage(Policy(**run.policy), damage)
    if verdict.decision is None:
        return _told(verdict, None, evidence), None
    trained = _train(database, run, progress)
    bundle = make_bundle(run, trained.series_ids, trained.histories, trained.fitted) if trained else None
    if trained is not None and champion is not None and verdict.decision_reason in CHALLENGE_REASONS:
        policy = Policy(**run.policy)
        challenge = _challenge(database, run, trained, champion, bundle)
        evidence["challenge"] = stored_challenge(challenge, policy)
        verdict = decide_promotion(verdict, challenge, policy)
        if verdict.decision == "reuse":
            return _told(verdict, champion.bundle_id, evidence), bundle
    return _told(verdict, bundle.bundle_id if bundle else None, evidence), bundle


def _told(verdict: Verdict, bundle_id: str | None, evidence: Stored) -> GlobalDecision:
    return GlobalDecision(verdict.decision, verdict.in_short[1], verdict.detail, bundle_id, evidence)


def _damage(database: Database, bundle_id: str) -> str | None:
    """Say what is wrong with a stored bundle, None where it is whole."""
    try:
        _stored_networks(database, bundle_id)
    except BundleError as damage:
        return damage_message(bundle_id, damage)
    return None


def _stored_networks(database: Database, bundle_id: str) -> Networks:
    with database.reading() as connection:
        stored = read_bundles(connection, [bundle_id])[bundle_id]
    return networks_from(bundle_id, stored, [])[0]


def _challenge(
    database: Database, run: Run, trained: TrainedSeries, champion: GlobalChampion, bundle: Bundle | None
) -> Challenge:
    """Compare new networks with those that they are to replace."""
    if bundle is None or not isinstance(run.recipe, MonthlyRecipe):
        return Challenge()
    try:
        networks = _stored_networks(database, champion.bundle_id)
    except BundleError as damage:
        return Challenge(challenger=bundle.bundle_id, damage=damage_message(champion.bundle_id, damage))
    since = np.array([max(last - champion.origin, 0) for last in trained.histories.last_months])
    least = Policy(**run.policy).challenge_least
    return challenge_global(run.recipe, trained, networks, since, least=least, bundle_id=bundle.bundle_id)


def _train(database: Database, run: Run, progress: Callable[[int], None] | None) -> TrainedSeries | None:
    """Train on every series that networks can learn from, in the order of their names; None where there is none."""
    if not isinstance(run.recipe, MonthlyRecipe):
        raise RunRefused(f"Recipe {run.recipe.name} has no networks that series share.")
    names: list[str] = []
    ids: list[int] = []
    parts: list[Histories] = []
    filled: list[np.ndarray] = []
    for number in run.shards:
        with database.reading() as connection:
            observed = read_observations(connection, run, run.shard(number))
        rows = _rows_to_learn_from(observed, run)
        names += [observed.panel.names[row] for row in rows]
        ids += [observed.panel.series_ids[row] for row in rows]
        parts.append(observed.histories.select(rows))
        filled += [observed.lags[row] > 0 for row in rows]
    if not ids:
        return None
    order = sorted(range(len(ids)), key=names.__getitem__)
    histories = concatenate_histories(parts).select(order)
    mask = _mask(filled, order, histories)
    fitted = monthly_training.fit_global(run.recipe, histories, filled_mask=mask, progress=progress)
    return TrainedSeries([ids[row] for row in order], histories, mask, np.zeros(len(order), np.uint64), fitted)


def _rows_to_learn_from(observed: Observations, run: Run) -> list[int]:
    """Return the rows of series for which a network is asked."""
    policy = Policy(**run.policy)
    return [
        row
        for row, evidence in enumerate(observed.evidence)
        if verdict_without_network(evidence, policy, run.recipe, run.origin) is None
    ]


def _mask(filled: list[np.ndarray], order: list[int], histories: Histories) -> np.ndarray:
    mask = np.zeros_like(histories.values, dtype=bool)
    for place, row in enumerate(order):
        own = filled[row][: mask.shape[1]]
        mask[place, : len(own)] = own
    return mask
