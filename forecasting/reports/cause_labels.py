"""How the causes of a change of a forecast are called in the terminal and on the page, and why some changes have none."""

CAUSE_LABELS = {
    "new_months": "months observed since",
    "revisions": "revised values of earlier months",
    "network": "another network",
    "recipe_change": "another recipe",
}
UNEXPLAINED_LABELS = {
    "older_release": "it was published by a release that kept no account of changes",
    "bundle_damaged": "the network of the run before cannot be read; it is damaged",
    "not_repeated": "the network of the run before does not give again what was published",
}
