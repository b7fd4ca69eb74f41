"""Evidence: what a decision was made from, as JSON that is stored beside it; and the decision made again from that."""

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
_DEFAULTS: dict[type, Stored] = {
    kind: {field.name: None if field.default is MISSING else field.default for field in fields(kind)}
    for kind in (Evidence, ChampionEvidence, Challenge)
}


def stored_evidence(evidence: Evidence, champion: ChampionEvidence | None, recipe: Recipe) -> Stored:
    """Return what a decision about a series is made from, as JSON values."""
    values = _json_values(evidence)
    if champion is not None:
        values["champion"] = stored_champion(champion, recipe)
    return values


def stored_champion(champion: ChampionEvidence, recipe: Recipe) -> Stored:
    """Return the evidence about a champion as JSON values; without its recipe where that is the recipe of the run."""
    values = _json_values(champion)
    if champion.recipe_hash == recipe.hash:
        del values["recipe_hash"]
    return values


def stored_forecast(ranges: float | None, reason: str, note: str) -> Stored:
    """Return what the outcome of a series is decided from, as JSON values; note: a sentence about the forecast."""
    values: Stored = {"forecast_ranges": ranges}
    return values | {f"forecast_{name}": word for name, word in (("reason", reason), ("note", note)) if word}


def stored_challenge(challenge: Challenge, policy: Policy) -> Stored:
    """Return the comparison of champion and challenger as JSON values, with its result."""
    return {**_json_values(challenge), "result": challenge_result(challenge, policy)}


def replay_verdict(
    evidence: Stored, policy: Policy, recipe: Recipe, origin: Month, global_decision: GlobalDecision | None = None
) -> Verdict:
    """Decide about a series again, from the evidence that is stored beside a decision: the same in every field.

    policy, recipe, origin: of the run. global_decision: about the global networks of the run, None where it has none.
    """
    values = {name: value for name, value in evidence.items() if name in Evidence.__dataclass_fields__}
    global_verdict = None
    if global_decision is not None:
        global_verdict = verdict_of_global(global_decision, is_member=evidence.get("member", True))
    verdict = decide(
        _read(Evidence, values), _champion(evidence, recipe), policy, recipe, origin, global_verdict=global_verdict
    )
    if "damage" in evidence:
        is_global = global_decision is not None and global_decision.bundle_id is not None
        verdict = verdict_on_damage(policy, evidence["damage"], is_global=is_global)
    verdict = decide_promotion(verdict, _challenge(evidence), policy)
    if verdict.decision is None:
        return verdict
    outcome, reason, problem = accept_forecast(evidence["forecast_ranges"], evidence.get("forecast_reason", ""))
    detail = problem or evidence.get("forecast_note") or verdict.detail
    return replace(verdict, outcome=outcome, reason=reason, detail=detail)


def replay_global_verdict(evidence: Stored, policy: Policy, recipe: Recipe, origin: Month) -> Verdict:
    """Decide about the global networks of a run again, from the evidence that is stored beside the decision."""
    verdict = choose_network(_champion(evidence, recipe), policy, recipe, origin)
    if "damage" in evidence:
        verdict = verdict_on_damage(policy, evidence["damage"])
    return decide_promotion(verdict, _challenge(evidence), policy)


def _challenge(evidence: Stored) -> Challenge | None:
    values = evidence.get("challenge")
    return values and Challenge(**{name: value for name, value in values.items() if name != "result"})


def _champion(evidence: Stored, recipe: Recipe) -> ChampionEvidence | None:
    if "champion" not in evidence:
        return None
    champion: ChampionEvidence = _read(ChampionEvidence, {"recipe_hash": recipe.hash, **evidence["champion"]})
    return champion


def _json_values(evidence: Evidence | ChampionEvidence | Challenge) -> Stored:
    """Return the fields that differ from their defaults as JSON values, months as YYYY-MM."""
    defaults = _DEFAULTS[type(evidence)]
    return {
        name: _text(value) if type(value) is Month else value
        for name, value in vars(evidence).items()
        if value != defaults[name]
    }


def _read(kind: Any, values: Stored) -> Any:
    """Return evidence of a kind from its JSON values; fields that are left out have their defaults."""
    required = {"last_month": None} if kind is Evidence else {"test_rmse": None}
    arguments = {name: Month.parse(value) if name in _MONTHS else value for name, value in values.items()}
    return kind(**{**required, **arguments})


_text = functools.lru_cache(str)  # many rows, few months
