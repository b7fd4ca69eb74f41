"""The labels of causes, splits and unexplained changes, in the terminal and on the page."""

from forecasting.domain.vocabulary import DECISION_COUNTS, Cause, Outcome, Reason, Split

CAUSE_LABELS: dict[str, str] = {
    Cause.NEW_MONTHS: "months observed since",
    Cause.REVISIONS: "revised values of earlier months",
    Cause.NETWORK: "another network",
    Cause.RECIPE_CHANGE: "another recipe",
}
UNEXPLAINED_LABELS: dict[str, str] = {
    Reason.OLDER_RELEASE: "it was published by a release that kept no account of changes",
    Reason.BUNDLE_DAMAGED: "the network of the run before cannot be read; it is damaged",
    Reason.NOT_REPEATED: "the network of the run before does not give again what was published",
}
SPLIT_LABELS: dict[str, str] = {Split.TRAIN: "training part", Split.TEST: "test part", Split.LIVE: "live"}
PAGE_WORDS = {
    "causes": CAUSE_LABELS,
    "unexplained": UNEXPLAINED_LABELS,
    "splits": SPLIT_LABELS,
    "outcomes": list(Outcome),
    "decisions": DECISION_COUNTS,
}
