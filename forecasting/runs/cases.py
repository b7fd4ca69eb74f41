"""Cases: what a run decides about each of its series, and why, as frozen values that the steps of a shard replace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from forecasting.domain.evidence import stored_evidence
from forecasting.domain.panel import Values
from forecasting.domain.policy import (
    ChampionEvidence,
    Evidence,
    Policy,
    Verdict,
    decide,
    verdict_of_global,
    verdict_on_damage,
)
from forecasting.domain.recipes import Recipe
from forecasting.domain.vocabulary import Decision
from forecasting.models.types import Forecasts
from forecasting.runs.snapshot import Snapshot
from forecasting.storage.bundles import Champion
from forecasting.storage.runs import Request


@dataclass(frozen=True)
class SeriesForecast:
    """The forecast of one series; values, base_path (None where the recipe has none) and bounds: (horizon,), in its unit.

    fallback_reason: empty where networks made the forecast, else the word for why they did not. note: a sentence about a part
    that failed. bundle_id: of the networks that made the forecast, None where none did.
    """

    values: Values
    base_path: Values | None
    bounds: dict[str, Values]
    fallback_reason: str
    note: str = ""
    bundle_id: str | None = None


@dataclass(frozen=True)
class Case:
    """One series in a run: its row in the snapshot, the evidence, the verdict, and the forecast once there is one.

    policy: the rules that hold for the series. facts: what was learned about the champion after the verdict (damage,
    challenge), as JSON values.
    """

    row: int
    series_id: int
    evidence: Evidence
    champion: Champion | None
    champion_evidence: ChampionEvidence | None
    verdict: Verdict
    policy: Policy
    facts: Mapping[str, Any] = field(default_factory=dict)
    forecast: SeriesForecast | None = None

    @property
    def is_cold_start(self) -> bool:
        """Whether the champion is a global network that was trained without the series."""
        return self.champion is not None and self.champion.position < 0

    @property
    def needs_training(self) -> bool:
        """Whether a network of the series' own is to be trained."""
        return self.verdict.decision == Decision.RETRAIN and self.forecast is None

    def on_damage(self, damage: str, *, series_uses_global: bool) -> "Case":
        """Return the case, decided again because the bundle of its champion is damaged; arguments as for `verdict_on_damage`."""
        verdict = verdict_on_damage(self.policy, damage, series_uses_global=series_uses_global)
        return replace(self, verdict=verdict, facts={**self.facts, "damage": damage})

    def stored_evidence(self, recipe: Recipe, *, is_global: bool) -> dict[str, Any]:
        """Return all that the decision was made from, as JSON values; is_global: whether the networks of the run are global."""
        evidence = stored_evidence(self.evidence, self.champion_evidence, recipe)
        if is_global and self.is_cold_start:
            evidence["member"] = False
        return {**evidence, **self.facts}


def decide_cases(request: Request, snapshot: Snapshot, *, global_verdict: Verdict | None = None) -> list[Case]:
    """Decide about every series of a snapshot, in its order.

    global_verdict: what will be decided about global networks, where that is not stored yet.
    """
    cases = []
    for row, series_id in enumerate(snapshot.series_ids):
        champion = snapshot.champions.get(series_id)
        verdict_on_networks = global_verdict
        if snapshot.global_decision is not None:
            verdict_on_networks = verdict_of_global(
                snapshot.global_decision, is_member=champion is None or champion.position >= 0
            )
        policy = request.policy.for_series(snapshot.panel.names[row])
        verdict = decide(
            snapshot.evidence[row],
            snapshot.champion_evidence[row],
            policy,
            request.recipe,
            request.origin,
            global_verdict=verdict_on_networks,
        )
        cases.append(
            Case(row, series_id, snapshot.evidence[row], champion, snapshot.champion_evidence[row], verdict, policy)
        )
    return cases


def with_forecasts(
    cases: Sequence[Case], rows: Sequence[int], forecasts: Forecasts, bundle_id: str | None
) -> list[Case]:
    """Return the cases with the forecasts of some rows put in.

    rows: of the snapshot, in the order of `forecasts`.
    """
    places = {row: place for place, row in enumerate(rows)}
    return [
        replace(case, forecast=series_forecast(forecasts, places[case.row], bundle_id)) if case.row in places else case
        for case in cases
    ]


def series_forecast(forecasts: Forecasts, place: int, bundle_id: str | None) -> SeriesForecast:
    """Cut the forecast of one series out of the forecasts of many."""
    return SeriesForecast(
        forecasts.values[place],
        None if forecasts.base_path is None else forecasts.base_path[place],
        {name: bound[place] for name, bound in forecasts.bounds.items()},
        forecasts.fallback_reasons[place],
        forecasts.blend_failures[place] if forecasts.blend_failures else "",
        bundle_id,
    )
