"""What a decision was made from, as plain JSON that is stored beside it, and the same decision made from that again."""

import functools
from dataclasses import MISSING, fields, replace
from typing import Any

from forecasting.domain.months import Month
from forecasting.domain.policy import (
    ChampionEvidence,
    Evidence,
    GlobalDecision,
    Policy,
    Verdict,
    choose_network,
    decide,
    verdict_of_global,
    verdict_on_damage,
)
from forecasting.domain.promotion_rules import Challenge, accept_forecast, challenge_result, decide_promotion
from forecasting.domain.recipes import Recipe

Stored = dict[str, Any]
_MONTHS = ("last_month", "origin", "confirmed")
_USUAL: dict[type, Stored] = {
    kind: {each.name: None if each.default is MISSING else each.default for each in fields(kind)}
    for kind in (Evidence, ChampionEvidence, Challenge)
}


def stored_evidence(evidence: Evidence, champion: ChampionEvidence | None, recipe: Recipe) -> Stored:
    """Return what a decision about a series is made from as JSON values."""
    stored = _plain(evidence)
    if champion is not None:
        stored["champion"] = stored_champion(champion, recipe)
    return stored


def stored_champion(champion: ChampionEvidence, recipe: Recipe) -> Stored:
    """Return what is known of a champion as JSON values; without its recipe where that is the run's."""
    stored = _plain(champion)
    if champion.recipe_hash == recipe.hash:
        del stored["recipe_hash"]
    return stored


def stored_forecast(ranges: float | None, reason: str, note: str) -> Stored:
    """Return what the outcome of a series is judged from as JSON values; note: what else is told of its forecast."""
    stored: Stored = {"forecast_ranges": ranges}
    return stored | {f"forecast_{name}": word for name, word in (("reason", reason), ("note", note)) if word}


def stored_challenge(challenge: Challenge, policy: Policy) -> Stored:
    """Return what champion and challenger were compared by as JSON values, and how that ended."""
    return {**_plain(challenge), "result": challenge_result(challenge, policy)}


def replay_verdict(
    stored: Stored, policy: Policy, recipe: Recipe, origin: Month, network: GlobalDecision | None = None
) -> Verdict:
    """Decide about a series again, from the evidence that is stored beside a run's decision: the same in every field.

    policy, recipe, origin: the run's; network: what it decided about networks that all its series share, where they do.
    """
    known = {name: value for name, value in stored.items() if name in Evidence.__dataclass_fields__}
    common = None if network is None else verdict_of_global(network, member=stored.get("member", True))
    verdict = decide(_read(Evidence, known), _champion(stored, recipe), policy, recipe, origin, shared=common)
    if "damage" in stored:
        shared = network is not None and network.bundle_id is not None
        verdict = verdict_on_damage(policy, stored["damage"], shared=shared)
    verdict = decide_promotion(verdict, _challenge(stored), policy)
    if verdict.decision is None:
        return verdict
    outcome, reason, problem = accept_forecast(stored["forecast_ranges"], stored.get("forecast_reason", ""))
    return replace(
        verdict, outcome=outcome, reason=reason, detail=problem or stored.get("forecast_note") or verdict.detail
    )


def replay_global_verdict(stored: Stored, policy: Policy, recipe: Recipe, origin: Month) -> Verdict:
    """Decide about a run's shared networks again, from the evidence that is stored beside its decision."""
    verdict = choose_network(_champion(stored, recipe), policy, recipe, origin)
    if "damage" in stored:
        verdict = verdict_on_damage(policy, stored["damage"])
    return decide_promotion(verdict, _challenge(stored), policy)


def _challenge(stored: Stored) -> Challenge | None:
    known = stored.get("challenge")
    return known and Challenge(**{name: value for name, value in known.items() if name != "result"})


def _champion(stored: Stored, recipe: Recipe) -> ChampionEvidence | None:
    if "champion" not in stored:
        return None
    known: ChampionEvidence = _read(ChampionEvidence, {"recipe_hash": recipe.hash, **stored["champion"]})
    return known


def _plain(evidence: Evidence | ChampionEvidence | Challenge) -> Stored:
    """Return the fields that differ from their defaults as JSON values, months as YYYY-MM."""
    usual = _USUAL[type(evidence)]
    return {
        name: _text(value) if type(value) is Month else value
        for name, value in vars(evidence).items()
        if value != usual[name]
    }


def _read(kind: Any, known: Stored) -> Any:
    empty = {"last_month": None} if kind is Evidence else {"test_rmse": None}
    read = {name: Month.parse(value) if name in _MONTHS else value for name, value in known.items()}
    return kind(**{**empty, **read})


_text = functools.lru_cache(str)  # many rows, few months
