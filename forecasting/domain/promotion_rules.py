"""What follows once networks are trained and have spoken: pure functions, as those of the policy.

Does a new network replace the champion? May a forecast be published as a network's?
"""

import math
import sys
from dataclasses import dataclass, replace

from forecasting.domain.panel import Values
from forecasting.domain.policy import DIVERGED, Policy, Verdict

CHALLENGE_REASONS = ("age", "live_rmse")  # reasons to train a network that must then be no worse than the champion
TIE = 1e-9  # networks whose RMSE differs by less are equally good
ABSURD_RANGES = 10  # a forecast this many ranges of the history away from it is no forecast


@dataclass(frozen=True)
class Challenge:
    """How a champion and the network trained to replace it forecast n months that neither has trained on, one month ahead.

    RMSE in the unit of the series; of networks that series share, medians of `series` series as multiples of the
    champion's, and n the months of the series that has most. challenger: its bundle, None where it did not end in finite
    numbers. damage: why the champion could not be asked.
    """

    n: int = 0
    champion_rmse: float | None = None
    challenger_rmse: float | None = None
    seasonal_naive_rmse: float | None = None
    challenger: str | None = None
    series: int | None = None
    damage: str | None = None


def challenge_result(challenge: Challenge, policy: Policy) -> str:
    """Say how a challenge ended: bundle_damaged, no_common_months or promoted, or else champion_kept.

    Of two that are equally good the challenger wins: it has learned from newer months.
    """
    if challenge.damage:
        return "bundle_damaged"
    if challenge.challenger is None:
        return "champion_kept"
    if challenge.n < policy.challenge_least or challenge.champion_rmse is None or challenge.challenger_rmse is None:
        return "no_common_months"
    return "promoted" if challenge.challenger_rmse <= challenge.champion_rmse * (1 + TIE) else "champion_kept"


def decide_promotion(verdict: Verdict, challenge: Challenge | None, policy: Policy) -> Verdict:
    """Decide again, once a network has been trained: it replaces the champion only if it is no worse."""
    if challenge is None or verdict.decision_reason not in CHALLENGE_REASONS:
        return verdict
    result = challenge_result(challenge, policy)
    if result == "bundle_damaged":
        told = f"Not compared with the network before: {challenge.damage}"
    elif result == "no_common_months":
        told = f"Not compared: months that neither network has trained on: {challenge.n}; needed: {policy.challenge_least}."
    elif challenge.challenger is None:
        told = "The new network did not end in finite numbers."
    else:
        naive = "none" if challenge.seasonal_naive_rmse is None else f"{challenge.seasonal_naive_rmse:.6g}"
        kind = "RMSE" if challenge.series is None else f"Median RMSE of {challenge.series} series in champion's"
        told = (
            f"{kind} over {challenge.n} months that neither has trained on: new network {challenge.challenger_rmse:.6g}, "
            f"champion {challenge.champion_rmse:.6g}, seasonal naive {naive}."
        )
    if result == "champion_kept":
        return Verdict("reuse", result, None, "ok", f"{verdict.detail} {told}")
    return replace(verdict, detail=f"{verdict.detail} {told}")


REJECTION_DETAILS = {
    "diverged": DIVERGED,
    "guarded": "On held-out months the network was much worse than the base path.",
    "unseen": "The networks were trained without this series.",
    "absurd": f"A forecast lies more than {ABSURD_RANGES} ranges of the history away from it.",
}


def ranges_away(values: Values | None, low: float, high: float) -> float | None:
    """Return how many ranges of the history a forecast lies away from it, at its farthest; 0 or less: not at all.

    values: (horizon,); low, high: the least and the largest value of the history, in the unit of the series. None where not
    all values are finite, or there are none.
    """
    ahead = [math.nan] if values is None else values.tolist()  # for so few numbers Python is quicker than NumPy
    if not all(map(math.isfinite, ahead)):
        return None
    away = max(max(ahead) - high, low - min(ahead))
    least = sys.float_info.min  # of a history without any range
    return min(away / max(high - low, least), sys.float_info.max)


def accept_forecast(ranges: float | None, reason: str) -> tuple[str, str, str | None]:
    """Say whether a forecast may be published as a network's: outcome, reason and detail.

    ranges: how far it lies from the history, None where the network diverged. reason: why no network made the forecast,
    empty where one did.
    """
    if ranges is None:
        reason = "diverged"
    elif not reason:
        reason = "absurd" if ranges > ABSURD_RANGES else ""
    return ("fallback", reason, REJECTION_DETAILS.get(reason)) if reason else ("forecast", "ok", None)
