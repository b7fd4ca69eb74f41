"""The words that are stored in tables and shown to people: outcomes, decisions, reasons, splits and kinds.

The members are texts: they are equal to the words in tables and JSON. SQL and the page take their words from here.
"""

from collections.abc import Iterable
from enum import StrEnum


class Outcome(StrEnum):
    """How a series ends in a run."""

    FORECAST = "forecast"
    FALLBACK = "fallback"
    HELD = "held"
    REFUSED = "refused"
    FAILED = "failed"


class Decision(StrEnum):
    """What a run does with the network of a series."""

    RETRAIN = "retrain"
    REUSE = "reuse"


class Reason(StrEnum):
    """Why a run decided as it did, and why a series ended as it did."""

    OK = "ok"
    # Why a series has no network.
    NO_OBSERVATIONS = "no_observations"
    LATE = "late"
    GAP = "gap"
    SHORT_HISTORY = "short_history"
    CONSTANT = "constant"
    INTERMITTENT = "intermittent"
    # Why a network is trained, or reused.
    ASKED_FOR = "asked_for"
    NO_NETWORK = "no_network"
    RECIPE_CHANGED = "recipe_changed"
    AGE = "age"
    LIVE_RMSE = "live_rmse"
    BUNDLE_DAMAGED = "bundle_damaged"
    ORDERED = "ordered"
    YOUNG = "young"
    GOOD = "good"
    CONFIRMED = "confirmed"
    COLD_START = "cold_start"
    CHAMPION_KEPT = "champion_kept"
    # Why the forecast of a network is not published.
    DIVERGED = "diverged"
    GUARDED = "guarded"
    UNSEEN = "unseen"
    ABSURD = "absurd"


class Split(StrEnum):
    """The months that a score is over: a network's training part, its test part, or months after a forecast was published."""

    TRAIN = "train"
    TEST = "test"
    LIVE = "live"


class Kind(StrEnum):
    """What a run is for: the month that is due, or a past one."""

    LIVE = "live"
    BACKFILL = "backfill"


class RunState(StrEnum):
    """How far a stored run is; readers see published runs only."""

    OPEN = "open"
    PUBLISHED = "published"


DECISION_COUNTS = {Decision.RETRAIN: "retrained", Decision.REUSE: "reused"}  # columns of run_health


def sql_list(words: Iterable[str]) -> str:
    """Return words as a list of SQL literals, such as 'held', 'failed'."""
    return ", ".join(f"'{word}'" for word in words)
