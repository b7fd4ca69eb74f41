"""What a run knows of some series before it decides about them.

The arrays of a snapshot have one row per series of its panel. `RunReads` is all that a shard reads; tests put other values
in the place of the database.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from sqlalchemy import Connection

from forecasting.domain.months import Month
from forecasting.domain.panel import Histories, Panel, Values, columns_inside, histories_of, recent_months
from forecasting.domain.policy import ChampionEvidence, Evidence, GlobalDecision
from forecasting.domain.recipes import Recipe
from forecasting.domain.vocabulary import Split
from forecasting.models.method import method_of
from forecasting.numerics.gaps import fill_gaps, longest_gap
from forecasting.numerics.intervals import live_factors
from forecasting.numerics.live import score_live
from forecasting.numerics.metrics import rmse
from forecasting.storage import attribution, bundles, run_networks, scores
from forecasting.storage.attribution import PreviousRun
from forecasting.storage.bundles import Bundle, Champion
from forecasting.storage.db.database import Database
from forecasting.storage.panels import read_panel
from forecasting.storage.runs import Request, Run, read_recipe
from forecasting.storage.scores import AnsweredForecasts, Scores


@dataclass(frozen=True)
class Observations:
    """The observations of some series that a run may use, with their gaps filled.

    histories: the filled values. lags: (series, months), for each filled month of histories how many months before it its
    value was taken, 0 for an observed month. evidence: what the observations say about each series.
    """

    panel: Panel
    histories: Histories
    lags: Values
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class StoredFacts:
    """What the database holds about some series for a run.

    champions: by series, the network that the run may reuse. answered_forecasts: earlier forecasts whose months are observed
    now, None where there are none. global_decision: what was decided about the global networks of the run, None before that
    or where it has none.
    """

    observations: Observations
    champions: Mapping[int, Champion]
    answered_forecasts: AnsweredForecasts | None = None
    global_decision: GlobalDecision | None = None


class RunReads(Protocol):
    """What a shard of a run reads."""

    def read_facts(self, run: Run, series_ids: Sequence[int]) -> StoredFacts:
        """Return what is stored about some series, all as of one moment."""

    def read_bundles(self, bundle_ids: Collection[str]) -> Mapping[str, Bundle]:
        """Return stored bundles by id."""

    def read_previous_runs(
        self, run: Run, panel: Panel, series_ids: Sequence[int]
    ) -> Sequence[tuple[PreviousRun, Panel]]:
        """Return the previous runs of some series, each with the panel of its series as it was known then."""

    def read_recipe(self, recipe_hash: str) -> Recipe:
        """Return a stored recipe."""


# By origin, load, recipe and series: what the loads up to one say about the months up to one never changes.
ObservationCache = dict[tuple[Month, int, str, tuple[int, ...]], Observations]


@dataclass(frozen=True)
class DatabaseReads:
    """Reads a run from the database; cache: keeps the observations that are read, for callers that read them again."""

    database: Database
    cache: ObservationCache | None = None

    def read_facts(self, run: Run, series_ids: Sequence[int]) -> StoredFacts:
        """Return what is stored about some series, in one snapshot of the database."""
        with self.database.reading() as connection:
            observations = read_observations(connection, run.request, series_ids, self.cache)
            decision = run_networks.read_global_decision(connection, run) if run.run_id else None
            if decision is not None and decision.bundle_id is not None:
                champions = bundles.read_global_members(connection, series_ids, decision.bundle_id)
            else:
                champions = bundles.read_champions(connection, series_ids, run)
            bundle_ids = {series_id: champion.bundle_id for series_id, champion in champions.items()}
            answers = scores.read_answered_forecasts(connection, series_ids, run, bundle_ids)
        return StoredFacts(observations, champions, answers, decision)

    def read_bundles(self, bundle_ids: Collection[str]) -> Mapping[str, Bundle]:
        """Return stored bundles by id."""
        with self.database.reading() as connection:
            return bundles.read_bundles(connection, bundle_ids)

    def read_previous_runs(
        self, run: Run, panel: Panel, series_ids: Sequence[int]
    ) -> Sequence[tuple[PreviousRun, Panel]]:
        """Return the previous runs of some series, each with the panel of its series as it was known then."""
        with self.database.reading() as connection:
            return [
                (previous, attribution.read_earlier_vintage(connection, panel, previous, run.request.as_of))
                for previous in attribution.read_previous_runs(connection, series_ids, run)
            ]

    def read_recipe(self, recipe_hash: str) -> Recipe:
        """Return a stored recipe."""
        with self.database.reading() as connection:
            return read_recipe(connection, recipe_hash)


def read_observations(
    connection: Connection, request: Request, series_ids: Sequence[int], cache: ObservationCache | None = None
) -> Observations:
    """Return the observations of some series that a run may use, from the cache where they are in it."""
    cache = {} if cache is None else cache
    key = request.origin, request.as_of, request.recipe.hash, tuple(series_ids)
    if key not in cache:
        panel = read_panel(connection, series_ids, origin=request.origin, as_of=request.as_of)
        cache[key] = observations_from(panel, request.recipe)
    return cache[key]


def observations_from(panel: Panel, recipe: Recipe) -> Observations:
    """Fill the gaps of a panel and gather what its observations say about each series."""
    histories = histories_of(panel)
    longest_gaps = longest_gap(histories.values, histories.lengths)
    values, lags = fill_gaps(histories.values, histories.lengths)
    histories = Histories(values, histories.lengths, histories.last_months)
    constant_mask = _is_constant(histories, recipe)
    zero_shares = ((values == 0) & histories.inside).sum(axis=1) / np.maximum(histories.lengths, 1)
    evidence = tuple(
        Evidence(
            last_month=histories.last_months[row] if histories.lengths[row] else None,
            observations=int(histories.lengths[row]),
            longest_gap=int(longest_gaps[row]),
            constant=bool(constant_mask[row]),
            zeros=float(zero_shares[row]),
        )
        for row in range(len(panel.series_ids))
    )
    return Observations(panel, histories, lags, evidence)


@dataclass(frozen=True)
class Snapshot(Observations):
    """The observations of some series, their champions and how the champions' forecasts did.

    champion_evidence: of each series' local champion, None where it has none or where the networks are global.
    live_scores: of the forecasts whose months are observed now, None where there are none.
    """

    champions: Mapping[int, Champion]
    champion_evidence: tuple[ChampionEvidence | None, ...]
    live_scores: Scores | None
    global_decision: GlobalDecision | None

    @property
    def series_ids(self) -> tuple[int, ...]:
        """The series, one per row."""
        return self.panel.series_ids

    @property
    def has_global_networks(self) -> bool:
        """Whether global networks are stored for the run."""
        return self.global_decision is not None and self.global_decision.bundle_id is not None

    @cached_property
    def live_interval_factors(self) -> Values:
        """By how much the live errors of each series widen its 80 and 95 % intervals: (series, 2)."""
        if self.live_scores is None:
            return np.ones((len(self.series_ids), 2))
        measures = self.live_scores.measures
        no_numbers = np.full_like(measures["n"], np.nan)
        # (series, 2, horizon)
        coverage = np.stack([measures.get(name, no_numbers) for name in ("coverage_80", "coverage_95")], axis=1)
        has_coverage = ~np.isnan(coverage)
        answer_counts = np.where(has_coverage, measures["n"][:, None], 0)
        hits, totals = np.where(has_coverage, answer_counts * coverage, 0).sum(axis=2), answer_counts.sum(axis=2)
        realised_coverage = np.divide(hits, totals, out=np.full_like(hits, np.nan), where=totals > 0)
        return live_factors(measures["n"][:, 0], realised_coverage)


def read_snapshot(reads: RunReads, run: Run, series_ids: Sequence[int]) -> Snapshot:
    """Read what a run may know of some series; nothing is written."""
    return snapshot_from(run.request, reads.read_facts(run, series_ids))


def snapshot_from(request: Request, facts: StoredFacts) -> Snapshot:
    """Score the answered forecasts and gather what is known about each champion."""
    observations, answers = facts.observations, facts.answered_forecasts
    series_ids = observations.panel.series_ids
    actual = recent_months(observations.panel, request.origin, scores.LIVE_MONTHS)  # (series, LIVE_MONTHS)
    live_scores = None
    if answers is not None:
        live_scores = Scores(
            series_ids, Split.LIVE, _live_measures(answers, actual, observations.panel, request.origin)
        )
    live_counts, live_rmses = _champion_live_errors(answers, actual)
    champion_evidence = tuple(
        _champion_evidence(facts.champions.get(series_id), count, live_rmse) if facts.global_decision is None else None
        for series_id, count, live_rmse in zip(series_ids, live_counts, live_rmses, strict=True)
    )
    return Snapshot(
        **vars(observations),
        champions=facts.champions,
        champion_evidence=champion_evidence,
        live_scores=live_scores,
        global_decision=facts.global_decision,
    )


def _is_constant(histories: Histories, recipe: Recipe) -> np.ndarray:
    """Say for each history whether all months that networks are fitted on are equal: bool (series,)."""
    lengths = method_of(recipe).training_lengths(recipe, histories.lengths)
    inside = columns_inside(histories.values.shape[1], lengths)
    fitting_part = replace(histories, values=np.where(inside, histories.values, np.nan), lengths=lengths)
    return np.asarray(fitting_part.highest == fitting_part.lowest)


def _live_measures(answers: AnsweredForecasts, actual: Values, panel: Panel, origin: Month) -> dict[str, Values]:
    """Score by the newest values and, where the values released first give another score, by those as well."""
    measures = score_live(answers.paths, actual)
    if panel.first_released is not None:
        released_panel = replace(panel, values=panel.first_released)
        measures_of_release = score_live(answers.paths, recent_months(released_panel, origin, scores.LIVE_MONTHS))
        for name in ("rmse", "baseline_rmse"):
            is_same = measures_of_release[name] == measures[name]
            measures[f"{name}_first"] = np.where(is_same, np.nan, measures_of_release[name])
    return measures


def _champion_live_errors(answers: AnsweredForecasts | None, actual: Values) -> tuple[list[int], list[float]]:
    """Return the number of answered one-month-ahead forecasts of each series' champion, and their RMSE (or NaN)."""
    if answers is None:
        return [0] * len(actual), [np.nan] * len(actual)
    errors = np.where(answers.by_champion, answers.paths["value"][:, 0] - actual, np.nan)
    return (~np.isnan(errors)).sum(axis=1).tolist(), rmse(errors).tolist()


def _champion_evidence(champion: Champion | None, live_count: int, live_rmse: float) -> ChampionEvidence | None:
    """Return the evidence about a champion; live_rmse: of live_count answered forecasts one month ahead, NaN without any."""
    if champion is None:
        return None
    return ChampionEvidence(
        champion.recipe_hash,
        champion.origin,
        champion.test_rmse,
        live_count,
        live_rmse if live_count else None,
        confirmed=champion.confirmed,
        ordered=champion.ordered,
    )
