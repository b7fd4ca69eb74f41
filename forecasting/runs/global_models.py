"""The global networks of a run: decided and, where that is decided, trained once, before the shards."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import Connection

from forecasting.domain.errors import BundleError
from forecasting.domain.evidence import stored_challenge, stored_champion
from forecasting.domain.policy import ChampionEvidence, GlobalDecision, Verdict, choose_network, verdict_on_damage
from forecasting.domain.promotion_rules import CHALLENGE_REASONS, Challenge, decide_promotion
from forecasting.domain.vocabulary import Decision
from forecasting.models.method import global_method_of
from forecasting.runs.champion_challenger import challenge_global
from forecasting.runs.joint_training import (
    TrainedModel,
    TrainingData,
    concatenate_training_data,
    rows_for_networks,
    training_data_from,
)
from forecasting.runs.model_store import ModelStore, make_bundle
from forecasting.runs.snapshot import DatabaseReads, Observations, read_observations
from forecasting.storage import run_networks, scores
from forecasting.storage.bundles import Bundle
from forecasting.storage.db.database import Database
from forecasting.storage.run_networks import GlobalChampion
from forecasting.storage.runs import Request, Run


def decide_global(connection: Connection, run: Run) -> tuple[Verdict, GlobalChampion | None, ChampionEvidence | None]:
    """Decide about the global networks of a run; returns their champion and the evidence about it as well."""
    request = run.request
    champion = run_networks.read_global_champion(connection, run)
    evidence = None
    if champion is not None:
        series_count, month_count, rmse_ratio = scores.read_global_ratio(
            connection, run, champion.bundle_id, least=request.policy.live_least
        )
        evidence = ChampionEvidence(
            champion.recipe_hash,
            champion.origin,
            1.0,
            month_count,
            rmse_ratio,
            series_count,
            confirmed=champion.confirmed,
            ordered=champion.ordered,
        )
    return choose_network(evidence, request.policy, request.recipe, request.origin), champion, evidence


def prepare_global(
    database: Database, run: Run, *, progress: Callable[[int], None] | None = None
) -> tuple[GlobalDecision, Bundle | None]:
    """Decide about the global networks of a run; train them where that is decided.

    Returns the decision, and the new bundle, also where its networks lost the challenge; None where none was trained, or all
    networks diverged. progress: called with the number of networks trained since the last call.
    """
    request, store = run.request, ModelStore(DatabaseReads(database).read_bundles)
    with database.reading() as connection:
        verdict, champion, champion_evidence = decide_global(connection, run)
    stored_evidence: dict[str, Any] = {}
    if champion_evidence is not None:
        stored_evidence["champion"] = stored_champion(champion_evidence, request.recipe)
    verdict_after_damage = verdict
    if verdict.decision == Decision.REUSE and champion is not None:
        damage = store.damage(champion.bundle_id)  # what is wrong, in a sentence
        if damage is None:
            return _decision(verdict, champion.bundle_id, stored_evidence), None
        stored_evidence["damage"] = damage
        verdict_after_damage = verdict_on_damage(request.policy, damage)
    if verdict_after_damage.decision is None:
        return _decision(verdict_after_damage, None, stored_evidence), None
    new_model = train_global(request, global_training_data(request, _read_shards(database, request)), progress)
    new_bundle = new_model.bundle if new_model else None
    verdict_after_challenge = verdict_after_damage
    if new_model and champion and verdict_after_damage.decision_reason in CHALLENGE_REASONS:
        challenge = _challenge(request, new_model, champion, store)
        stored_evidence["challenge"] = stored_challenge(challenge, request.policy)
        verdict_after_challenge = decide_promotion(verdict_after_damage, challenge, request.policy)
        if verdict_after_challenge.decision == Decision.REUSE:
            return _decision(verdict_after_challenge, champion.bundle_id, stored_evidence), new_bundle
    new_bundle_id = new_bundle.bundle_id if new_bundle else None
    return _decision(verdict_after_challenge, new_bundle_id, stored_evidence), new_bundle


def _decision(verdict: Verdict, bundle_id: str | None, evidence: dict[str, Any]) -> GlobalDecision:
    return GlobalDecision(verdict.decision, verdict.summary[1], verdict.detail, bundle_id, evidence)


def _challenge(request: Request, new_model: TrainedModel, champion: GlobalChampion, store: ModelStore) -> Challenge:
    """Compare new global networks with the champion that they are to replace."""
    if new_model.bundle is None:
        return Challenge()
    try:
        networks = store.model(champion.bundle_id).networks
    except BundleError as damage:
        return Challenge(challenger=new_model.bundle_id, damage=str(damage))
    months_since = np.array([max(last - champion.origin, 0) for last in new_model.data.histories.last_months])
    return challenge_global(
        request.recipe, new_model, networks, months_since, minimum_months=request.policy.challenge_least
    )


def train_global(
    request: Request, data: TrainingData, progress: Callable[[int], None] | None = None
) -> TrainedModel | None:
    """Train global networks on the series of `global_training_data`; None where there are none.

    Raises RecipeError where the recipe has no global networks.
    """
    method = global_method_of(request.recipe)
    if not data.series_ids:
        return None
    result = method.fit_global(request.recipe, data.histories, filled_mask=data.filled_mask, progress=progress)
    return TrainedModel(data, result, make_bundle(request, data.series_ids, data.histories, result))


def _read_shards(database: Database, request: Request) -> Iterator[Observations]:
    """Read the observations of a run, shard after shard."""
    for shard in request.shards:
        with database.reading() as connection:
            observations = read_observations(connection, request, shard)
        yield observations


def global_training_data(request: Request, shards: Iterable[Observations]) -> TrainingData:
    """Gather the histories of all series whose observations suffice for networks, in the order of their names."""
    names: list[str] = []
    parts: list[TrainingData] = []
    for observations in shards:
        rows = rows_for_networks(request, observations)
        names += [observations.panel.names[row] for row in rows]
        parts.append(training_data_from(request.recipe, observations, rows))
    order = sorted(range(len(names)), key=names.__getitem__)
    # Global networks draw their random numbers from the recipe's seed, not from those of series.
    return replace(concatenate_training_data(parts).select(order), seeds=np.zeros(len(order), np.uint64))
