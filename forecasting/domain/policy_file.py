"""The policy as configuration: policy.toml of MILKRUN_HOME, for all series, by recipe and by patterns of names."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from forecasting.domain.errors import InputError
from forecasting.domain.policy import SERIES_SETTINGS, Policy, SeriesRule
from forecasting.domain.settings import Settings
from forecasting.domain.settings_files import read_settings
from forecasting.domain.vocabulary import Retrain, RetrainPolicy

_DEFAULTS = {each.name: each.default for each in fields(Policy) if each.name in SERIES_SETTINGS}
_KINDS: dict[str, type] = {name: type(value) for name, value in _DEFAULTS.items()}


@dataclass(frozen=True)
class FileRule:
    """A `[[rule]]` of the file, for the runs of one recipe or of all (None). number: its place in the file, from 1 on."""

    number: int
    recipe: str | None
    series_rule: SeriesRule


@dataclass(frozen=True)
class PolicyFile:
    """What policy.toml says: values for all series, and rules for some."""

    path: Path
    values: Mapping[str, Any]
    rules: tuple[FileRule, ...]

    def rules_of(self, recipe: str) -> list[FileRule]:
        """Return the rules that hold for the runs of a recipe, in the order of the file."""
        return [rule for rule in self.rules if rule.recipe in (None, recipe)]


def read_policy_file(path: Path) -> PolicyFile:
    """Read the file; where there is none, it says nothing. Raises InputError naming file, rule, setting and remedy."""
    if not path.is_file():
        return PolicyFile(path, {}, ())
    values = read_settings(path, {**_KINDS, "rule": list})
    rules = tuple(_rule(path, number, rule) for number, rule in enumerate(values.pop("rule", []), start=1))
    _require_possible(path, "its settings", values)
    return PolicyFile(path, values, rules)


def _rule(path: Path, number: int, rule: Any) -> FileRule:
    place = f"rule {number}"
    if not isinstance(rule, dict):
        raise InputError(f"{path}: write each rule under a line [[rule]].")
    changes = {name: value for name, value in rule.items() if name not in ("series", "recipe")}
    for name, value in rule.items():
        kind = _KINDS.get(name, str)
        if name not in (*_KINDS, "series", "recipe"):
            raise InputError(f"{path}, {place}: there is no setting {name!r}; there are: {', '.join(sorted(_KINDS))}.")
        if type(value) is not kind:
            raise InputError(f"{path}, {place}: {name} is {value!r}; write it like {_DEFAULTS.get(name, 'a text')!r}.")
    if not changes or not (rule.get("series") or rule.get("recipe")):
        raise InputError(f"{path}, {place}: give a pattern series or a recipe, and a setting such as max_age_months.")
    _require_possible(path, place, changes)
    return FileRule(number, rule.get("recipe"), SeriesRule(rule.get("series", "*"), tuple(changes.items())))


def _require_possible(path: Path, place: str, changes: Mapping[str, Any]) -> None:
    try:
        Policy(**changes)
    except InputError as mistake:
        raise InputError(f"{path}, {place}: {mistake}") from None


def policy_of_run(
    settings: Settings, recipe: str, *, retrain: Retrain = RetrainPolicy.AUTO, late_months: int | None = None
) -> Policy:
    """Return the policy of a run by a recipe; late_months: for every series where it is given, whatever the file says.

    Raises InputError for a file that cannot be read.
    """
    file = read_policy_file(settings.policy_file)
    values: dict[str, Any] = {"late_months": settings.late_months, **file.values}
    rules = [rule.series_rule for rule in file.rules_of(recipe)]
    if late_months is not None:
        values["late_months"] = late_months
        rules = [
            SeriesRule(rule.series, tuple(change for change in rule.changes if change[0] != "late_months"))
            for rule in rules
        ]
    return Policy(retrain=retrain, series_rules=tuple(rule for rule in rules if rule.changes), **values)


def origins_of_values(settings: Settings, recipe: str, series: str) -> list[tuple[str, Any, str]]:
    """Return, for each setting, its value for a series in runs by a recipe, and from where it comes."""
    file = read_policy_file(settings.policy_file)
    variable = "MILKRUN_LATE_MONTHS, or its default"
    values = {name: (value, variable if name == "late_months" else "default") for name, value in _DEFAULTS.items()}
    values["late_months"] = (settings.late_months, variable)
    values |= {name: (value, str(file.path)) for name, value in file.values.items()}
    for rule in file.rules_of(recipe):
        if rule.series_rule.holds_for(series):
            place = f"{file.path}, rule {rule.number}, series {rule.series_rule.series}"
            values |= {name: (value, place) for name, value in rule.series_rule.changes}
    return [(name, *values[name]) for name in SERIES_SETTINGS]
