"""Tests that decisions can be questioned: from its stored evidence each is made again, the same in every field."""

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
SHARED = MonthlyRecipe(
    name="quick shared", horizon=3, windows=(24, 36), emphasis=(0.5, 0.0), judges=1, units=4, updates=20, batch_size=16,
    own_epochs=3, own_members=2, shared_from=4,
)  # fmt: skip


def run(database: Database, recipe: Recipe, **asked: Any) -> job.RunSummary:
    """Take all steps of a run, as the flows do."""
    policy = Policy(**asked.pop("policy", {}))
    opened = job.open_run(database, job.RunParameters(**{"recipe": recipe, "policy": policy, **asked}))
    job.prepare_global_networks(database, opened)
    for number in opened.request.shard_numbers:
        job.run_shard(database, opened, number)
    return job.publish_run(database, opened)


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


def test_every_decision_of_mixed_runs_is_made_again_from_its_evidence(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """Trained, reused, old, worse when live, damaged, absurd, late, gappy, short, constant, without a month: all the same."""
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

    told = list(replay_all(database))

    reasons = {(stored[1] or stored[3]) for _, stored, _ in told}
    assert {
        "no_network", "young", "age", "live_rmse", "asked_for", "bundle_damaged", "recipe_changed", "late", "gap",
        "constant", "short_history",
    } <= reasons  # fmt: skip
    assert {"forecast", "fallback", "held", "refused", "failed"} == {stored[2] for _, stored, _ in told}
    assert [stored for _, stored, _ in told] == [again for _, _, again in told]


def test_decisions_about_shared_networks_are_made_again_from_their_evidence(database: Database, arrive: Arrive) -> None:
    """Those about the networks, once per run, and those of the series that follow them, one that came later included."""
    draw = np.random.default_rng(5)
    month = np.arange(84)
    series = {
        name: (100 * np.exp(np.sin(month * np.pi / 6 + row) / 4 + draw.normal(0, 0.05, 84))).tolist()
        for row, name in enumerate("abcde")
    }
    arrive("1970-01", **series)
    first = run(database, SHARED)
    arrive("1970-01", newcomer=series["a"], constant=[3.0] * 84)
    run(database, SHARED)
    arrive("1977-01", **{name: values[:1] for name, values in series.items()})
    damage_bundles(database, first.run.run_id)
    run(database, SHARED)
    run(database, SHARED, policy={"retrain": "never"}, series=tuple("abcd"))

    told = list(replay_all(database))

    assert {"no_network", "young", "bundle_damaged", "cold_start", "constant", "asked_for"} <= {
        stored[1] or stored[3] for _, stored, _ in told
    }
    assert [stored for _, stored, _ in told] == [again for _, _, again in told]


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"champion": {"origin": "1973-01", "test_rmse": 5.0}}, "age"), ({"last_month": "1974-01"}, "late")],
)
def test_other_evidence_gives_another_decision(
    database: Database, arrive: Arrive, milk: list[float], change: dict[str, Any], reason: str
) -> None:
    """What is replayed is the evidence, not the decision that stands beside it."""
    arrive("1962-01", milk=milk[:150])
    run(database, QUICK)
    arrive("1974-07", milk=milk[150:151])
    second = run(database, QUICK)
    with database.reading() as connection:
        stored = connection.scalar(
            text("SELECT evidence FROM milkrun.run_series WHERE run_id = :id"), {"id": second.run.run_id}
        )

    again = replay_verdict({**stored, **change}, Policy(), QUICK, second.run.request.origin)

    assert reason in (again.decision_reason, again.reason)
