"""Tests of the policy as configuration: which rule holds for which series, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain.errors import InputError
from forecasting.domain.policy import SERIES_SETTINGS, Policy, SeriesRule, policy_from
from forecasting.domain.policy_file import origins_of_values, policy_of_run, read_policy_file
from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult
from forecasting.runs import job
from forecasting.storage.db.database import Database
from tests.replays import replay_all
from tests.runs.test_champion_challenger import seasonal

FILE = """
max_age_months = 10

[[rule]]
series = "region *"
max_age_months = 6
late_months = 1

[[rule]]
recipe = "classic"
live_rmse_ratio = 2.5

[[rule]]
series = "region 7"
late_months = 9
"""
RULES = st.lists(
    st.builds(
        SeriesRule,
        st.sampled_from(["*", "a*", "?b", "[ab]*", "milk"]),
        st.dictionaries(st.sampled_from(SERIES_SETTINGS), st.integers(1, 99), min_size=1).map(
            lambda d: tuple(d.items())
        ),
    ),
    max_size=4,
).map(tuple)


@pytest.fixture
def installation(tmp_path: Path) -> Settings:
    """Give the settings of an installation with a policy.toml."""
    (tmp_path / "policy.toml").write_text(FILE)
    return Settings(tmp_path, late_months=4)


def test_the_last_rule_that_fits_holds(installation: Settings) -> None:
    """By pattern and by recipe; what no rule sets comes from the file's first lines, the environment or the defaults."""
    monthly, classic = (policy_of_run(installation, recipe) for recipe in ("monthly", "classic"))

    assert monthly.for_series("milk") == Policy(late_months=4, max_age_months=10)
    assert monthly.for_series("region 3") == Policy(late_months=1, max_age_months=6)
    assert monthly.for_series("region 7") == Policy(late_months=9, max_age_months=6)
    assert monthly.for_series("Region 7") == Policy(late_months=4, max_age_months=10)
    assert classic.for_series("milk") == Policy(late_months=4, max_age_months=10, live_rmse_ratio=2.5)
    asked = policy_of_run(installation, "monthly", late_months=2)
    assert {asked.for_series(name).late_months for name in ("milk", "region 3", "region 7")} == {2}


def test_it_is_said_from_where_a_value_comes(installation: Settings) -> None:
    """The same values as a run takes, each with its place."""
    rows = {name: (value, place) for name, value, place in origins_of_values(installation, "classic", "region 7")}

    held = policy_of_run(installation, "classic").for_series("region 7")
    assert {name: value for name, (value, _) in rows.items()} == {name: getattr(held, name) for name in SERIES_SETTINGS}
    file = installation.home / "policy.toml"
    assert rows["late_months"][1] == f"{file}, rule 3, series region 7"
    assert rows["max_age_months"][1] == f"{file}, rule 1, series region *"
    assert rows["live_rmse_ratio"][1] == f"{file}, rule 2, series *"
    assert rows["challenge_least"][1] == "default"


def test_without_a_file_nothing_changes(tmp_path: Path) -> None:
    """The settings of a run without rules are stored as before there was a file: the same request finds the same run."""
    policy = policy_of_run(Settings(tmp_path), "monthly")

    assert policy == Policy()
    assert "series_rules" not in policy.settings


@given(rules=RULES, name=st.sampled_from(["a", "ab", "b", "milk", "cb"]))
def test_a_stored_policy_is_the_same_again(rules: tuple[SeriesRule, ...], name: str) -> None:
    """Through JSON and back, as a whole and for each series."""
    policy = Policy(series_rules=rules)

    assert policy_from(policy.settings) == policy
    assert policy_from(policy.settings).for_series(name) == policy.for_series(name)
    assert policy.for_series(name).series_rules == ()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("max_age = 3", "there is no setting 'max_age'"),
        ("max_age_months = 1.5", "write it as a whole number"),
        ("max_age_months = 0", "its settings: late_months must be at least 0"),
        ("rule = 3", "rule is 3; write it as tables, each under [[rule]]"),
        ("rule = [3]", "write each rule under a line [[rule]]"),
        ("[[rule]]\nseries = 'x'", "rule 1: give a pattern series or a recipe, and a setting"),
        ("[[rule]]\nlate_months = 1", "rule 1: give a pattern series or a recipe"),
        ("[[rule]]\nseries = 'x'\nretrain = 'always'", "rule 1: there is no setting 'retrain'"),
        ("[[rule]]\nseries = 1\nlate_months = 1", "rule 1: series is 1"),
        ("[[rule]]\nseries = 'x'\nlive_rmse_ratio = -1.0", "rule 1: late_months must be at least 0"),
        ("[[rule]", "is not TOML"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(tmp_path: Path, lines: str, words: str) -> None:
    """The message names file, rule, setting and remedy."""
    (tmp_path / "policy.toml").write_text(lines)

    with pytest.raises(InputError) as refusal:
        read_policy_file(tmp_path / "policy.toml")

    assert words in str(refusal.value)
    assert "policy.toml" in str(refusal.value)


def test_a_run_goes_by_the_rules_of_each_series(
    database: Database, settings: Settings, arrive: Callable[..., LoadResult]
) -> None:
    """Of two series that are two months late, one has a rule of one month and is held; all can be decided again."""
    values = [*map(float, seasonal(97))]
    arrive("1990-01", here=values, **{"region 1": values[:95], "shop": values[:95]})
    (settings.home / "policy.toml").write_text('[[rule]]\nseries = "region *"\nlate_months = 1\n')

    summary = job.complete_run(database, job.run_parameters(settings, recipe="classic"))
    (settings.home / "policy.toml").unlink()
    without = job.run_parameters(settings, recipe="classic")

    assert (summary.counts["forecast"], summary.counts["held"]) == (2, 1)
    [(_, _, _, example)] = [reason for reason in summary.reasons if reason[0] == "held"]
    assert example == "region 1"
    assert job.read_run(database, summary.run.run_id).request.policy == summary.run.request.policy
    assert all(stored == again for _, stored, again in replay_all(database))
    assert job.open_run(database, replace(without)).run_id != summary.run.run_id
