"""Tests of champion and challenger: a new network replaces the one before only if it is no worse where neither has looked."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from forecasting.domain.months import Month
from forecasting.domain.policy import Policy, Verdict
from forecasting.domain.promotion_rules import Challenge, challenge_result, decide_promotion
from forecasting.domain.recipes import CLASSIC, MonthlyRecipe, Recipe
from forecasting.domain.vocabulary import Decision
from forecasting.intake.loads import LoadResult
from forecasting.storage.db.database import Database
from tests.domain.test_evidence import GLOBAL, damage_bundles, run
from tests.replays import replay_all

Arrive = Callable[..., LoadResult]

QUICK = replace(CLASSIC, name="quick", epochs=30, look_back=12)
OWN = replace(GLOBAL, name="quick own", shared_from=1_000, own_epochs=30)
OLD = {"max_age_months": 6}


def seasonal(months: int, *, seed: int = 5, noise: float = 0.03) -> list[float]:
    """Make a series with a yearly season and little noise."""
    draw, month = np.random.default_rng(seed), np.arange(months)
    values = 1000 * np.exp(np.sin(month * np.pi / 6) / 3 + draw.normal(0, noise, months))
    return [round(value, 3) for value in values.tolist()]


def corrupted(values: Sequence[float], start: int, end: int) -> list[float]:
    """Put noise without season in the place of some months."""
    draw = np.random.default_rng(9)
    return [*values[:start], *np.round(draw.uniform(100, 6000, end - start), 3).tolist(), *values[end:]]


def outcomes(database: Database, run_id: int) -> Sequence[Any]:
    """Read how the series of a run ended."""
    with database.reading() as connection:
        query = "SELECT * FROM milkrun.run_series WHERE run_id = :id ORDER BY series_id"
        return connection.execute(text(query), {"id": run_id}).all()


def all_replay(database: Database) -> bool:
    """Say whether every stored decision is made again from its evidence."""
    return all(stored == again for _, stored, again in replay_all(database))


def refuse_a_challenger(database: Database, arrive: Arrive) -> Any:
    """Let a network be fitted to months that were wrong, and lose against the one before; return how the series ended."""
    values = seasonal(120)
    arrive("1990-01", good=values[:96])
    run(database, QUICK)
    arrive("1990-01", good=corrupted(values, 12, 56)[:103])
    [row] = outcomes(database, run(database, QUICK, policy=OLD).run.run_id)
    return row


@pytest.mark.parametrize(("recipe", "wrong"), [(QUICK, (12, 56)), (OWN, (12, 90))], ids=["classic", "monthly"])
def test_an_overfit_challenger_is_refused_and_a_better_one_promoted(
    database: Database, arrive: Arrive, recipe: Recipe, wrong: tuple[int, int]
) -> None:
    """Fitted to months that were wrong, a new network is refused; fitted to the revised ones, it is promoted; both replay."""
    right = seasonal(108), seasonal(108, seed=6)
    arrive("1990-01", a=right[0][:96], e=corrupted(right[1], *wrong)[:96])
    first = run(database, recipe)
    arrive("1990-01", a=corrupted(right[0], *wrong), e=right[1])
    second = run(database, recipe, policy=OLD)

    good, bad = outcomes(database, second.run.run_id)

    champions = {row.series_id: row.bundle_id for row in outcomes(database, first.run.run_id)}
    assert (good.decision, good.decision_reason, good.outcome) == ("reuse", "champion_kept", "forecast")
    assert good.bundle_id == champions[good.series_id]
    assert (bad.decision, bad.decision_reason, bad.outcome) == ("retrain", "age", "forecast")
    assert bad.bundle_id != champions[bad.series_id]
    for row, result in ((good, "champion_kept"), (bad, "promoted")):
        held = row.evidence["challenge"]
        assert held["result"] == result
        assert held["n"] >= 3
        assert held["seasonal_naive_rmse"] > 0
        assert (held["challenger_rmse"] > held["champion_rmse"]) == (result == "champion_kept")
        assert held["challenger"] == bad.bundle_id
    assert "months that neither has trained on" in good.detail
    assert all_replay(database)


def test_a_champion_that_was_kept_is_not_challenged_again_at_once(database: Database, arrive: Arrive) -> None:
    """Its age counts from the challenge that it withstood, so that no network is trained each month; later runs carry that on."""
    values = seasonal(120)
    refuse_a_challenger(database, arrive)
    arrive("1998-08", good=values[103:104])
    third = run(database, QUICK, policy=OLD)
    arrive("1998-09", good=values[104:105])
    fourth = run(database, QUICK, policy=OLD)
    arrive("1998-10", good=values[105:109])
    fifth = run(database, QUICK, policy=OLD)

    ended = [outcomes(database, each.run.run_id)[0] for each in (third, fourth, fifth)]
    told = [(row.decision, row.evidence["champion"]["confirmed"]) for row in ended[:2]]
    assert told == [("reuse", "1998-07")] * 2
    assert "challenge" in ended[2].evidence
    assert all_replay(database)


def test_the_rmse_of_a_challenge_is_that_of_plain_arithmetic(database: Database, arrive: Arrive) -> None:
    """Both networks of classic, read back and asked by hand, on the months after both of their training parts."""
    from forecasting.lstm.prediction import predict
    from forecasting.models import codec as bundle
    from forecasting.models.classic import architecture_of

    values = seasonal(103)
    arrive("1990-01", good=values[:96])
    run(database, QUICK)
    arrive("1998-01", good=values[96:])
    second = run(database, QUICK, policy=OLD)

    [row] = outcomes(database, second.run.run_id)
    held = row.evidence["challenge"]
    split = int(103 * QUICK.train_share)
    assert held["n"] == 103 - split
    with database.reading() as connection:
        stored = connection.execute(
            text("SELECT * FROM milkrun.bundle JOIN milkrun.bundle_member USING (bundle_id) ORDER BY bundle.origin")
        ).all()
    errors = []
    for network in stored:
        low, high = network.scaler["low"], network.scaler["high"]
        scaled = (np.array(values, dtype=np.float64) - low) / (high - low)
        windows = np.stack([scaled[end - 12 : end] for end in range(split, 103)]).astype(np.float32)
        weights = bundle.unpack(bytes(network.payload), network.manifest["networks"])
        said = predict(architecture_of(QUICK), weights, windows[None])[0, :, 0].astype(np.float64)
        errors.append(np.sqrt(np.mean((said * (high - low) + low - values[split:]) ** 2)))
    assert [held["champion_rmse"], held["challenger_rmse"]] == pytest.approx(errors, rel=1e-9)
    naive = np.array(values[split - 12 : 103 - 12]) - values[split:]
    assert held["seasonal_naive_rmse"] == pytest.approx(np.sqrt(np.mean(naive**2)))


@pytest.mark.parametrize("recipe", [QUICK, OWN], ids=["classic", "monthly"])
def test_without_enough_common_months_the_challenger_is_taken(
    database: Database, arrive: Arrive, recipe: Recipe
) -> None:
    """Two months after the champion was trained there is little to compare on; the reason stays, the evidence says why."""
    values = seasonal(103)
    arrive("1990-01", good=values[:96])
    run(database, recipe)
    arrive("1998-01", good=values[96:98])
    second = run(database, recipe, policy={"max_age_months": 2, "challenge_least": 90})

    [row] = outcomes(database, second.run.run_id)

    assert (row.decision, row.decision_reason) == ("retrain", "age")
    assert row.evidence["challenge"]["result"] == "no_common_months"
    assert "Not compared: months that neither network has trained on" in row.detail
    assert all_replay(database)


@pytest.mark.parametrize(("policy", "recipe"), [({"retrain": "always"}, QUICK), ({}, replace(QUICK, name="other"))])
def test_what_the_user_orders_is_no_challenge(
    database: Database, arrive: Arrive, policy: dict[str, Any], recipe: Recipe
) -> None:
    """Retrain = always and another recipe take the new network, however it compares."""
    values = seasonal(120)
    arrive("1990-01", good=values[:96])
    run(database, QUICK)
    arrive("1990-01", good=corrupted(values, 12, 90)[:103])

    [row] = outcomes(database, run(database, recipe, policy={**OLD, **policy}).run.run_id)

    assert row.decision == "retrain"
    assert "challenge" not in row.evidence


def test_a_damaged_champion_cannot_be_kept(database: Database, arrive: Arrive) -> None:
    """The new network is taken, and the evidence tells the damage."""
    values = seasonal(120)
    arrive("1990-01", good=values[:96])
    first = run(database, QUICK)
    damage_bundles(database, first.run.run_id)
    arrive("1990-01", good=corrupted(values, 12, 90)[:103])

    [row] = outcomes(database, run(database, QUICK, policy=OLD).run.run_id)

    assert (row.decision, row.decision_reason) == ("retrain", "age")
    assert "checksum" in row.evidence["challenge"]["damage"]
    assert row.evidence["challenge"]["result"] == "bundle_damaged"
    assert all_replay(database)


def test_a_refused_challenger_leaves_no_scores(database: Database, arrive: Arrive) -> None:
    """The RMSE history tells of networks that speak; the refused one's stays with its bundle, which is kept."""
    row = refuse_a_challenger(database, arrive)

    with database.reading() as connection:
        splits = connection.scalars(text(f"SELECT split FROM milkrun.rmse_history WHERE run_id = {row.run_id}")).all()
        stored = connection.scalar(
            text("SELECT test_rmse FROM milkrun.bundle_member WHERE bundle_id = :id"),
            {"id": row.evidence["challenge"]["challenger"]},
        )
    assert set(splits) <= {"live"}
    assert stored > 0


@pytest.mark.parametrize(("first_bad", "reason"), [(False, "champion_kept"), (True, "age")])
def test_shared_networks_are_challenged_as_a_whole(
    database: Database, arrive: Arrive, first_bad: bool, reason: str
) -> None:
    """Median over the series: networks fitted to months that were wrong are refused, and replaced once they are revised."""
    recipe: MonthlyRecipe = replace(GLOBAL, updates=150, units=8)
    right = {name: seasonal(120, seed=seed) for seed, name in enumerate("abcde")}
    wrong = {name: corrupted(values, 12, 90) for name, values in right.items()}
    before, after = (wrong, right) if first_bad else (right, wrong)
    arrive("1990-01", **{name: values[:96] for name, values in before.items()})
    run(database, recipe)
    arrive("1990-01", **{name: values[:103] for name, values in after.items()})
    second = run(database, recipe, policy=OLD)

    with database.reading() as connection:
        network = connection.execute(
            text("SELECT * FROM milkrun.run_network WHERE run_id = :id"), {"id": second.run.run_id}
        ).one()
        origin = connection.scalar(
            text("SELECT origin FROM milkrun.bundle WHERE bundle_id = :id"), {"id": network.bundle_id}
        )
    held = network.evidence["challenge"]
    assert network.reason == reason
    assert Month.containing(origin) == (Month.of(1998, 7) if first_bad else Month.of(1997, 12))
    assert (held["champion_rmse"], held["series"], held["n"]) == (1.0, 5, 3)
    assert (held["challenger_rmse"] > 1) == (not first_bad)
    assert {row.decision_reason for row in outcomes(database, second.run.run_id)} == {reason}
    assert all_replay(database)


@pytest.mark.parametrize(
    ("challenge", "result"),
    [
        (Challenge(3, 10.0, 9.9, 5.0, "new"), "promoted"),
        (Challenge(3, 10.0, 10.0, 5.0, "new"), "promoted"),
        (Challenge(3, 10.0, 10.1, 5.0, "new"), "champion_kept"),
        (Challenge(3, 0.0, 0.0, None, "new"), "promoted"),
        (Challenge(2, 10.0, 99.0, 5.0, "new"), "no_common_months"),
        (Challenge(0, challenger="new"), "no_common_months"),
        (Challenge(), "champion_kept"),
        (Challenge(9, 1.0, 2.0, 3.0, "new", damage="checksum"), "bundle_damaged"),
    ],
)
def test_each_rule_of_a_challenge(challenge: Challenge, result: str) -> None:
    """Better or equal replaces, worse or not finite does not; what cannot be compared is taken."""
    trained = Verdict(Decision.RETRAIN, "age", None, "ok", "Old.")

    settled = decide_promotion(trained, challenge, Policy())

    assert challenge_result(challenge, Policy()) == result
    kept = ("reuse", "champion_kept") if result == "champion_kept" else ("retrain", "age")
    assert (settled.decision, settled.decision_reason) == kept
    assert str(settled.detail).startswith("Old. ")
