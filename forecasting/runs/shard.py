"""One shard of a run: train or reuse as decided, forecast, judge, and give the rows to write."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from forecasting.domain.errors import BundleError
from forecasting.domain.evidence import Stored, stored_challenge
from forecasting.domain.panel import Values
from forecasting.domain.policy import Policy, Verdict, verdict_on_damage
from forecasting.domain.promotion_rules import CHALLENGE_REASONS, decide_promotion
from forecasting.models.method import method_of
from forecasting.models.types import Networks
from forecasting.numerics.intervals import live_factors
from forecasting.runs.attribution import explain_changes
from forecasting.runs.champion_challenger import TrainedSeries, challenge_local
from forecasting.runs.joint_training import TRAINING_LOCK, PretrainedNetworks, train_local, training_data_from
from forecasting.runs.model_store import MEASURES, damage_message, make_bundle, networks_from
from forecasting.runs.outcomes import SeriesForecast, filled_months, series_results, split_by_series
from forecasting.runs.snapshot import ObservationCache, Snapshot, read_snapshot
from forecasting.storage import bundles
from forecasting.storage.bundles import Bundle
from forecasting.storage.db.database import Database
from forecasting.storage.forecasts import ShardResult
from forecasting.storage.runs import Run
from forecasting.storage.scores import Scores


def forecast_shard(
    database: Database,
    run: Run,
    series_ids: Sequence[int],
    *,
    ahead: PretrainedNetworks | None = None,
    seen: ObservationCache | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> ShardResult:
    """Do everything for some series but write it; `progress` receives how many networks have just been trained.

    ahead: networks that were trained before, for this shard and others; seen: what was observed before.
    """
    outlook = read_snapshot(database, run, series_ids, seen=seen)
    live = live_interval_factors(outlook)
    verdicts, facts = list(outlook.verdicts), dict[int, Stored]()
    said = _ask_stored(database, run, outlook, verdicts, facts, live)
    to_train = [row for row, verdict in enumerate(verdicts) if verdict.decision == "retrain" and row not in said]
    trained = _train(run, outlook, to_train, ahead, workers, progress)
    bundle = make_bundle(run, trained.series_ids, trained.histories, trained.fitted) if trained else None
    if trained is not None:
        _challenge(database, run, outlook, verdicts, facts, to_train, trained, bundle, workers)
        said |= _ask_stored(database, run, outlook, verdicts, facts, live, rows=to_train)
        places = [place for place, row in enumerate(to_train) if row not in said and not trained.fitted.diverged_mask[place]]
        rows = [to_train[place] for place in places]
        said |= _ask(run, trained.fitted.networks, outlook, rows, places, live, bundle.bundle_id if bundle else None)
    results = tuple(series_results(run, outlook, verdicts, said, facts))
    return ShardResult(
        bundle,
        results,
        (
            *_training_scores(to_train, verdicts, trained),
            *_shared_scores(outlook, verdicts),
            *([outlook.live] if outlook.live else []),
        ),
        tuple(filled_months(outlook, results)),
        explain_changes(database, run, outlook, results),
    )


def live_interval_factors(outlook: Snapshot) -> Values:
    """Return by how much the live errors of each series widen its 80 and 95 % intervals: (series, 2)."""
    if outlook.live is None:
        return np.ones((len(outlook.panel.series_ids), 2))
    measures = outlook.live.measures
    coverages = [measures.get(name, np.full_like(measures["n"], np.nan)) for name in ("coverage_80", "coverage_95")]
    coverage = np.stack(coverages, axis=1)  # (series, 2, horizon)
    known = ~np.isnan(coverage)
    n = np.where(known, measures["n"][:, None], 0)
    inside, answered = np.where(known, n * coverage, 0).sum(axis=2), n.sum(axis=2)
    realised = np.divide(inside, answered, out=np.full_like(inside, np.nan), where=answered > 0)
    return live_factors(measures["n"][:, 0], realised)


def _ask_stored(
    database: Database,
    run: Run,
    outlook: Snapshot,
    verdicts: list[Verdict],
    facts: dict[int, Stored],
    live: Values,
    *,
    rows: Sequence[int] | None = None,
) -> dict[int, SeriesForecast]:
    """Forecast some rows, by default all, with the networks that are stored, where a verdict asks for them.

    Where a bundle is damaged, the policy decides again, and `facts` tells the damage.
    """
    users: dict[str, list[int]] = {}
    shared = outlook.network is not None and outlook.network.bundle_id is not None
    for row in range(len(verdicts)) if rows is None else rows:
        asked = verdicts[row].decision == "reuse" or (
            shared and (verdicts[row].decision == "retrain" or verdicts[row].outcome == "fallback")
        )
        if asked:
            users.setdefault(outlook.champions[outlook.panel.series_ids[row]].bundle_id, []).append(row)
    ahead: dict[int, SeriesForecast] = {}
    if not users:
        return ahead
    with database.reading() as connection:
        stored = bundles.read_bundles(connection, users)
    for bundle_id, own in users.items():
        try:
            networks, positions = networks_from(
                bundle_id, stored[bundle_id], [outlook.panel.series_ids[row] for row in own]
            )
        except BundleError as damage:
            for row in own:
                facts[row] = {"damage": damage_message(bundle_id, damage)}
                verdicts[row] = verdict_on_damage(Policy(**run.policy), facts[row]["damage"], shared=shared)
            continue
        ahead |= _ask(run, networks, outlook, own, positions, live, bundle_id)
    return ahead


def _ask(
    run: Run,
    networks: Networks,
    outlook: Snapshot,
    rows: list[int],
    positions: Sequence[int],
    live: Values,
    bundle_id: str | None,
) -> dict[int, SeriesForecast]:
    if not rows:
        return {}
    made = method_of(run.recipe).forecast(
        run.recipe, networks, outlook.histories.select(rows), positions=positions, live_factors=live[rows]
    )
    return dict(zip(rows, split_by_series(made, bundle_id), strict=True))


def _train(
    run: Run,
    outlook: Snapshot,
    rows: list[int],
    ahead: PretrainedNetworks | None,
    workers: int | None,
    progress: Callable[[int], None] | None,
) -> TrainedSeries | None:
    if not rows:
        return None
    lessons = training_data_from(run.recipe, outlook, rows)
    fitted = train_local(lessons, ahead=ahead, workers=workers, progress=progress)
    return TrainedSeries(
        [outlook.panel.series_ids[row] for row in rows], lessons.histories, lessons.filled, lessons.seeds, fitted
    )


def _challenge(
    database: Database,
    run: Run,
    outlook: Snapshot,
    verdicts: list[Verdict],
    facts: dict[int, Stored],
    to_train: list[int],
    trained: TrainedSeries,
    bundle: Bundle | None,
    workers: int | None,
) -> None:
    """Let new networks challenge the champions that they are to replace; verdicts and facts tell how that ended."""
    places = [place for place, row in enumerate(to_train) if verdicts[row].decision_reason in CHALLENGE_REASONS]
    champions = [outlook.champions[trained.series_ids[place]] for place in places]
    if not places:
        return
    policy = Policy(**run.policy)
    with database.reading() as connection:
        stored = bundles.read_bundles(connection, {champion.bundle_id for champion in champions})
    with TRAINING_LOCK:
        challenges = challenge_local(
            run.recipe,
            trained.select(places),
            champions,
            stored,
            least=policy.challenge_least,
            bundle_id=bundle.bundle_id if bundle else None,
            workers=workers,
        )
    for place, challenge in zip(places, challenges, strict=True):
        row = to_train[place]
        facts[row] = {"challenge": stored_challenge(challenge, policy)}
        verdicts[row] = decide_promotion(verdicts[row], challenge, policy)


def _training_scores(rows: list[int], verdicts: list[Verdict], trained: TrainedSeries | None) -> Iterator[Scores]:
    """Give the scores of networks that this shard has trained, but for those that did not replace their champions."""
    if trained is None:
        return
    taken = [place for place, row in enumerate(rows) if verdicts[row].decision == "retrain"]
    for split, scores in trained.fitted.scores.items():
        measures = {name: getattr(scores, name)[taken] for name in MEASURES}
        yield Scores([trained.series_ids[place] for place in taken], split, measures)


def _shared_scores(outlook: Snapshot, verdicts: list[Verdict]) -> Iterator[Scores]:
    """Give the scores of networks that were trained before the shards for the whole run."""
    if outlook.network is None:
        return
    stored: dict[str, dict[int, dict[str, list[float | None]]]] = {}
    for series_id, verdict in zip(outlook.panel.series_ids, verdicts, strict=True):
        champion = outlook.champions.get(series_id)
        if verdict.decision == "retrain" and champion is not None:
            for split, measures in (champion.scores or {}).items():
                stored.setdefault(split, {})[series_id] = measures
    for split, of_series in stored.items():
        columns = {name: np.array([m[name] for m in of_series.values()], dtype=np.float64) for name in MEASURES}
        yield Scores(list(of_series), split, columns)
