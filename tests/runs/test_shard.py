"""The heart of a run without a database and without TensorFlow: its reads and its trainer are given."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from forecasting.domain.months import Month
from forecasting.domain.panel import Counts, Panel
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC, Recipe
from forecasting.domain.vocabulary import Kind, RunState, Split, Vintages
from forecasting.lstm.weights import initial_weights
from forecasting.models.classic import architecture_of
from forecasting.models.types import FitResult, Networks, SplitScores
from forecasting.runs.joint_training import TrainingData
from forecasting.runs.shard import forecast_shard
from forecasting.runs.snapshot import StoredFacts, observations_from
from forecasting.storage.attribution import PreviousRun
from forecasting.storage.bundles import Bundle, Champion
from forecasting.storage.forecasts import SeriesResult, ShardResult
from forecasting.storage.runs import Request, Run

ORIGIN = Month.of(1975, 12)
NAMES = ("milk", "butter", "salt", "quark", "whey")
REQUEST = Request(
    Kind.LIVE, ORIGIN, 1, Vintages.AS_OF, CLASSIC, Policy(), (1, 2, 3, 4, 5), "all", 1000, "0", "command line"
)
RUN = Run(1, RunState.OPEN, REQUEST)


def panel(milk: list[float]) -> Panel:
    """Return a panel: milk and butter are whole, salt is constant, quark is short, whey is six months late."""
    values = np.array([milk, [value / 9 for value in milk], [5.0] * 168, milk, milk])
    values[3, :-11] = np.nan
    values[4, -6:] = np.nan
    return Panel(REQUEST.series_ids, NAMES, Month.of(1962, 1), values)


@dataclasses.dataclass(frozen=True)
class Reads:
    """What is stored, as given: a panel, champions and bundles; no run came before, unless one is given."""

    panel: Panel
    champions: Mapping[int, Champion] = dataclasses.field(default_factory=dict)
    bundles: Mapping[str, Bundle] = dataclasses.field(default_factory=dict)
    previous: tuple[tuple[PreviousRun, Panel], ...] = ()

    def read_facts(self, run: Run, series_ids: Sequence[int]) -> StoredFacts:
        """Return the panel and the champions."""
        assert tuple(series_ids) == self.panel.series_ids
        return StoredFacts(observations_from(self.panel, run.request.recipe), self.champions)

    def read_bundles(self, bundle_ids: Collection[str]) -> Mapping[str, Bundle]:
        """Return the bundles of some ids."""
        return {bundle_id: self.bundles[bundle_id] for bundle_id in bundle_ids}

    def read_previous_runs(
        self, run: Run, panel: Panel, series_ids: Sequence[int]
    ) -> Sequence[tuple[PreviousRun, Panel]]:
        """Return the previous runs."""
        return self.previous

    def read_recipe(self, recipe_hash: str) -> Recipe:
        """Return the one recipe there is."""
        return CLASSIC


class UntrainedNetworks:
    """A trainer that gives networks as they are before training, and counts what it is asked for."""

    def __init__(self, diverged: Collection[int] = ()) -> None:
        self.diverged = diverged
        self.fits: list[list[int]] = []

    def fit(self, data: TrainingData) -> FitResult:
        """Return initial networks with a MinMax scaler of the whole history, scored with 1 everywhere."""
        self.fits.append(list(data.series_ids))
        scalers = tuple(
            {"kind": "min_max", "low": float(np.nanmin(row)), "high": float(np.nanmax(row))}
            for row in data.histories.values
        )
        ones = np.ones((len(data.series_ids), 1))
        scores = SplitScores(ones.astype(np.int64), ones, ones, ones, np.full_like(ones, np.nan), 0 * ones)
        return FitResult(
            Networks(initial_weights(architecture_of(CLASSIC), data.seeds), scalers, {}),
            {Split.TRAIN: scores, Split.TEST: scores},
            (data.histories.lengths * CLASSIC.train_share).astype(np.int64),
            np.array([series_id in self.diverged for series_id in data.series_ids]),
        )

    def fit_without(self, data: TrainingData, networks: Networks, holdout_months: Counts) -> Networks:
        """Return the networks: those of `classic` have not seen their test parts."""
        return networks


def by_name(result: ShardResult) -> dict[str, SeriesResult]:
    """Return how the series ended, by name."""
    return {NAMES[row.series_id - 1]: row for row in result.results}


def champions_of(bundle: Bundle, **changes: Any) -> dict[int, Champion]:
    """Return the members of a bundle as champions."""
    return {
        member.series_id: dataclasses.replace(
            Champion(
                member.series_id,
                bundle.bundle_id,
                CLASSIC.hash,
                member.position,
                member.trained_through,
                member.origin,
                member.test_rmse,
            ),
            **changes,
        )
        for member in bundle.members
    }


def first_bundle(milk: list[float]) -> Bundle:
    """Return the bundle of a shard that trains for the first time."""
    bundle = forecast_shard(Reads(panel(milk)), RUN, REQUEST.series_ids, UntrainedNetworks()).bundle
    assert bundle is not None
    return bundle


def test_every_series_ends_in_one_outcome_with_its_reason(milk: list[float]) -> None:
    """Two networks are trained; a constant, a short and a late series end without one; the rows say why."""
    trainer = UntrainedNetworks()

    result = forecast_shard(Reads(panel(milk)), RUN, REQUEST.series_ids, trainer)

    assert trainer.fits == [[1, 2]]
    ends = {name: (row.decision, row.outcome, row.reason) for name, row in by_name(result).items()}
    assert ends == {
        "milk": ("retrain", "forecast", "ok"),
        "butter": ("retrain", "forecast", "ok"),
        "salt": (None, "fallback", "constant"),
        "quark": (None, "refused", "short_history"),
        "whey": (None, "held", "late"),
    }
    assert by_name(result)["salt"].values is not None
    assert by_name(result)["salt"].method == "seasonal_naive"
    assert {(scores.split, tuple(scores.series_ids)) for scores in result.scores} == {
        ("train", (1, 2)),
        ("test", (1, 2)),
    }


def test_a_champion_is_reused_without_training(milk: list[float]) -> None:
    """The stored networks forecast the same numbers as when they were new, and nothing is trained."""
    first = forecast_shard(Reads(panel(milk)), RUN, REQUEST.series_ids, UntrainedNetworks())
    assert first.bundle is not None
    reads = Reads(panel(milk), champions_of(first.bundle), {first.bundle.bundle_id: first.bundle})
    trainer = UntrainedNetworks()

    again = forecast_shard(reads, RUN, REQUEST.series_ids, trainer)

    assert trainer.fits == []
    assert again.bundle is None
    for name in ("milk", "butter"):
        assert by_name(again)[name].decision == "reuse"
        np.testing.assert_array_equal(by_name(again)[name].values, by_name(first)[name].values)


def test_a_damaged_bundle_is_decided_about_again_and_spoils_no_other(milk: list[float]) -> None:
    """Butter's bundle is damaged: butter is retrained, with the damage as its evidence; milk reuses its own."""
    whole = first_bundle(milk)
    damaged = dataclasses.replace(whole, payload=bytes(len(whole.payload)))
    champions = champions_of(whole)
    champions[2] = dataclasses.replace(champions[2], bundle_id="damaged")
    reads = Reads(panel(milk), champions, {whole.bundle_id: whole, "damaged": damaged})
    trainer = UntrainedNetworks()

    result = by_name(forecast_shard(reads, RUN, REQUEST.series_ids, trainer))

    assert trainer.fits == [[2]]
    assert (result["milk"].decision, result["milk"].bundle_id) == ("reuse", whole.bundle_id)
    assert (result["butter"].decision, result["butter"].decision_reason) == ("retrain", "bundle_damaged")
    assert "checksum" in str((result["butter"].evidence or {})["damage"])


def test_a_diverged_network_ends_in_the_fallback(milk: list[float]) -> None:
    """Milk's network did not end in finite numbers: it is in no bundle, and the seasonal naive is published."""
    result = forecast_shard(Reads(panel(milk)), RUN, REQUEST.series_ids, UntrainedNetworks(diverged=[1]))

    assert result.bundle is not None
    assert [member.series_id for member in result.bundle.members] == [2]
    milk_result = by_name(result)["milk"]
    assert (milk_result.outcome, milk_result.reason, milk_result.method) == ("fallback", "diverged", "seasonal_naive")
    np.testing.assert_array_equal(milk_result.values, milk[-12:])


@pytest.mark.parametrize(("months", "decision"), [(6, "reuse"), (12, "retrain")])
def test_a_champion_is_retrained_when_it_is_old(milk: list[float], months: int, decision: str) -> None:
    """Trained so many months ago; at a year a challenger is trained, which is as good on the months of both test parts."""
    bundle = first_bundle(milk)
    champions = champions_of(bundle, origin=ORIGIN - months, trained_through=Month.of(1971, 4))
    reads = Reads(panel(milk), champions, {bundle.bundle_id: bundle})

    result = by_name(forecast_shard(reads, RUN, REQUEST.series_ids, UntrainedNetworks()))

    assert result["milk"].decision == decision
    challenge = (result["milk"].evidence or {}).get("challenge")
    assert (challenge is None) == (decision == "reuse")
    if challenge is not None:
        assert challenge["result"] == "promoted"
        assert challenge["champion_rmse"] == challenge["challenger_rmse"]
        assert challenge["n"] == 56


def test_a_revision_explains_how_the_forecast_moved(milk: list[float]) -> None:
    """The run before knew another last month: the whole change is due to the revision, and the parts add up."""
    first = forecast_shard(Reads(panel(milk)), RUN, REQUEST.series_ids, UntrainedNetworks())
    assert first.bundle is not None
    row = by_name(first)["milk"]
    assert row.values is not None
    previous = PreviousRun(
        0, CLASSIC.hash, ORIGIN, 1, "0", (1,), (first.bundle.bundle_id,), np.array([ORIGIN.ordinal]), row.values[None]
    )
    revised = panel(milk)
    revised.values[0, -1] += 100
    before = Panel((1,), ("milk",), revised.first, panel(milk).values[:1])
    wide = dataclasses.replace(before, series_ids=REQUEST.series_ids, names=NAMES, values=panel(milk).values)
    bundles = {first.bundle.bundle_id: first.bundle}
    reads = Reads(revised, champions_of(first.bundle), bundles, ((previous, wide),))

    result = forecast_shard(reads, RUN, REQUEST.series_ids, UntrainedNetworks())

    [changes] = result.changes
    assert (list(changes.series_ids), list(changes.reasons)) == ([1], [None])
    values = by_name(result)["milk"].values
    assert values is not None
    np.testing.assert_allclose(changes.parts_by_cause["revisions"][0], values - row.values, rtol=1e-12, atol=1e-9)
    assert not changes.parts_by_cause["network"].any()
    assert not changes.parts_by_cause["new_months"].any()
