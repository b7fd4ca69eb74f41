"""Tests of the policy: pure functions, so each rule is shown by one piece of evidence."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from forecasting.domain.errors import InputError
from forecasting.domain.months import Month
from forecasting.domain.policy import ChampionEvidence, Evidence, Policy, decide, verdict_on_damage
from forecasting.domain.promotion_rules import distance_in_ranges, forecast_outcome
from forecasting.domain.recipes import CLASSIC

ORIGIN = Month.of(1974, 12)
CHAMPION = ChampionEvidence(CLASSIC.hash, ORIGIN - 2, test_rmse=10.0)
GOOD = Evidence(last_month=ORIGIN, observations=100)


def outcome_of(
    evidence: Evidence, champion: ChampionEvidence | None = CHAMPION, **policy: Any
) -> tuple[str | None, str]:
    """Return decision or outcome, and the reason."""
    verdict = decide(evidence, champion, Policy(**policy), CLASSIC, ORIGIN)
    return verdict.decision or verdict.outcome, verdict.decision_reason or verdict.reason


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"last_month": None}, ("refused", "no_observations")),
        ({"last_month": ORIGIN - 4}, ("held", "late")),
        ({"last_month": ORIGIN - 3}, ("reuse", "young")),
        ({"longest_gap": 4}, ("held", "gap")),
        ({"longest_gap": 3}, ("reuse", "young")),
        ({"observations": 11}, ("refused", "short_history")),
        ({"observations": CLASSIC.minimum_observations - 1}, ("fallback", "short_history")),
        ({"observations": CLASSIC.minimum_observations}, ("reuse", "young")),
        ({"constant": True}, ("fallback", "constant")),
        ({"champion": None}, ("retrain", "no_network")),
        ({"champion": replace(CHAMPION, recipe_hash="other")}, ("retrain", "recipe_changed")),
        ({"champion": replace(CHAMPION, origin=ORIGIN - 12)}, ("retrain", "age")),
        ({"champion": replace(CHAMPION, origin=ORIGIN - 11)}, ("reuse", "young")),
        ({"last_month": ORIGIN - 3, "champion": replace(CHAMPION, origin=ORIGIN - 14)}, ("reuse", "young")),
        ({"champion": replace(CHAMPION, live_n=3, live_rmse=15.1)}, ("retrain", "live_rmse")),
        ({"champion": replace(CHAMPION, live_n=3, live_rmse=15.0)}, ("reuse", "good")),
        ({"champion": replace(CHAMPION, live_n=2, live_rmse=99.0)}, ("reuse", "young")),
    ],
)
def test_each_rule_of_auto(change: dict[str, Any], expected: tuple[str, str]) -> None:
    """One changed field of the evidence changes the decision, exactly at the limit of the rule."""
    fields = {name: value for name, value in change.items() if name != "champion"}

    assert expected == outcome_of(replace(GOOD, **fields), change.get("champion", CHAMPION))


def test_always_retrains_and_never_reuses_or_refuses() -> None:
    """Always trains; never reuses, and refuses where there is no network."""
    assert outcome_of(GOOD, retrain="always") == ("retrain", "asked_for")
    assert outcome_of(GOOD, replace(CHAMPION, origin=ORIGIN - 99), retrain="never") == (
        "reuse",
        "asked_for",
    )
    assert outcome_of(GOOD, None, retrain="never") == ("refused", "no_network")
    assert outcome_of(GOOD, replace(CHAMPION, recipe_hash="other"), retrain="never") == (
        "refused",
        "no_network",
    )


def test_always_trains_nothing_on_a_history_that_is_too_short() -> None:
    """The rules about observations come before the rules about networks."""
    assert outcome_of(replace(GOOD, observations=13), retrain="always") == ("fallback", "short_history")


def test_a_damaged_bundle_is_retrained_or_the_series_fails() -> None:
    """With auto a network is trained; with never the series fails, and the detail says why."""
    assert (
        verdict_on_damage(Policy(), "x").decision,
        verdict_on_damage(Policy(), "x").decision_reason,
    ) == ("retrain", "bundle_damaged")
    verdict = verdict_on_damage(Policy(retrain="never"), "checksum differs")
    assert (verdict.outcome, verdict.reason, verdict.detail) == ("failed", "bundle_damaged", "checksum differs")


def test_details_have_months_and_numbers() -> None:
    """A detail is understood without other tables."""
    verdict = decide(replace(GOOD, last_month=ORIGIN - 4), CHAMPION, Policy(), CLASSIC, ORIGIN)

    assert verdict.detail == "Newest month is 1974-08, 4 before the origin 1974-12; allowed: 3."


@pytest.mark.parametrize(
    ("values", "network_reason", "expected"),
    [
        ([5.0, 6.0], "", "ok"),
        ([5.0, np.nan], "", "diverged"),
        ([5.0, np.inf], "", "diverged"),
        (None, "", "diverged"),
        ([5.0, 110.0], "", "ok"),
        ([5.0, 111.0], "", "absurd"),
        ([5.0, -101.0], "", "absurd"),
        ([5.0, 6.0], "guarded", "guarded"),
    ],
)
def test_only_sensible_numbers_are_published_as_forecasts(
    values: list[float] | None, network_reason: str, expected: str
) -> None:
    """Numbers that are not finite, or ten ranges away from a history of 0 to 10, become a fallback with its reason."""
    outcome, reason, _ = forecast_outcome(
        distance_in_ranges(None if values is None else np.array(values), 0.0, 10.0), network_reason
    )

    assert reason == expected
    assert outcome == ("forecast" if expected == "ok" else "fallback")


@pytest.mark.parametrize(
    "rules", [{"retrain": "often"}, {"late_months": -1}, {"max_age_months": 0}, {"live_rmse_ratio": 0}]
)
def test_rules_that_cannot_be_followed_are_refused(rules: dict[str, Any]) -> None:
    """A wrong rule is named before anything runs."""
    with pytest.raises(InputError, match=r"retrain|late_months"):
        Policy(**rules)
