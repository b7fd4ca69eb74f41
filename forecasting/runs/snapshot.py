"""What a run knows of some series before it acts, and what it decides about each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection

from forecasting.domain.months import Month
from forecasting.domain.panel import Histories, Panel, Values, histories_of, last_months
from forecasting.domain.policy import (
    ChampionEvidence,
    Evidence,
    GlobalDecision,
    Policy,
    Verdict,
    choose_network,
    decide,
    verdict_of_global,
)
from forecasting.domain.recipes import ClassicRecipe, Recipe
from forecasting.numerics.gaps import fill_gaps, longest_gap
from forecasting.numerics.live import score_live
from forecasting.numerics.metrics import rmse
from forecasting.numerics.windows import train_lengths
from forecasting.storage import bundles, run_networks, scores
from forecasting.storage.bundles import Champion
from forecasting.storage.db.database import Database
from forecasting.storage.panels import read_panel
from forecasting.storage.run_networks import GlobalChampion
from forecasting.storage.runs import Request, Run
from forecasting.storage.scores import AnsweredForecasts, Scores


@dataclass(frozen=True)
class Observations:
    """The observations of some series that a run may use, gaps filled: one row per series of the panel.

    lags: (series, months) of histories: how many months before a filled month its value was taken, 0 if observed.
    """

    panel: Panel
    histories: Histories
    lags: Values
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Snapshot(Observations):
    """What a run knows of some series, and what it decides about each: one row per series of the panel.

    known: of each series' own champion, None where there is none, or where all series of the run share networks.
    """

    verdicts: tuple[Verdict, ...]
    known: tuple[ChampionEvidence | None, ...]
    champions: dict[int, Champion]
    live: Scores | None
    network: GlobalDecision | None


# By origin, load, recipe and series: what the loads up to one say of the months up to one never changes.
ObservationCache = dict[tuple[Month, int, str, tuple[int, ...]], Observations]


def read_observations(
    connection: Connection, run: Run | Request, series_ids: Sequence[int], seen: ObservationCache | None = None
) -> Observations:
    """Read the observations of some series that a run may use, and what they say of each series, unless they were seen."""
    key = run.origin, run.as_of, run.recipe.hash, tuple(series_ids)
    if seen is not None and key in seen:
        return seen[key]
    panel = read_panel(connection, series_ids, origin=run.origin, as_of=run.as_of)
    observed = observations_from(panel, run.recipe)
    if seen is not None:
        seen[key] = observed
    return observed


def observations_from(panel: Panel, recipe: Recipe) -> Observations:
    """Fill the gaps of a panel, and gather what its observations say of each series."""
    observed = histories_of(panel)
    gaps = longest_gap(observed.values, observed.lengths)
    filled, lags = fill_gaps(observed.values, observed.lengths)
    histories = Histories(filled, observed.lengths, observed.last_months)
    constant = _constant(histories, recipe)
    inside = np.arange(filled.shape[1]) < histories.lengths[:, None]
    zeros = ((filled == 0) & inside).sum(axis=1) / np.maximum(histories.lengths, 1)
    evidence = tuple(
        Evidence(
            last_month=histories.last_months[row] if histories.lengths[row] else None,
            observations=int(histories.lengths[row]),
            longest_gap=int(gaps[row]),
            constant=bool(constant[row]),
            zeros=float(zeros[row]),
        )
        for row in range(len(panel.series_ids))
    )
    return Observations(panel, histories, lags, evidence)


def read_snapshot(
    database: Database,
    run: Run | Request,
    series_ids: Sequence[int],
    *,
    shared: Verdict | None = None,
    seen: ObservationCache | None = None,
) -> Snapshot:
    """Read what the run may know of some series, in one snapshot, and decide about each; nothing is written.

    shared: what will be decided about networks that all series of the run share, where that is not stored yet. seen: what
    was observed before.
    """
    with database.reading() as connection:
        observed = read_observations(connection, run, series_ids, seen)
        network = run_networks.read_global_decision(connection, run) if isinstance(run, Run) else None
        if network is not None and network.bundle_id is not None:
            champions = bundles.read_global_members(connection, series_ids, network.bundle_id)
        else:
            champions = bundles.read_champions(connection, series_ids, run)
        of_champions = {series_id: champion.bundle_id for series_id, champion in champions.items()}
        answered = scores.read_answered_forecasts(connection, series_ids, run, of_champions)
    actual = last_months(observed.panel, run.origin, scores.LIVE_WINDOW)
    live = Scores(series_ids, "live", _live_measures(answered, actual, observed.panel, run)) if answered else None
    live_n, live_rmse = _live_of_champions(answered, actual)
    policy = Policy(**run.policy)
    verdicts: list[Verdict] = []
    known: list[ChampionEvidence | None] = []
    for evidence, series_id, n, error in zip(observed.evidence, series_ids, live_n, live_rmse, strict=True):
        champion = champions.get(series_id)
        common = verdict_of_global(network, member=is_member(champion)) if network is not None else shared
        known.append(_champion_evidence(champion, n, error) if common is None else None)
        verdicts.append(decide(evidence, known[-1], policy, run.recipe, run.origin, shared=common))
    return Snapshot(
        observed.panel,
        observed.histories,
        observed.lags,
        observed.evidence,
        tuple(verdicts),
        tuple(known),
        champions,
        live,
        network,
    )


def decide_global(
    connection: Connection, run: Run | Request
) -> tuple[Verdict, GlobalChampion | None, ChampionEvidence | None]:
    """Decide about the networks that all series of a run share; returns their champion and what is known of it as well."""
    policy = Policy(**run.policy)
    champion = run_networks.read_global_champion(connection, run)
    evidence = None
    if champion is not None:
        series, n, ratio = scores.read_global_ratio(connection, run, champion.bundle_id, least=policy.live_least)
        evidence = ChampionEvidence(
            champion.recipe_hash,
            champion.origin,
            1.0,
            n,
            ratio,
            series,
            confirmed=champion.confirmed,
            ordered=champion.ordered,
        )
    return choose_network(evidence, policy, run.recipe, run.origin), champion, evidence


def is_member(champion: Champion | None) -> bool:
    """Say whether shared networks, a series' champion, were trained with it."""
    return champion is None or champion.position >= 0


def _constant(histories: Histories, recipe: Recipe) -> np.ndarray:
    seen = histories.lengths
    if isinstance(recipe, ClassicRecipe) and recipe.scaler_sees == "train":
        seen = train_lengths(histories.lengths, recipe.train_share)
    inside = np.arange(histories.values.shape[1]) < seen[:, None]
    high = np.where(inside, histories.values, -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(inside, histories.values, np.inf).min(axis=1, initial=np.inf)
    return np.asarray(high == low)


def _live_measures(answered: AnsweredForecasts, actual: Values, panel: Panel, run: Run | Request) -> dict[str, Values]:
    """Score by the latest values and, where the first ones tell another story, by the values released first as well."""
    measures = score_live(answered.paths, actual)
    if panel.first_released is not None:
        released = replace(panel, values=panel.first_released)
        by_first = score_live(answered.paths, last_months(released, run.origin, scores.LIVE_WINDOW))
        for name in ("rmse", "baseline_rmse"):
            measures[f"{name}_first"] = np.where(by_first[name] == measures[name], np.nan, by_first[name])
    return measures


def _live_of_champions(answered: AnsweredForecasts | None, actual: Values) -> tuple[list[int], list[float]]:
    """Return how many forecasts of each series' champion, one month ahead, were answered, and their RMSE (or NaN)."""
    if answered is None:
        return [0] * len(actual), [np.nan] * len(actual)
    errors = np.where(answered.by_champion, answered.paths["value"][:, 0] - actual, np.nan)
    return (~np.isnan(errors)).sum(axis=1).tolist(), rmse(errors).tolist()


def _champion_evidence(champion: Champion | None, n: int, live_rmse: float) -> ChampionEvidence | None:
    if champion is None:
        return None
    error = live_rmse if n else None
    return ChampionEvidence(
        champion.recipe_hash,
        champion.origin,
        champion.test_rmse,
        n,
        error,
        confirmed=champion.confirmed,
        ordered=champion.ordered,
    )
