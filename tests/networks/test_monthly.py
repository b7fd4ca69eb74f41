"""Tests of the recipe `monthly`: what its forecasts depend on, and what they never are."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from forecasting.errors import RecipeError
from forecasting.months import Month
from forecasting.networks.bundle import pack, unpack
from forecasting.networks.monthly import FittedMonthly, MonthlyForecast, fit, forecast
from forecasting.panel import Histories
from forecasting.recipes import MONTHLY, MonthlyRecipe

QUICK = MonthlyRecipe(
    horizon=3,
    windows=(24, 36),
    emphasis=(0.5, 0.0),
    judges=1,
    units=4,
    updates=20,
    batch_size=16,
    own_epochs=3,
    own_members=2,
)
SHARED, OWN = replace(QUICK, shared_from=2), replace(QUICK, shared_from=1_000)
BOUNDS = ("lower_95", "lower_80", "values", "upper_80", "upper_95")


def histories_of(series: list[np.ndarray]) -> Histories:
    """Line up series that end in December 2019."""
    lengths = np.array([len(values) for values in series])
    values = np.full((len(series), lengths.max()), np.nan)
    for row, own in enumerate(series):
        values[row, : len(own)] = own
    return Histories(values, lengths, (Month.of(2019, 12),) * len(series))


def some_series(count: int = 6, months: int = 72) -> list[np.ndarray]:
    """Make seasonal series with trends and noise, each a little longer than the one before."""
    draw = np.random.default_rng(11)
    result = []
    for row in range(count):
        month = np.arange(months + row)
        season = np.sin(month * np.pi / 6 + row) / 4
        result.append(100 * (row + 1) * np.exp(season + month / 200 + draw.normal(0, 0.05, len(month))))
    return result


@cache
def fitted_of(recipe: MonthlyRecipe) -> FittedMonthly:
    """Fit a recipe on the series above, once."""
    return fit(recipe, histories_of(some_series()))


def numbers(found: MonthlyForecast) -> list[list[list[float]]]:
    """List all numbers of a forecast."""
    return [getattr(found, name).tolist() for name in (*BOUNDS, "base")]


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(recipe: MonthlyRecipe) -> None:
    """Training leaves nothing to chance."""
    histories = histories_of(some_series())
    again, other = fit(recipe, histories), fit(recipe, histories, 8)

    assert numbers(forecast(recipe, again, histories)) == numbers(forecast(recipe, fitted_of(recipe), histories))
    assert numbers(forecast(recipe, other, histories)) != numbers(forecast(recipe, again, histories))


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_a_packed_bundle_forecasts_the_same_bits(recipe: MonthlyRecipe) -> None:
    """Weights through bytes and state through JSON lose nothing."""
    fitted, histories = fitted_of(recipe), histories_of(some_series())
    restored = replace(fitted, weights=unpack(*pack(fitted.weights)), state=json.loads(json.dumps(fitted.state)))

    assert numbers(forecast(recipe, restored, histories)) == numbers(forecast(recipe, fitted, histories))


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_a_forecast_does_not_depend_on_its_neighbours(recipe: MonthlyRecipe) -> None:
    """Alone, in other company or in another order: the same bits."""
    fitted, series = fitted_of(recipe), some_series()
    together = forecast(recipe, fitted, histories_of(series), positions=range(6))
    for row in (0, 3):
        alone = forecast(recipe, fitted, histories_of([series[row]]), positions=[row])

        assert [part[0] for part in numbers(alone)] == [part[row] for part in numbers(together)]


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_the_future_cannot_change_a_forecast(recipe: MonthlyRecipe) -> None:
    """Months after the origin are not looked at, in training or in forecasting."""
    histories = histories_of(some_series())
    known = Histories(histories.values, histories.lengths - 5, histories.last_months)
    hidden = np.where(np.arange(histories.values.shape[1]) < known.lengths[:, None], histories.values, 1e9)
    results = [
        forecast(recipe, fit(recipe, each), each)
        for each in (known, Histories(hidden, known.lengths, known.last_months))
    ]

    assert numbers(results[0]) == numbers(results[1])


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_intervals_hold_the_forecast_and_one_another(recipe: MonthlyRecipe) -> None:
    """Lower 95, lower 80, forecast, upper 80, upper 95: never crossing."""
    found = forecast(recipe, fitted_of(recipe), histories_of(some_series()))
    stacked = np.stack([getattr(found, name) for name in BOUNDS])

    assert (np.diff(stacked, axis=0) >= 0).all()
    assert found.reasons.count("") >= 5


def test_strange_series_get_numbers_and_a_reason() -> None:
    """Short, constant, intermittent, negative, huge and tiny: finite, not below zero unless they were."""
    draw = np.random.default_rng(3).normal(size=60)
    strange = [
        np.array([5.0]),
        np.full(60, 7.0),
        np.where(draw > 0.5, 3.0, 0.0),
        -50 + 10 * draw,
        1e300 * (2 + np.tanh(draw)),
        1e-300 * (2 + np.tanh(draw)),
        np.zeros(40),
    ]
    histories = histories_of([*some_series(), *strange])
    for recipe in (SHARED, OWN):
        found = forecast(recipe, fit(recipe, histories), histories)

        assert np.isfinite(numbers(found)).all()
        assert found.reasons[6:9] == ("short", "constant", "intermittent")
        assert found.reasons[12] == "constant"
        assert (found.lower_95[[6, 7, 8, 10, 11, 12]] >= 0).all()
        assert found.values[6].tolist() == pytest.approx([5.0] * 3)
        assert found.values[9].max() < 0


def test_a_series_never_seen_is_forecast_by_the_shared_networks() -> None:
    """A network of one series' own says nothing about another: there the base path speaks."""
    new = histories_of(some_series(7)[6:])
    shared = forecast(SHARED, fitted_of(SHARED), new, positions=[-1])
    own = forecast(OWN, fitted_of(OWN), new, positions=[-1])

    assert (shared.reasons, own.reasons) == (("",), ("unseen",))
    assert own.values.tolist() == own.base.tolist()
    with pytest.raises(ValueError, match="positions"):
        forecast(SHARED, fitted_of(SHARED), new)


def test_a_guarded_series_gets_its_base_path() -> None:
    """A network that held-out months found much worse does not speak."""
    fitted, histories = fitted_of(SHARED), histories_of(some_series())
    guarded = replace(fitted, guarded=np.arange(6) == 2)
    found = forecast(SHARED, guarded, histories)

    assert found.reasons[2] == "guarded"
    assert found.values[2].tolist() == found.base[2].tolist()


def test_progress_counts_the_networks() -> None:
    """Judges and members, or every series' own."""
    done: list[int] = []
    fit(SHARED, histories_of(some_series()), progress=done.append)
    assert sum(done) == QUICK.judges + len(QUICK.windows)

    done.clear()
    fit(OWN, histories_of(some_series()), progress=done.append)
    assert sum(done) == 2 * 6 * QUICK.own_members


@pytest.mark.parametrize(
    "change", [{"horizon": 0}, {"windows": (13,)}, {"emphasis": (1.0,)}, {"judges": 3}, {"units": 0}]
)
def test_a_setting_that_cannot_work_is_named(change: dict[str, Any]) -> None:
    """The error names recipe and setting."""
    with pytest.raises(RecipeError, match=f"Recipe monthly: {next(iter(change))} is"):
        replace(QUICK, **change)


def test_a_recipe_is_known_by_its_settings() -> None:
    """They are JSON values, and any other setting gives another hash."""
    assert json.loads(json.dumps(MONTHLY.settings)) == MONTHLY.settings
    assert MONTHLY.hash != replace(MONTHLY, seed=8).hash
