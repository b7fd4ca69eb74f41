"""One shard of a run, as a pipeline of cases: decide, reuse or train, challenge, forecast, and give the rows to write.

Everything is read through `RunReads` and trained through a `Trainer`: no step needs a database or TensorFlow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from forecasting.domain.evidence import stored_challenge
from forecasting.domain.promotion_rules import CHALLENGE_REASONS, decide_promotion
from forecasting.domain.vocabulary import Decision, Outcome
from forecasting.models.method import method_of
from forecasting.models.types import Networks
from forecasting.runs.attribution import explain_changes
from forecasting.runs.cases import Case, decide_cases, with_forecasts
from forecasting.runs.champion_challenger import challenge_local
from forecasting.runs.joint_training import TrainedModel, Trainer, training_data_from
from forecasting.runs.model_store import MEASURES, ModelStore, make_bundle
from forecasting.runs.outcomes import filled_months, series_results
from forecasting.runs.snapshot import RunReads, Snapshot, read_snapshot
from forecasting.storage.forecasts import ShardResult
from forecasting.storage.runs import Request, Run
from forecasting.storage.scores import Scores


def forecast_shard(reads: RunReads, run: Run, series_ids: Sequence[int], trainer: Trainer) -> ShardResult:
    """Forecast some series of a run and return the rows to write.

    reads: where stored observations, networks and earlier runs come from. A case is what is decided about one series, and its
    forecast; there is one case per row of the snapshot. new_model: the networks trained here, None where no series needs one.
    """
    request, store = run.request, ModelStore(reads.read_bundles)
    snapshot = read_snapshot(reads, run, series_ids)
    cases = decide_cases(request, snapshot)
    cases = forecast_with_stored_networks(request, snapshot, cases, store)
    new_model = train_networks(request, snapshot, cases, trainer)
    if new_model is not None:
        cases = challenge_champions(cases, new_model, store, trainer)
        cases = forecast_with_stored_networks(request, snapshot, cases, store)
        cases = forecast_with_new_networks(request, snapshot, cases, new_model)
    results = series_results(request, snapshot, cases)
    scores = [*_new_network_scores(cases, new_model), *_global_network_scores(snapshot, cases)]
    return ShardResult(
        new_model.bundle if new_model else None,
        results,
        (*scores, *([snapshot.live_scores] if snapshot.live_scores else [])),
        tuple(filled_months(snapshot, results)),
        explain_changes(reads, run, snapshot, results, store),
    )


def forecast_with_stored_networks(
    request: Request, snapshot: Snapshot, cases: Sequence[Case], store: ModelStore
) -> list[Case]:
    """Forecast with the networks that are stored, where a verdict asks for them and there is no forecast yet.

    Where a bundle is damaged, the case is decided again.
    """
    bundle_ids = {
        case.row: case.champion.bundle_id
        for case in cases
        if case.champion is not None and case.forecast is None and _uses_stored_networks(case, snapshot)
    }
    groups, damages = store.group(bundle_ids, snapshot.series_ids)
    cases = [
        case.on_damage(damages[case.row], series_uses_global=snapshot.has_global_networks)
        if case.row in damages
        else case
        for case in cases
    ]
    for group in groups:
        cases = _forecast(request, snapshot, cases, group.rows, group.networks, group.positions, group.bundle_id)
    return cases


def _uses_stored_networks(case: Case, snapshot: Snapshot) -> bool:
    """Say whether stored networks forecast a series; global networks are stored before the shards, new or not."""
    if snapshot.has_global_networks:
        return case.verdict.decision is not None or case.verdict.outcome == Outcome.FALLBACK
    return case.verdict.decision == Decision.REUSE


def train_networks(
    request: Request, snapshot: Snapshot, cases: Sequence[Case], trainer: Trainer
) -> TrainedModel | None:
    """Train the networks of the series that need one; None where no series does."""
    rows = [case.row for case in cases if case.needs_training]
    if not rows:
        return None
    data = training_data_from(request.recipe, snapshot, rows)
    result = trainer.fit(data)
    return TrainedModel(data, result, make_bundle(request, data.series_ids, data.histories, result))


def challenge_champions(
    cases: Sequence[Case], new_model: TrainedModel, store: ModelStore, trainer: Trainer
) -> list[Case]:
    """Let new networks challenge the champions that they are to replace, and decide again: promote or keep."""
    champions = {
        case.series_id: case.champion
        for case in cases
        if case.needs_training and case.champion and case.verdict.decision_reason in CHALLENGE_REASONS
    }
    if not champions:
        return list(cases)
    challenges = challenge_local(
        new_model,
        [row for row, series_id in enumerate(new_model.data.series_ids) if series_id in champions],
        list(champions.values()),
        store,
        trainer.fit_without,
        minimum_months=min(case.policy.challenge_least for case in cases if case.series_id in champions),
    )
    challenge_of = dict(zip(champions, challenges, strict=True))
    return [
        replace(
            case,
            verdict=decide_promotion(case.verdict, challenge_of[case.series_id], case.policy),
            facts={"challenge": stored_challenge(challenge_of[case.series_id], case.policy)},
        )
        if case.series_id in challenge_of
        else case
        for case in cases
    ]


def forecast_with_new_networks(
    request: Request, snapshot: Snapshot, cases: Sequence[Case], new_model: TrainedModel
) -> list[Case]:
    """Forecast with the networks that were just trained, where they replace the champion and did not diverge."""
    position_of = {
        series_id: position
        for position, series_id in enumerate(new_model.data.series_ids)
        if not new_model.fit_result.diverged_mask[position]
    }
    rows = [case.row for case in cases if case.needs_training and case.series_id in position_of]
    positions = [position_of[snapshot.series_ids[row]] for row in rows]
    return _forecast(request, snapshot, cases, rows, new_model.fit_result.networks, positions, new_model.bundle_id)


def _forecast(
    request: Request,
    snapshot: Snapshot,
    cases: Sequence[Case],
    rows: list[int],
    networks: Networks,
    positions: Sequence[int],
    bundle_id: str | None,
) -> list[Case]:
    """Return the cases with the forecasts of networks for some rows; positions: of each row's network."""
    if not rows:
        return list(cases)
    forecasts = method_of(request.recipe).forecast(
        request.recipe,
        networks,
        snapshot.histories.select(rows),
        positions=positions,
        live_factors=snapshot.live_interval_factors[rows],
    )
    return with_forecasts(cases, rows, forecasts, bundle_id)


def _new_network_scores(cases: Sequence[Case], new_model: TrainedModel | None) -> Iterator[Scores]:
    """Give the scores of networks that were just trained, but for those that did not replace their champions."""
    if new_model is None:
        return
    promoted_ids = {case.series_id for case in cases if case.verdict.decision == Decision.RETRAIN}
    series_ids = new_model.data.series_ids
    rows = [row for row, series_id in enumerate(series_ids) if series_id in promoted_ids]
    for split, scores in new_model.fit_result.scores.items():
        measures = {name: getattr(scores, name)[rows] for name in MEASURES}
        yield Scores([series_ids[row] for row in rows], split, measures)


def _global_network_scores(snapshot: Snapshot, cases: Sequence[Case]) -> Iterator[Scores]:
    """Give the scores of global networks that were trained for this run, before its shards."""
    if snapshot.global_decision is None:
        return
    measures_by_split: dict[str, dict[int, dict[str, list[float | None]]]] = {}
    for case in cases:
        if case.verdict.decision == Decision.RETRAIN and case.champion is not None:
            for split, measures in (case.champion.scores or {}).items():
                measures_by_split.setdefault(split, {})[case.series_id] = measures
    for split, measures_by_series in measures_by_split.items():
        rows = measures_by_series.values()
        columns = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in MEASURES}
        yield Scores(list(measures_by_series), split, columns)
