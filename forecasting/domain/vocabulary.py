"""The words that are stored in tables, written as options and shown to people: every list of words has its home here.

The members are texts: they are equal to the words in tables and JSON. SQL, the options of commands and the page take
their words from here.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal


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
    """Why a run decided as it did, why a series ended as it did, and why the causes of a change are unknown."""

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
    # Why the causes of a change are unknown; BUNDLE_DAMAGED is another reason.
    OLDER_RELEASE = "older_release"
    NOT_REPEATED = "not_repeated"


class ChallengeResult(StrEnum):
    """How the comparison of a champion with its challenger ends."""

    PROMOTED = "promoted"
    CHAMPION_KEPT = Reason.CHAMPION_KEPT
    NO_COMMON_MONTHS = "no_common_months"
    BUNDLE_DAMAGED = Reason.BUNDLE_DAMAGED


class Cause(StrEnum):
    """Why a forecast differs from the forecast of the same month by the run before: columns of forecast_change."""

    NEW_MONTHS = "new_months"
    REVISIONS = "revisions"
    NETWORK = "network"
    RECIPE_CHANGE = "recipe_change"


class ForecastMethod(StrEnum):
    """What made the numbers of a forecast."""

    LSTM = "lstm"
    BASE_PATH = "base_path"
    SEASONAL_NAIVE = "seasonal_naive"


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


class Vintages(StrEnum):
    """The values that a run used: those that were available at its origin, or later ones."""

    AS_OF = "as_of"
    LATEST = "latest"


class TriggerName(StrEnum):
    """What started a run; DEPLOYMENT is Prefect's UI or API."""

    SCHEDULE = "schedule"
    DEPLOYMENT = "deployment"
    COMMAND_LINE = "command line"
    PYTHON = "python"


class RetrainPolicy(StrEnum):
    """When a run trains a network: by the rules of the policy, for every series, or for none."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Reprocessing(StrEnum):
    """Which series of a published backfill are forecast once more."""

    NONE = "none"
    FAILED = "failed"
    COMPLETED = "completed"


class PromotionKind(StrEnum):
    """How a person put a bundle in charge."""

    ROLLBACK = "rollback"
    PROMOTE = "promote"


class Aggregate(StrEnum):
    """How several values of one month, such as those of its days, become one."""

    SUM = "sum"
    MEAN = "mean"
    LAST = "last"
    FIRST = "first"


class NetworkScope(StrEnum):
    """Whether each series has networks of its own, or all series of a run have the same networks."""

    LOCAL = "local"
    GLOBAL = "global"


# What callers may write for a member: type checkers cannot derive it from the enum, a test compares the two.
KindWord = Literal["live", "backfill"]
RetrainWord = Literal["auto", "always", "never"]
ReprocessWord = Literal["none", "failed", "completed"]
Retrain = RetrainPolicy | RetrainWord
Reprocess = Reprocessing | ReprocessWord

STATISTICAL_MODELS = ("AutoETS", "AutoARIMA", "AutoTheta", "AutoCES")  # of statsforecast, the extra milkrun[classic]
OUTCOMES_WITH_VALUES = (Outcome.FORECAST, Outcome.FALLBACK)
OUTCOMES_WITHOUT_VALUES = (Outcome.HELD, Outcome.REFUSED, Outcome.FAILED)
CONFIRMING_REASONS = (Reason.CHAMPION_KEPT, Reason.ORDERED)  # the age of a network counts from the newest of them
DECISION_COUNTS = {Decision.RETRAIN: "retrained", Decision.REUSE: "reused"}  # columns of run_health


def sql_list(words: Iterable[str]) -> str:
    """Return words as a list of SQL literals, such as 'held', 'failed'."""
    return ", ".join(f"'{word}'" for word in words)


def alternatives(words: Iterable[str]) -> str:
    """Return words as people list them, such as: auto, always or never."""
    *first_words, last_word = words
    return f"{', '.join(first_words)} or {last_word}"
