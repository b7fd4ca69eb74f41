"""Evidence: what a decision is made from, stored as JSON beside it; from this JSON the same decision can be made once more."""

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
from forecasting.domain.promotion_rules import Challenge, challenge_result, decide_promotion, forecast_outcome
from forecasting.domain.recipes import Recipe

JsonObject = dict[str, Any]
_MONTHS = ("last_month", "origin", "confirmed")
_DEFAULTS: dict[type, JsonObject] = {
    evidence_class: {
        field.name: None if field.default is MISSING else field.default for field in fields(evidence_class)
    }
    for evidence_class in (Evidence, ChampionEvidence, Challenge)
}


def stored_evidence(evidence: Evidence, champion: ChampionEvidence | None, recipe: Recipe) -> JsonObject:
    """Return the evidence of a decision about a series as JSON values."""
    values = _json_values(evidence)
    if champion is not None:
        values["champion"] = stored_champion(champion, recipe)
    return values


def stored_champion(champion: ChampionEvidence, recipe: Recipe) -> JsonObject:
    """Return the evidence about a champion as JSON values; its recipe is left out where the run has the same recipe."""
    values = _json_values(champion)
    if champion.recipe_hash == recipe.hash:
        del values["recipe_hash"]
    return values


def stored_forecast(ranges: float | None, reason: str, note: str) -> JsonObject:
    """Return the evidence of the outcome of a series as JSON values.

    ranges: as `distance_in_ranges` gives it. reason: why there is no forecast by a network, empty where there is one. note: a
    sentence about the forecast, empty for none.
    """
    values: JsonObject = {"forecast_ranges": ranges}
    return values | {f"forecast_{name}": words for name, words in (("reason", reason), ("note", note)) if words}


def stored_challenge(challenge: Challenge, policy: Policy) -> JsonObject:
    """Return the comparison of champion and challenger as JSON values, with its result."""
    return {**_json_values(challenge), "result": challenge_result(challenge, policy)}


def replay_verdict(
    evidence: JsonObject, policy: Policy, recipe: Recipe, origin: Month, global_decision: GlobalDecision | None = None
) -> Verdict:
    """Decide about a series once more, from its stored evidence; every field of the verdict is the same.

    policy: the rules that hold for the series. recipe, origin: of the run. global_decision: about the global networks of the
    run, None where it has none.
    """
    values = {name: value for name, value in evidence.items() if name in Evidence.__dataclass_fields__}
    global_verdict = None
    if global_decision is not None:
        global_verdict = verdict_of_global(global_decision, is_member=evidence.get("member", True))
    verdict = decide(
        _read(Evidence, values), _champion(evidence, recipe), policy, recipe, origin, global_verdict=global_verdict
    )
    if "damage" in evidence:
        series_uses_global = global_decision is not None and global_decision.bundle_id is not None
        verdict = verdict_on_damage(policy, evidence["damage"], series_uses_global=series_uses_global)
    verdict = decide_promotion(verdict, _challenge(evidence), policy)
    if verdict.decision is None:
        return verdict
    outcome, reason, rejection_detail = forecast_outcome(
        evidence["forecast_ranges"], evidence.get("forecast_reason", "")
    )
    detail = rejection_detail or evidence.get("forecast_note") or verdict.detail
    return replace(verdict, outcome=outcome, reason=reason, detail=detail)


def replay_global_verdict(evidence: JsonObject, policy: Policy, recipe: Recipe, origin: Month) -> Verdict:
    """Decide about the global networks of a run once more, from the stored evidence; policy, recipe, origin: of the run."""
    verdict = choose_network(_champion(evidence, recipe), policy, recipe, origin)
    if "damage" in evidence:
        verdict = verdict_on_damage(policy, evidence["damage"])
    return decide_promotion(verdict, _challenge(evidence), policy)


def _challenge(evidence: JsonObject) -> Challenge | None:
    values = evidence.get("challenge")
    return values and Challenge(**{name: value for name, value in values.items() if name != "result"})


def _champion(evidence: JsonObject, recipe: Recipe) -> ChampionEvidence | None:
    if "champion" not in evidence:
        return None
    champion: ChampionEvidence = _read(ChampionEvidence, {"recipe_hash": recipe.hash, **evidence["champion"]})
    return champion


def _json_values(evidence: Evidence | ChampionEvidence | Challenge) -> JsonObject:
    """Return the fields that differ from their defaults as JSON values, months as YYYY-MM."""
    defaults = _DEFAULTS[type(evidence)]
    return {
        name: _text(value) if type(value) is Month else value
        for name, value in vars(evidence).items()
        if value != defaults[name]
    }


def _read(evidence_class: Any, values: JsonObject) -> Any:
    """Return evidence of a class from its JSON values; a missing field has its default."""
    required = {"last_month": None} if evidence_class is Evidence else {"test_rmse": None}
    arguments = {name: Month.parse(value) if name in _MONTHS else value for name, value in values.items()}
    return evidence_class(**{**required, **arguments})


_text = functools.lru_cache(str)  # cached, because many rows have few different months
