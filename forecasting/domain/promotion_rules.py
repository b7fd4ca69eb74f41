"""Rules that apply after training, pure functions like those of the policy.

They decide whether a new network replaces the champion, and whether the forecast of a network is published.
"""

import math
import sys
from dataclasses import dataclass, replace

from forecasting.domain.panel import Values
from forecasting.domain.policy import DIVERGED, Policy, Verdict
from forecasting.domain.vocabulary import ChallengeResult, Decision, Outcome, Reason

# A network that is trained for one of these reasons replaces the champion only if it is no worse.
CHALLENGE_REASONS = (Reason.AGE, Reason.LIVE_RMSE)
TIE = 1e-9  # networks whose RMSE differs by less are equally good
# For these a network's forecast is not published, and one without networks takes its place.
REFUSAL_REASONS = (Reason.DIVERGED, Reason.ABSURD)
ABSURD_RANGES = 10  # a forecast further away from its history, in ranges of the history, is not published


@dataclass(frozen=True)
class Challenge:
    """The comparison of a champion with its challenger, the network that was trained to replace it.

    n: the months that were compared, those that neither network was trained on, one month ahead. The three RMSE are in the unit
    of the series. Of global networks they are medians over `series` series, as multiples of the RMSE of the champion, and n is
    that of the series with most months. challenger: the id of its bundle, None where the challenger diverged. damage: what is
    wrong with the bundle of the champion, None where nothing is.
    """

    n: int = 0
    champion_rmse: float | None = None
    challenger_rmse: float | None = None
    seasonal_naive_rmse: float | None = None
    challenger: str | None = None
    series: int | None = None
    damage: str | None = None


def challenge_result(challenge: Challenge, policy: Policy) -> ChallengeResult:
    """Return the result of a challenge: bundle_damaged, no_common_months, promoted or champion_kept.

    Of two networks that are equally good the challenger wins: it was trained on newer months.
    """
    if challenge.damage:
        return ChallengeResult.BUNDLE_DAMAGED
    if challenge.challenger is None:
        return ChallengeResult.CHAMPION_KEPT
    if challenge.n < policy.challenge_least or challenge.champion_rmse is None or challenge.challenger_rmse is None:
        return ChallengeResult.NO_COMMON_MONTHS
    is_no_worse = challenge.challenger_rmse <= challenge.champion_rmse * (1 + TIE)
    return ChallengeResult.PROMOTED if is_no_worse else ChallengeResult.CHAMPION_KEPT


def decide_promotion(verdict: Verdict, challenge: Challenge | None, policy: Policy) -> Verdict:
    """Decide once more after training: the new network replaces the champion only if it is not worse."""
    if challenge is None or verdict.decision_reason not in CHALLENGE_REASONS:
        return verdict
    result = challenge_result(challenge, policy)
    if result == ChallengeResult.BUNDLE_DAMAGED:
        comparison = f"Not compared with the network before: {challenge.damage}"
    elif result == ChallengeResult.NO_COMMON_MONTHS:
        comparison = f"Not compared: months that neither network has trained on: {challenge.n}; needed: {policy.challenge_least}."
    elif challenge.challenger is None:
        comparison = "The new network did not end in finite numbers."
    else:
        naive = "none" if challenge.seasonal_naive_rmse is None else f"{challenge.seasonal_naive_rmse:.6g}"
        kind = "RMSE" if challenge.series is None else f"Median RMSE of {challenge.series} series in champion's"
        comparison = (
            f"{kind} over {challenge.n} months that neither has trained on: new network {challenge.challenger_rmse:.6g}, "
            f"champion {challenge.champion_rmse:.6g}, seasonal naive {naive}."
        )
    if result == ChallengeResult.CHAMPION_KEPT:
        return Verdict(Decision.REUSE, result, None, Reason.OK, f"{verdict.detail} {comparison}")
    return replace(verdict, detail=f"{verdict.detail} {comparison}")


REJECTION_DETAILS: dict[str, str] = {
    Reason.DIVERGED: DIVERGED,
    Reason.GUARDED: "On held-out months the network was much worse than the base path.",
    Reason.UNSEEN: "The networks were trained without this series.",
    Reason.ABSURD: f"A forecast lies more than {ABSURD_RANGES} ranges of the history away from it.",
}


def distance_in_ranges(values: Values | None, low: float, high: float) -> float | None:
    """Return the largest distance of a forecast from its history, in ranges of the history; 0 or less where it lies inside.

    values: (horizon,) in the unit of the series, None where there is no forecast. low, high: the smallest and the largest value
    of the history. Returns None where a value is not finite, or where there is none.
    """
    forecast = [math.nan] if values is None else values.tolist()  # for so few numbers Python is quicker than NumPy
    if not all(map(math.isfinite, forecast)):
        return None
    distance = max(max(forecast) - high, low - min(forecast))
    # A constant history has no range: the smallest number stands in for it.
    return min(distance / max(high - low, sys.float_info.min), sys.float_info.max)


def forecast_outcome(ranges: float | None, reason: str) -> tuple[Outcome, str, str | None]:
    """Decide whether the forecast of a network is published: outcome, reason and detail.

    ranges: as `distance_in_ranges` gives it, None where the network diverged. reason: why no network made the forecast, empty
    where one did.
    """
    if ranges is None:
        reason = Reason.DIVERGED
    elif not reason:
        reason = Reason.ABSURD if ranges > ABSURD_RANGES else ""
    return (Outcome.FALLBACK, reason, REJECTION_DETAILS.get(reason)) if reason else (Outcome.FORECAST, Reason.OK, None)
