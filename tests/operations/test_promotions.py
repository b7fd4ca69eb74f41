"""Tests of orders: a bundle is put in charge of a series, and the next runs go on with it."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from forecasting.cli import main
from forecasting.domain.errors import RunRefused
from forecasting.domain.months import Month
from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult
from forecasting.operations import promotions as orders
from forecasting.storage.db.database import Database
from tests.domain.test_evidence import GLOBAL, damage_bundles, run
from tests.runs.test_champion_challenger import OLD, QUICK, all_replay, corrupted, outcomes, seasonal

Arrive = Callable[..., LoadResult]

WHY = {"why": "the season changed", "made_by": "ada"}
VALUES = seasonal(120)


def speakers(database: Database, runs: Sequence[Any]) -> list[str]:
    """Return the bundle that spoke for the first series in each run."""
    return [outcomes(database, each.run.run_id)[0].bundle_id for each in runs]


def one_more(database: Database, arrive: Arrive, months: int, **asked: Any) -> Any:
    """Let the month arrive that makes the series so long, and run."""
    arrive(str(Month.of(1990, 1) + (months - 1)), a=VALUES[months - 1 : months], b=VALUES[months - 1 : months])
    return run(database, QUICK, **asked)


def test_a_rollback_is_followed_by_the_next_runs(database: Database, arrive: Arrive) -> None:
    """The bundle before speaks again, for that series alone; its age counts from the order; the order is kept."""
    arrive("1990-01", a=VALUES[:96], b=VALUES[:96])
    first = run(database, QUICK)
    second = one_more(database, arrive, 97, policy={"retrain": "always"})
    made = orders.rollback(database, "a", **WHY)
    third = one_more(database, arrive, 98, policy={"max_age_months": 2})
    fourth = one_more(database, arrive, 99, policy={"max_age_months": 2})

    old, new, back, still = speakers(database, (first, second, third, fourth))

    assert old != new
    assert (back, still, made.bundle_id, made.run_id) == (old, old, old, second.run.run_id)
    a, b = outcomes(database, third.run.run_id)
    assert (a.decision, a.decision_reason, b.bundle_id) == ("reuse", "ordered", new)
    [later, _] = outcomes(database, fourth.run.run_id)
    assert (later.decision_reason, later.evidence["champion"]["confirmed"]) == ("young", "1998-02")
    with database.reading() as connection:
        [kept] = connection.execute(text("SELECT * FROM milkrun.promotion")).all()
    assert (kept.kind, kept.why, kept.made_by, kept.bundle_id) == ("rollback", WHY["why"], "ada", old)
    assert kept.made_at is not None
    assert all_replay(database)


def test_a_repeated_rollback_goes_back_no_further(database: Database, arrive: Arrive) -> None:
    """Such as after a kill behind its commit: refused until the next run, but for a bundle that is named or after a promotion."""
    arrive("1990-01", a=VALUES[:96])
    runs = [run(database, QUICK)]
    runs += [one_more(database, arrive, months, policy={"retrain": "always"}) for months in (97, 98)]
    oldest, before, present = speakers(database, runs)
    orders.rollback(database, "a", **WHY)

    with pytest.raises(RunRefused, match="in charge already, by a rollback since the newest run"):
        orders.rollback(database, "a", **WHY)

    assert orders.promote(database, "a", bundle=present, **WHY).bundle_id == present
    assert orders.rollback(database, "a", **WHY).bundle_id == before
    assert orders.rollback(database, "a", bundle=oldest, **WHY).bundle_id == oldest


def test_a_refused_network_can_be_promoted_and_taken_back(database: Database, arrive: Arrive) -> None:
    """Promote finds the newest that was refused; a rollback after it, before any run, returns to the present one."""
    arrive("1990-01", a=VALUES[:96])
    run(database, QUICK)
    arrive("1990-01", a=corrupted(VALUES, 12, 56)[:103])
    second = run(database, QUICK, policy=OLD)
    [row] = outcomes(database, second.run.run_id)
    refused = row.evidence["challenge"]["challenger"]

    assert orders.promote(database, "a", **WHY).bundle_id == refused
    assert orders.rollback(database, "a", **WHY).bundle_id == row.bundle_id
    with pytest.raises(RunRefused, match="in charge already"):
        orders.rollback(database, "a", bundle=row.bundle_id[:10], **WHY)
    assert orders.promote(database, "a", bundle=refused[:12], **WHY).bundle_id == refused
    arrive("1998-08", a=VALUES[103:104])
    assert speakers(database, [run(database, QUICK, policy=OLD)]) == [refused]
    assert all_replay(database)


def test_a_backfill_of_a_run_before_the_order_does_not_follow_it(database: Database, arrive: Arrive) -> None:
    """An order belongs to the newest run when it was given: what happened before it is told as it happened."""
    for months in (96, 97, 98):
        arrive("1990-01" if months == 96 else str(Month.of(1990, 1) + (months - 1)), a=VALUES[months - 1 : months])
        if months == 96:
            arrive("1990-01", a=VALUES[:96])
        run(database, QUICK, policy={"max_age_months": 1, "challenge_least": 90})
    with database.reading() as connection:
        live = connection.execute(text("SELECT run_id, bundle_id FROM milkrun.run_series ORDER BY run_id")).all()
    orders.rollback(database, "a", **WHY)

    again = run(
        database, QUICK, kind="backfill", origin=Month.of(1998, 2), policy={"max_age_months": 1, "challenge_least": 90}
    )

    assert speakers(database, [again]) == [live[2].bundle_id]


def test_shared_networks_are_rolled_back_for_all(database: Database, arrive: Arrive) -> None:
    """One order for the networks; for one series alone it is refused."""
    series = {name: seasonal(98, seed=seed) for seed, name in enumerate("abcde")}
    recipe = replace(GLOBAL, updates=10)
    arrive("1990-01", **{name: values[:96] for name, values in series.items()})
    first = run(database, recipe)
    arrive("1998-01", **{name: values[96:97] for name, values in series.items()})
    second = run(database, recipe, policy={"retrain": "always"})
    with pytest.raises(RunRefused, match="--shared"):
        orders.rollback(database, "a", **WHY)
    orders.rollback(database, None, **WHY)
    arrive("1998-02", **{name: values[97:98] for name, values in series.items()})
    third = run(database, recipe)

    old, new, back = speakers(database, (first, second, third))

    assert old == back != new
    assert {row.decision_reason for row in outcomes(database, third.run.run_id)} == {"ordered"}
    assert all_replay(database)


def test_what_cannot_be_ordered_is_refused(database: Database, arrive: Arrive) -> None:
    """Nothing to go back to, no such bundle, nothing refused, a damaged bundle: each says so, and nothing is recorded."""
    arrive("1990-01", a=VALUES[:96], b=VALUES[:96])
    with pytest.raises(RunRefused, match="nothing to go back to"):
        orders.rollback(database, "a", **WHY)
    first = run(database, QUICK)
    with pytest.raises(RunRefused, match="no bundle but"):
        orders.rollback(database, "a", **WHY)
    with pytest.raises(RunRefused, match="was refused"):
        orders.promote(database, "a", **WHY)
    with pytest.raises(RunRefused, match="no bundle that holds it"):
        orders.promote(database, "a", bundle="beef", **WHY)
    one_more(database, arrive, 97, policy={"retrain": "always"})
    damage_bundles(database, first.run.run_id)
    with pytest.raises(RunRefused, match="cannot be put in charge"):
        orders.rollback(database, "a", **WHY)
    run(database, replace(QUICK, name="other"), policy={"retrain": "always"})
    [bundle_id] = {row.bundle_id for row in outcomes(database, 2)}
    with pytest.raises(RunRefused, match="another recipe"):
        orders.promote(database, "a", bundle=bundle_id, **WHY)
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM milkrun.promotion")) == 0


def test_the_commands(
    database: Database,
    settings: Settings,
    arrive: Arrive,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Rollback and promote tell what is in charge now, show lists the orders, and a reason must be given."""
    arrive("1990-01", a=VALUES[:96], b=VALUES[:96])
    run(database, QUICK)
    one_more(database, arrive, 97, policy={"retrain": "always"})
    monkeypatch.setenv("DATABASE_URL", str(settings.database_url))

    def milkrun(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["milkrun", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out + printed.err

    assert milkrun("rollback", "a")[0] == milkrun("rollback", "--why", "x")[0] == 4
    code, told = milkrun("rollback", "a", "--why", "the season changed", "--by", "ada")
    assert (code, "is in charge from run 2 on" in told) == (0, True)
    assert "rollback by ada" in milkrun("show", "a")[1]
    [order] = json.loads(milkrun("show", "a", "--json")[1])["orders"]
    assert (order["kind"], order["why"], order["run_id"]) == ("rollback", "the season changed", 2)
    assert milkrun("promote", "a", "--why", "x", "--bundle", "beef")[0] == 4
