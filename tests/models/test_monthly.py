"""Tests of the recipe `monthly`: what its forecasts depend on, and what they never are."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from forecasting.domain.errors import RecipeError
from forecasting.domain.months import Month
from forecasting.domain.panel import BOUNDS, Histories
from forecasting.domain.recipes import MONTHLY, MonthlyRecipe
from forecasting.lstm.random import series_seeds
from forecasting.models.codec import pack, unpack
from forecasting.models.monthly.forecast import forecast, forecast_without_networks, predict_past
from forecasting.models.monthly.training import fit, fit_global
from forecasting.models.types import FitResult, Forecasts, Networks

QUICK = MonthlyRecipe(
    name="monthly",
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


def train(recipe: MonthlyRecipe, histories: Histories, **options: Any) -> FitResult:
    """Train the networks that series share, or those of their own, as the recipe's rule says."""
    count = len(histories.lengths)
    if recipe.shares(count):
        return fit_global(recipe, histories, **options)
    seeds = series_seeds(recipe.seed, [f"series {row}" for row in range(count)])
    return fit(recipe, histories, seeds, **options)


@cache
def fitted_of(recipe: MonthlyRecipe) -> FitResult:
    """Fit a recipe on the series above, once."""
    return train(recipe, histories_of(some_series()))


def ahead(recipe: MonthlyRecipe, fitted: FitResult, histories: Histories, **options: Any) -> Forecasts:
    """Forecast the histories that were fitted, or those at positions."""
    positions = options.pop("positions", range(len(histories.lengths)))
    return forecast(recipe, fitted.networks, histories, positions=positions, **options)


def numbers(found: Forecasts) -> list[list[list[float]]]:
    """List all numbers of a forecast."""
    assert found.base_path is not None
    return [array.tolist() for array in (found.values, *(found.bounds[name] for name in BOUNDS), found.base_path)]


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(recipe: MonthlyRecipe) -> None:
    """Training leaves nothing to chance."""
    histories = histories_of(some_series())
    again, other = train(recipe, histories), train(replace(recipe, seed=8), histories)

    assert numbers(ahead(recipe, again, histories)) == numbers(ahead(recipe, fitted_of(recipe), histories))
    assert numbers(ahead(recipe, other, histories)) != numbers(ahead(recipe, again, histories))


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_a_packed_bundle_forecasts_the_same_bits(recipe: MonthlyRecipe) -> None:
    """Weights through bytes and state through JSON lose nothing."""
    fitted, histories = fitted_of(recipe), histories_of(some_series())
    networks = fitted.networks
    restored = Networks(
        unpack(*pack(networks.weights)),
        tuple(json.loads(json.dumps(networks.scalers))),
        json.loads(json.dumps(networks.state)),
    )

    again = forecast(recipe, restored, histories, positions=range(6))
    assert numbers(again) == numbers(ahead(recipe, fitted, histories))


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_a_forecast_does_not_depend_on_its_neighbours(recipe: MonthlyRecipe) -> None:
    """Alone, in other company or in another order: the same bits."""
    fitted, series = fitted_of(recipe), some_series()
    together = ahead(recipe, fitted, histories_of(series))
    for row in (0, 3):
        alone = ahead(recipe, fitted, histories_of([series[row]]), positions=[row])

        assert [part[0] for part in numbers(alone)] == [part[row] for part in numbers(together)]


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_the_future_cannot_change_a_forecast(recipe: MonthlyRecipe) -> None:
    """Months after the origin are not looked at, in training or in forecasting."""
    histories = histories_of(some_series())
    known = Histories(histories.values, histories.lengths - 5, histories.last_months)
    hidden = np.where(np.arange(histories.values.shape[1]) < known.lengths[:, None], histories.values, 1e9)
    results = [
        ahead(recipe, train(recipe, each), each)
        for each in (known, Histories(hidden, known.lengths, known.last_months))
    ]

    assert numbers(results[0]) == numbers(results[1])


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_intervals_hold_the_forecast_and_one_another(recipe: MonthlyRecipe) -> None:
    """Lower 95, lower 80, forecast, upper 80, upper 95: never crossing."""
    found = ahead(recipe, fitted_of(recipe), histories_of(some_series()))
    low, high = [found.bounds[name] for name in BOUNDS[:2]], [found.bounds[name] for name in BOUNDS[2:]]
    stacked = np.stack([*low, found.values, *high])

    assert (np.diff(stacked, axis=0) >= 0).all()
    assert found.fallback_reasons.count("") >= 5


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
        found = ahead(recipe, train(recipe, histories), histories)

        assert np.isfinite(numbers(found)).all()
        assert found.fallback_reasons[6:9] == ("short_history", "constant", "intermittent")
        assert found.fallback_reasons[12] == "constant"
        assert (found.bounds["lower_95"][[6, 7, 8, 10, 11, 12]] >= 0).all()
        assert found.values[6].tolist() == pytest.approx([5.0] * 3)
        assert found.values[9].max() < 0


def test_a_series_never_seen_is_forecast_by_the_shared_networks() -> None:
    """A network of one series' own says nothing about another: there the base path speaks."""
    new = histories_of(some_series(7)[6:])
    known = replace(fitted_of(SHARED).networks, scalers=({"guarded": False},))
    shared = forecast(SHARED, known, new, positions=[0])
    own = ahead(OWN, fitted_of(OWN), new, positions=[-1])

    assert (shared.fallback_reasons, own.fallback_reasons) == (("",), ("unseen",))
    assert own.base_path is not None
    assert own.values.tolist() == own.base_path.tolist()


def test_a_guarded_series_gets_its_base_path() -> None:
    """A network that held-out months found much worse does not speak."""
    fitted, histories = fitted_of(SHARED), histories_of(some_series())
    guarded = replace(fitted.networks, scalers=tuple({"guarded": row == 2} for row in range(6)))
    found = forecast(SHARED, guarded, histories, positions=range(6))

    assert found.base_path is not None
    assert [row for row, reason in enumerate(found.fallback_reasons) if reason == "guarded"] == [2]
    assert found.values[2].tolist() == found.base_path[2].tolist()


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_live_errors_widen_and_narrow_the_intervals_of_their_series(recipe: MonthlyRecipe) -> None:
    """Each series by its own factors; forecasts stay."""
    fitted, histories = fitted_of(recipe), histories_of(some_series())
    plain = ahead(recipe, fitted, histories)
    moved = ahead(recipe, fitted, histories, live_factors=np.array([[1.5, 1.0], *[[1.0, 1.0]] * 5]))

    assert plain.values.tolist() == moved.values.tolist()
    widths = [found.bounds["upper_80"] - found.bounds["lower_80"] for found in (plain, moved)]
    assert (widths[1][0] > widths[0][0]).all()
    assert widths[1][1:].tolist() == widths[0][1:].tolist()


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_held_out_months_are_scored_without_having_been_seen(recipe: MonthlyRecipe) -> None:
    """Twelve origins answer one month ahead, ten answer three; changing the last year's values changes no judge's weights."""
    fitted = fitted_of(recipe)
    series = some_series()
    later = [np.concatenate([values[:-12], values[-12:] * 1.2]) for values in series]
    changed = train(recipe, histories_of(later))

    assert fitted.scores["test"].n[:, [0, 2]].tolist() == [[12, 10]] * 6
    assert (fitted.scores["test"].rmse > 0).all()
    judges = [name for name in fitted.networks.weights if name.startswith("judge/")]
    assert judges
    for name in judges:
        np.testing.assert_array_equal(fitted.networks.weights[name], changed.networks.weights[name])


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_the_past_is_predicted_by_judges_where_they_have_not_seen_it(recipe: MonthlyRecipe) -> None:
    """Test predictions begin with the held-out year; their errors are those of the stored test RMSE."""
    fitted, [values] = fitted_of(recipe), [some_series()[2]]
    [past] = predict_past(recipe, fitted.networks, histories_of([values]), positions=[2], trained_lengths=[len(values)])

    assert (past.train_start, past.test_start) == (18, len(values) - 12)
    assert len(past.train) == past.test_start - past.train_start
    missed = np.sqrt(np.mean((past.test - values[-12:]) ** 2))
    assert missed == pytest.approx(fitted.scores["test"].rmse[2, 0], rel=1e-6)


@pytest.mark.parametrize("recipe", [SHARED, OWN])
def test_the_past_of_many_is_that_of_each(recipe: MonthlyRecipe) -> None:
    """Asked about together, or about the last months only, networks say of a series what they say of it alone."""
    fitted, series = fitted_of(recipe), some_series()
    trained = [len(values) - 3 for values in series]

    together = predict_past(recipe, fitted.networks, histories_of(series), positions=range(6), trained_lengths=trained)
    newest = predict_past(
        recipe, fitted.networks, histories_of(series), positions=range(6), trained_lengths=trained, past_months=20
    )

    for row, values in enumerate(series):
        alone = predict_past(
            recipe, fitted.networks, histories_of([values]), positions=[row], trained_lengths=trained[row : row + 1]
        )[0]
        np.testing.assert_allclose(together[row].train, alone.train, rtol=1e-6)
        np.testing.assert_allclose(together[row].test, alone.test, rtol=1e-6)
        assert (together[row].train_start, together[row].test_start) == (alone.train_start, alone.test_start)
        whole, last = (np.concatenate([past.train, past.test]) for past in (alone, newest[row]))
        np.testing.assert_allclose(last, whole[-20:], rtol=1e-6)
        assert newest[row].train_start == len(values) - len(last)


def test_without_networks_the_base_path_speaks() -> None:
    """With the intervals of a random walk: wider with every month."""
    found = forecast_without_networks(QUICK, histories_of([some_series()[0], np.array([5.0])]))

    assert found.base_path is not None
    assert found.values.tolist() == found.base_path.tolist()
    width = np.diff(found.bounds["upper_95"] - found.bounds["lower_95"], axis=1)
    assert (width[1] > 0).all()


def test_progress_counts_the_networks() -> None:
    """Judges and members, or the series."""
    done: list[int] = []
    train(SHARED, histories_of(some_series()), progress=done.append)
    assert sum(done) == QUICK.judges + len(QUICK.windows)

    done.clear()
    train(OWN, histories_of(some_series()), progress=done.append)
    assert sum(done) == 6


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


@pytest.mark.parametrize("months", [[24], [24, 30], [24, 72]])
def test_series_too_short_to_judge_are_trained_all_the_same(months: list[int]) -> None:
    """Where no series, or not every one, has a year to hold out, training goes on and says what was filled."""
    series = [some_series(1, length)[0] for length in months]
    histories = histories_of(series)

    fitted = train(OWN, histories, filled_mask=np.zeros(histories.values.shape, bool))

    assert fitted.diverged_mask.tolist() == [False] * len(months)
    assert (fitted.scores["test"].n[:, 0] > 0).tolist() == [length >= 36 for length in months]
