"""Retrain or reuse, forecast or not: pure functions of evidence that give decisions with their reasons."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from forecasting.domain.errors import InputError
from forecasting.domain.months import Month
from forecasting.domain.recipes import Recipe

Retrain = Literal["auto", "always", "never"]
DIVERGED = "Training did not end in finite numbers."


@dataclass(frozen=True)
class Policy:
    """The rules of a run.

    late_months: how many months a series may be late and still be forecast from its own last month;
    max_age_months: a network older than this is retrained; live_rmse_ratio: so is one whose live RMSE is more than
    this many times its test RMSE, once live_least forecasts have been answered; challenge_least: months on which the new
    network must then be no worse than the old one, of months that neither has trained on.
    """

    retrain: Retrain = "auto"
    late_months: int = 3
    max_age_months: int = 12
    live_rmse_ratio: float = 1.5
    live_least: int = 3
    challenge_least: int = 3

    def __post_init__(self) -> None:
        """Raise InputError naming the rule that cannot be followed."""
        if self.retrain not in ("auto", "always", "never"):
            raise InputError(f"retrain is {self.retrain!r}: choose auto, always or never.")
        least = min(self.max_age_months, self.live_least, self.challenge_least)
        if self.late_months < 0 or least < 1 or self.live_rmse_ratio <= 0:
            raise InputError(
                "late_months must be at least 0; max_age_months, live_rmse_ratio, live_least and challenge_least above 0."
            )

    @property
    def settings(self) -> dict[str, Any]:
        """The rules as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class ChampionEvidence:
    """What is known of the network that made the last published forecast.

    confirmed: the origin from which it was last kept although a new one was trained, or put in charge by order; its age
    counts from then. ordered: no run has followed that order yet. Of networks that series share, live_rmse is a multiple of the
    test RMSE, the median of `series` series, and test_rmse one.
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
    """What is known of a series before a run decides about it."""

    last_month: Month | None
    observations: int = 0
    longest_gap: int = 0
    constant: bool = False
    zeros: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """What a run does with a series.

    decision: retrain or reuse a network, or None where none is needed; then outcome says how the series ends.
    """

    decision: Literal["retrain", "reuse"] | None
    decision_reason: str | None
    outcome: str | None
    reason: str
    detail: str | None = None

    @property
    def in_short(self) -> tuple[str, str]:
        """The decision with its reason, or, where no network is needed, the outcome with its."""
        return str(self.decision or self.outcome), self.decision_reason or self.reason


@dataclass(frozen=True)
class GlobalDecision:
    """What was decided about a run's shared networks, and from what; None in older rows.

    bundle_id is None where there are none to forecast with.
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
    shared: Verdict | None = None,
) -> Verdict:
    """Decide about one series: held, refused or fallback where no network helps, else retrain or reuse.

    champion: the network that made its last published forecast. shared: what was decided about the networks that all
    series of the run share, where they do.
    """
    ended = verdict_without_network(evidence, policy, recipe, origin)
    if ended is not None:
        return ended
    # Both are the series' own last months, so that a late series' network is no older than it is.
    return shared or choose_network(champion, policy, recipe, evidence.last_month or origin)


def verdict_without_network(evidence: Evidence, policy: Policy, recipe: Recipe, origin: Month) -> Verdict | None:
    """Say how a series ends for which no network is asked; None where one is."""
    if evidence.last_month is None:
        return Verdict(None, None, "refused", "no_observations", f"No observation up to {origin}.")
    late = origin - evidence.last_month
    if late > policy.late_months:
        detail = (
            f"Newest month is {evidence.last_month}, {late} before the origin {origin}; allowed: {policy.late_months}."
        )
        return Verdict(None, None, "held", "late", detail)
    if evidence.longest_gap > recipe.max_gap:
        detail = f"{evidence.longest_gap} months in a row are missing; the recipe fills at most {recipe.max_gap}."
        return Verdict(None, None, "held", "gap", detail)
    if evidence.observations < recipe.least_observations:
        detail = f"{evidence.observations} months; recipe {recipe.name} needs {recipe.least_observations}."
        outcome = "fallback" if evidence.observations >= recipe.fallback_needs else "refused"
        return Verdict(None, None, outcome, "short_history", detail)
    if evidence.constant:
        return Verdict(None, None, "fallback", "constant", "All months the network would be trained on are equal.")
    if evidence.zeros > recipe.most_zeros:
        detail = f"{evidence.zeros:.0%} of its months are zero; a network is asked up to {recipe.most_zeros:.0%}."
        return Verdict(None, None, "fallback", "intermittent", detail)
    return None


def choose_network(champion: ChampionEvidence | None, policy: Policy, recipe: Recipe, month: Month) -> Verdict:
    """Decide whether the champion is reused at a month, or a network is trained."""
    if policy.retrain == "always":
        return _retrain("asked_for", "retrain = always")
    if policy.retrain == "never":
        if champion is None or champion.recipe_hash != recipe.hash:
            detail = f"retrain = never, and there is no network of recipe {recipe.name} to reuse."
            return Verdict(None, None, "refused", "no_network", detail)
        return _reuse("asked_for", "retrain = never")
    if champion is None:
        return _retrain("no_network", "No network has made a published forecast yet.")
    if champion.recipe_hash != recipe.hash:
        return _retrain("recipe_changed", f"The last network is of another recipe than {recipe.name}.")
    if champion.ordered:
        return _reuse("ordered", f"Put in charge by order; trained at {champion.origin}.")
    since = champion.confirmed or champion.origin
    confirmed = f"confirmed at {since}; " if champion.confirmed else ""
    known = f"Trained at {champion.origin}; {confirmed}age in months: {month - since}"
    if month - since >= policy.max_age_months:
        return _retrain("age", f"{known}; limit: {policy.max_age_months}.")
    return _by_live_rmse(champion, policy, month) or _reuse("young", f"{known}; forecasts answered: {champion.live_n}.")


def _by_live_rmse(champion: ChampionEvidence, policy: Policy, month: Month) -> Verdict | None:
    """Decide by how a champion's forecasts were answered; None where too few were."""
    if champion.live_rmse is not None and champion.test_rmse is not None and champion.live_n >= policy.live_least:
        compared = (
            f"live RMSE {champion.live_rmse:.6g} over {champion.live_n} months, test RMSE {champion.test_rmse:.6g}"
            if champion.series is None
            else f"live RMSE {champion.live_rmse:.3g} times test RMSE, median of {champion.series} series"
        )
        if champion.live_rmse > policy.live_rmse_ratio * champion.test_rmse:
            if champion.confirmed and month - champion.confirmed < policy.challenge_least:
                return _reuse("confirmed", f"{compared}; confirmed at {champion.confirmed}.")
            return _retrain("live_rmse", f"{compared}: worse than {policy.live_rmse_ratio} times.")
        return _reuse("good", compared)
    return None


def _retrain(reason: str, detail: str | None) -> Verdict:
    return Verdict("retrain", reason, None, "ok", detail)


def _reuse(reason: str, detail: str | None) -> Verdict:
    return Verdict("reuse", reason, None, "ok", detail)


def verdict_on_damage(policy: Policy, damage: str, *, shared: bool = False) -> Verdict:
    """Decide again about a series whose stored network turned out to be damaged; one that is shared is not retrained here."""
    if policy.retrain == "auto" and not shared:
        return _retrain("bundle_damaged", damage)
    return Verdict(None, None, "failed", "bundle_damaged", damage)


def verdict_of_global(network: GlobalDecision, *, member: bool) -> Verdict:
    """Return what a decision about networks that all series of a run share means for one of them.

    member: whether the networks were trained with the series.
    """
    if network.decision is None:
        outcome = "failed" if network.reason == "bundle_damaged" else "refused"
        return Verdict(None, None, outcome, network.reason, network.detail)
    if network.bundle_id is None:
        return Verdict(None, None, "fallback", "diverged", DIVERGED)
    if not member:
        return Verdict("reuse", "cold_start", None, "ok", "The shared networks were trained without this series.")
    return (_retrain if network.decision == "retrain" else _reuse)(network.reason, network.detail)
