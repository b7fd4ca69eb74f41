"""Tests of replays: from its stored evidence each decision is made once more, with the same value in every field."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from forecasting.domain.evidence import replay_verdict
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC, MonthlyRecipe, Recipe
from forecasting.intake.loads import LoadResult
from forecasting.runs import job
from forecasting.storage.db.database import Database
from tests.replays import replay_all

Arrive = Callable[..., LoadResult]

QUICK = replace(CLASSIC, name="quick", epochs=3)
GLOBAL = MonthlyRecipe(
    name="quick shared", horizon=3, windows=(24, 36), emphasis=(0.5, 0.0), judges=1, units=4, updates=20, batch_size=16,
    own_epochs=3, own_members=2, shared_from=4,
)  # fmt: skip


def run(database: Database, recipe: Recipe, **options: Any) -> job.RunSummary:
    """Take all steps of a run, as the flows do."""
    policy = Policy(**options.pop("policy", {}))
    stored_run = job.open_run(database, job.RunParameters(**{"recipe": recipe, "policy": policy, **options}))
    job.prepare_global_networks(database, stored_run)
    for number in stored_run.request.shard_numbers:
        job.run_shard(database, stored_run, number)
    return job.publish_run(database, stored_run)


def damage_bundles(database: Database, run_id: int) -> None:
    """Change a byte in the bundles of one run."""
    with database.engine.begin() as connection:
        connection.execute(
            text("""
                UPDATE milkrun.bundle SET payload = set_byte(payload, 3, 255 - get_byte(payload, 3))
                WHERE bundle_id IN (SELECT bundle_id FROM milkrun.run_series WHERE run_id = :id)
            """),
            {"id": run_id},
        )


def test_every_decision_of_mixed_runs_is_replayed_from_its_evidence(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """Trained, reused, old, worse when live, damaged, absurd, late, with a gap, short, constant, without a month: all alike."""
    gap = [*milk[:100], None, None, None, None, *milk[104:150]]
    arrive("1962-01", good=milk[:150], late=milk[:140], own=milk[:149], gappy=gap, constant=[7.0] * 150)
    arrive("1973-06", short=milk[:13], tiny=milk[:3])
    run(database, QUICK)
    run(database, QUICK, policy={"retrain": "never"})
    for step in range(150, 154):
        arrive(f"{Month.of(1962, 1) + step}", good=[9 * milk[step]], own=milk[step : step + 1], fresh=[1.0])
        run(database, QUICK)
    last = run(database, QUICK, policy={"max_age_months": 1})
    damage_bundles(database, last.run.run_id)
    arrive("1974-11", good=milk[154:155], own=milk[154:155])
    run(database, QUICK, policy={"retrain": "never"})
    run(database, QUICK)
    run(database, CLASSIC)

    replays = list(replay_all(database))

    reasons = {(expected[1] or expected[3]) for _, expected, _ in replays}
    assert {
        "no_network", "young", "age", "live_rmse", "asked_for", "bundle_damaged", "recipe_changed", "late", "gap",
        "constant", "short_history",
    } <= reasons  # fmt: skip
    assert {"forecast", "fallback", "held", "refused", "failed"} == {expected[2] for _, expected, _ in replays}
    assert [expected for _, expected, _ in replays] == [verdict for _, _, verdict in replays]


def test_decisions_about_global_networks_are_replayed_from_their_evidence(database: Database, arrive: Arrive) -> None:
    """The decisions about the networks, one per run, and those about the series, one of which came later."""
    generator = np.random.default_rng(5)
    month = np.arange(84)
    series = {
        name: (100 * np.exp(np.sin(month * np.pi / 6 + row) / 4 + generator.normal(0, 0.05, 84))).tolist()
        for row, name in enumerate("abcde")
    }
    arrive("1970-01", **series)
    first = run(database, GLOBAL)
    arrive("1970-01", newcomer=series["a"], constant=[3.0] * 84)
    run(database, GLOBAL)
    arrive("1977-01", **{name: values[:1] for name, values in series.items()})
    damage_bundles(database, first.run.run_id)
    run(database, GLOBAL)
    run(database, GLOBAL, policy={"retrain": "never"}, series=tuple("abcd"))

    replays = list(replay_all(database))

    assert {"no_network", "young", "bundle_damaged", "cold_start", "constant", "asked_for"} <= {
        expected[1] or expected[3] for _, expected, _ in replays
    }
    assert [expected for _, expected, _ in replays] == [verdict for _, _, verdict in replays]


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"champion": {"origin": "1973-01", "test_rmse": 5.0}}, "age"), ({"last_month": "1974-01"}, "late")],
)
def test_other_evidence_gives_another_decision(
    database: Database, arrive: Arrive, milk: list[float], change: dict[str, Any], reason: str
) -> None:
    """The replay uses the evidence, not the stored decision beside it."""
    arrive("1962-01", milk=milk[:150])
    run(database, QUICK)
    arrive("1974-07", milk=milk[150:151])
    second = run(database, QUICK)
    with database.reading() as connection:
        evidence = connection.scalar(
            text("SELECT evidence FROM milkrun.run_series WHERE run_id = :id"), {"id": second.run.run_id}
        )

    verdict = replay_verdict({**evidence, **change}, Policy(), QUICK, second.run.request.origin)

    assert reason in (verdict.decision_reason, verdict.reason)
