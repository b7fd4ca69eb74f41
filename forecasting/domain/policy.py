"""The policy: pure functions that decide from evidence whether a network is trained or reused, or why there is none."""

import functools
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import translate
from typing import Any

from forecasting.domain.errors import InputError
from forecasting.domain.months import Month
from forecasting.domain.recipes import Recipe
from forecasting.domain.vocabulary import Decision, Outcome, Reason, Retrain, RetrainPolicy, alternatives

DIVERGED = "Training did not end in finite numbers."


@dataclass(frozen=True)
class SeriesRule:
    """Settings of a policy for some series. series: a pattern of their names, such as `region *`; changes: setting and value."""

    series: str
    changes: tuple[tuple[str, Any], ...]

    def holds_for(self, name: str) -> bool:
        """Return whether the name of a series fits the pattern; upper and lower case differ."""
        return _pattern(self.series).match(name) is not None


@functools.cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


@dataclass(frozen=True)
class Policy:
    """The rules of a run.

    late_months: how many months a series may be late and still be forecast from its own last month;
    max_age_months: a network older than this is retrained. live_rmse_ratio: a network whose live RMSE is more than this many
    times its test RMSE is retrained, once live_least of its forecasts are answered. challenge_least: the number of months, of
    those that neither network was trained on, on which the new network must be no worse than the old one. series_rules: other
    values for some series; of several rules that set one value, the last holds.
    """

    retrain: Retrain = RetrainPolicy.AUTO
    late_months: int = 3
    max_age_months: int = 12
    live_rmse_ratio: float = 1.5
    live_least: int = 3
    challenge_least: int = 3
    series_rules: tuple[SeriesRule, ...] = ()

    def __post_init__(self) -> None:
        """Raise InputError naming the rule that cannot be followed."""
        if self.retrain not in list(RetrainPolicy):
            raise InputError(f"retrain is {self.retrain!r}: choose {alternatives(RetrainPolicy)}.")
        least = min(self.max_age_months, self.live_least, self.challenge_least)
        if self.late_months < 0 or least < 1 or not self.live_rmse_ratio > 0:
            raise InputError(
                "late_months must be at least 0; max_age_months, live_rmse_ratio, live_least and challenge_least above 0."
            )

    @property
    def settings(self) -> dict[str, Any]:
        """The rules as plain JSON values; without `series_rules` where there are none."""
        settings = {name: value for name, value in asdict(self).items() if name != "series_rules"}
        if self.series_rules:
            settings["series_rules"] = [{"series": rule.series, **dict(rule.changes)} for rule in self.series_rules]
        return settings

    def for_series(self, name: str) -> "Policy":
        """Return the policy that holds for a series, without rules for others."""
        if not self.series_rules:
            return self
        changes: dict[str, Any] = {}
        for rule in self.series_rules:
            if rule.holds_for(name):
                changes |= dict(rule.changes)
        return _changed(self, tuple(sorted(changes.items())))


@functools.lru_cache(maxsize=4096)
def _changed(policy: Policy, changes: tuple[tuple[str, Any], ...]) -> Policy:
    return replace(policy, series_rules=(), **dict(changes))


SERIES_SETTINGS = tuple(each.name for each in fields(Policy) if each.name not in ("retrain", "series_rules"))


def policy_from(settings: Mapping[str, Any]) -> Policy:
    """Rebuild a policy from its stored settings."""
    rules = tuple(
        SeriesRule(rule["series"], tuple((name, value) for name, value in rule.items() if name != "series"))
        for rule in settings.get("series_rules", ())
    )
    return Policy(**{**settings, "series_rules": rules})


@dataclass(frozen=True)
class ChampionEvidence:
    """The evidence about a champion, the network that made the last published forecast.

    origin: of the run that trained it. test_rmse, live_rmse: one month ahead, in the unit of the series; live_rmse is over live_n
    answered forecasts. Of global networks, live_rmse is a multiple of the test RMSE, the median of `series` series, and
    test_rmse is 1. confirmed: the origin of the newest run that kept the network although a new one was trained, or in which
    a person put it in charge; the age of the network counts from there. ordered: a person put it in charge since the newest run.
    """

    recipe_hash: str
    origin: Month
    test_rmse: float | None
    live_n: int = 0
    live_rmse: float | None = None
    series: int | None = None
    confirmed: Month | None = None
    ordered: bool = False


@dataclass(frozen=True)
class Evidence:
    """The evidence about the observations of a series. longest_gap: in months. zeros: share of months whose value is zero."""

    last_month: Month | None
    observations: int = 0
    longest_gap: int = 0
    constant: bool = False
    zeros: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """The verdict about a series: what a run does with it.

    decision: retrain or reuse a network; None where no network is needed, and then outcome says how the series ends.
    decision_reason: why. reason: why the series ends as it does, ok for a forecast.
    """

    decision: Decision | None
    decision_reason: str | None
    outcome: Outcome | None
    reason: str
    detail: str | None = None

    @property
    def summary(self) -> tuple[str, str]:
        """The decision and its reason, or, where no network is needed, the outcome and its reason."""
        return str(self.decision or self.outcome), self.decision_reason or self.reason


@dataclass(frozen=True)
class GlobalDecision:
    """The decision about the global networks of a run.

    bundle_id: of the networks that forecast, None where there are none. evidence: of the decision, None in rows
    of older releases.
    """

    decision: str | None
    reason: str
    detail: str | None
    bundle_id: str | None
    evidence: dict[str, Any] | None = None


def decide(
    evidence: Evidence,
    champion: ChampionEvidence | None,
    policy: Policy,
    recipe: Recipe,
    origin: Month,
    *,
    global_verdict: Verdict | None = None,
) -> Verdict:
    """Decide about one series: held, refused or fallback where it gets no network, else retrain or reuse.

    champion: the network that made its last published forecast, None without one. global_verdict: the verdict about the global
    networks of the run, None where it has none.
    """
    verdict = verdict_without_network(evidence, policy, recipe, origin)
    if verdict is not None:
        return verdict
    # The age of a network counts up to the last month of the series: a late series does not make its network old.
    return global_verdict or choose_network(champion, policy, recipe, evidence.last_month or origin)


def verdict_without_network(evidence: Evidence, policy: Policy, recipe: Recipe, origin: Month) -> Verdict | None:
    """Return the verdict about a series that gets no network; None where its observations suffice for a network."""
    if evidence.last_month is None:
        return Verdict(None, None, Outcome.REFUSED, Reason.NO_OBSERVATIONS, f"No observation up to {origin}.")
    months = origin - evidence.last_month
    if months > policy.late_months:
        detail = f"Newest month is {evidence.last_month}, {months} before the origin {origin}; allowed: {policy.late_months}."
        return Verdict(None, None, Outcome.HELD, Reason.LATE, detail)
    if evidence.longest_gap > recipe.max_gap:
        detail = f"{evidence.longest_gap} months in a row are missing; the recipe fills at most {recipe.max_gap}."
        return Verdict(None, None, Outcome.HELD, Reason.GAP, detail)
    if evidence.observations < recipe.minimum_observations:
        detail = f"{evidence.observations} months; recipe {recipe.name} needs {recipe.minimum_observations}."
        outcome = Outcome.FALLBACK if evidence.observations >= recipe.minimum_fallback_months else Outcome.REFUSED
        return Verdict(None, None, outcome, Reason.SHORT_HISTORY, detail)
    if evidence.constant:
        return Verdict(
            None, None, Outcome.FALLBACK, Reason.CONSTANT, "All months the network would be trained on are equal."
        )
    if evidence.zeros > recipe.maximum_zero_share:
        detail = (
            f"{evidence.zeros:.0%} of its months are zero; a network is asked up to {recipe.maximum_zero_share:.0%}."
        )
        return Verdict(None, None, Outcome.FALLBACK, Reason.INTERMITTENT, detail)
    return None


def choose_network(champion: ChampionEvidence | None, policy: Policy, recipe: Recipe, month: Month) -> Verdict:
    """Decide at a month whether the champion is reused or a network is trained."""
    if policy.retrain == RetrainPolicy.ALWAYS:
        return _retrain(Reason.ASKED_FOR, "retrain = always")
    if policy.retrain == RetrainPolicy.NEVER:
        if champion is None or champion.recipe_hash != recipe.hash:
            detail = f"retrain = never, and there is no network of recipe {recipe.name} to reuse."
            return Verdict(None, None, Outcome.REFUSED, Reason.NO_NETWORK, detail)
        return _reuse(Reason.ASKED_FOR, "retrain = never")
    if champion is None:
        return _retrain(Reason.NO_NETWORK, "No network has made a published forecast yet.")
    if champion.recipe_hash != recipe.hash:
        return _retrain(Reason.RECIPE_CHANGED, f"The last network is of another recipe than {recipe.name}.")
    if champion.ordered:
        return _reuse(Reason.ORDERED, f"Put in charge by order; trained at {champion.origin}.")
    age_start = champion.confirmed or champion.origin
    confirmation = f"confirmed at {age_start}; " if champion.confirmed else ""
    age = f"Trained at {champion.origin}; {confirmation}age in months: {month - age_start}"
    if month - age_start >= policy.max_age_months:
        return _retrain(Reason.AGE, f"{age}; limit: {policy.max_age_months}.")
    return _by_live_rmse(champion, policy, month) or _reuse(
        Reason.YOUNG, f"{age}; forecasts answered: {champion.live_n}."
    )


def _by_live_rmse(champion: ChampionEvidence, policy: Policy, month: Month) -> Verdict | None:
    """Decide by the live RMSE of a champion; None where too few of its forecasts are answered."""
    if champion.live_rmse is not None and champion.test_rmse is not None and champion.live_n >= policy.live_least:
        comparison = (
            f"live RMSE {champion.live_rmse:.6g} over {champion.live_n} months, test RMSE {champion.test_rmse:.6g}"
            if champion.series is None
            else f"live RMSE {champion.live_rmse:.3g} times test RMSE, median of {champion.series} series"
        )
        if champion.live_rmse > policy.live_rmse_ratio * champion.test_rmse:
            if champion.confirmed and month - champion.confirmed < policy.challenge_least:
                return _reuse(Reason.CONFIRMED, f"{comparison}; confirmed at {champion.confirmed}.")
            return _retrain(Reason.LIVE_RMSE, f"{comparison}: worse than {policy.live_rmse_ratio} times.")
        return _reuse(Reason.GOOD, comparison)
    return None


def _retrain(reason: str, detail: str | None) -> Verdict:
    return Verdict(Decision.RETRAIN, reason, None, Reason.OK, detail)


def _reuse(reason: str, detail: str | None) -> Verdict:
    return Verdict(Decision.REUSE, reason, None, Reason.OK, detail)


def verdict_on_damage(policy: Policy, damage: str, *, series_uses_global: bool = False) -> Verdict:
    """Decide again where a stored network is damaged: with `auto` a new one is trained, else the outcome is failed.

    The network is that of a series, or that of the whole run. damage: what is wrong, as a sentence. series_uses_global: the
    decision is about one series that would reuse global networks; these are not trained for one series, so it fails.
    """
    if policy.retrain == RetrainPolicy.AUTO and not series_uses_global:
        return _retrain(Reason.BUNDLE_DAMAGED, damage)
    return Verdict(None, None, Outcome.FAILED, Reason.BUNDLE_DAMAGED, damage)


def verdict_of_global(decision: GlobalDecision, *, is_member: bool) -> Verdict:
    """Return the verdict about one series that follows from the decision about the global networks.

    is_member: whether the networks were trained with the series.
    """
    if decision.decision is None:
        outcome = Outcome.FAILED if decision.reason == Reason.BUNDLE_DAMAGED else Outcome.REFUSED
        return Verdict(None, None, outcome, decision.reason, decision.detail)
    if decision.bundle_id is None:
        return Verdict(None, None, Outcome.FALLBACK, Reason.DIVERGED, DIVERGED)
    if not is_member:
        return Verdict(
            Decision.REUSE, Reason.COLD_START, None, Reason.OK, "The shared networks were trained without this series."
        )
    return (_retrain if decision.decision == Decision.RETRAIN else _reuse)(decision.reason, decision.detail)
