"""Tests of the method `monthly`: what its forecasts depend on, and limits that they keep."""

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
from forecasting.domain.vocabulary import NetworkScope, Split
from forecasting.lstm.random import series_seeds
from forecasting.models.codec import pack, unpack
from forecasting.models.monthly.forecast import VALIDATION_PREFIX, forecast, forecast_without_networks, predict_past
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
GLOBAL, LOCAL = replace(QUICK, shared_from=2), replace(QUICK, shared_from=1_000)


def histories_of(series: list[np.ndarray]) -> Histories:
    """Line up series that end in December 2019."""
    lengths = np.array([len(values) for values in series])
    values = np.full((len(series), lengths.max()), np.nan)
    for row, history in enumerate(series):
        values[row, : len(history)] = history
    return Histories(values, lengths, (Month.of(2019, 12),) * len(series))


def some_series(count: int = 6, months: int = 72) -> list[np.ndarray]:
    """Make seasonal series with trends and noise, each a little longer than the one before."""
    random = np.random.default_rng(11)
    series = []
    for row in range(count):
        month = np.arange(months + row)
        season = np.sin(month * np.pi / 6 + row) / 4
        series.append(100 * (row + 1) * np.exp(season + month / 200 + random.normal(0, 0.05, len(month))))
    return series


def train(recipe: MonthlyRecipe, histories: Histories, **options: Any) -> FitResult:
    """Train global or local networks, whichever a run of so many series trains."""
    count = len(histories.lengths)
    if recipe.network_scope(count) == NetworkScope.GLOBAL:
        return fit_global(recipe, histories, **options)
    seeds = series_seeds(recipe.seed, [f"series {row}" for row in range(count)])
    return fit(recipe, histories, seeds, **options)


@cache
def result_of(recipe: MonthlyRecipe) -> FitResult:
    """Fit a recipe on the series above, once."""
    return train(recipe, histories_of(some_series()))


def forecast_all(recipe: MonthlyRecipe, result: FitResult, histories: Histories, **options: Any) -> Forecasts:
    """Forecast histories by the networks at `positions`, by default each by its own."""
    positions = options.pop("positions", range(len(histories.lengths)))
    return forecast(recipe, result.networks, histories, positions=positions, **options)


def numbers(forecasts: Forecasts) -> list[list[list[float]]]:
    """List all numbers of a forecast."""
    assert forecasts.base_path is not None
    bounds = [forecasts.bounds[name] for name in BOUNDS]
    return [array.tolist() for array in (forecasts.values, *bounds, forecasts.base_path)]


@pytest.mark.parametrize("recipe", [GLOBAL, LOCAL])
def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(recipe: MonthlyRecipe) -> None:
    """Training uses no random numbers but those of the seed."""
    histories = histories_of(some_series())
    same_seed, other_seed = train(recipe, histories), train(replace(recipe, seed=8), histories)

    assert numbers(forecast_all(recipe, same_seed, histories)) == numbers(
        forecast_all(recipe, result_of(recipe), histories)
    )
    assert numbers(forecast_all(recipe, other_seed, histories)) != numbers(forecast_all(recipe, same_seed, histories))


@pytest.mark.parametrize("recipe", [GLOBAL, LOCAL])
def test_a_packed_bundle_forecasts_the_same_bits(recipe: MonthlyRecipe) -> None:
    """Weights through bytes and state through JSON lose nothing."""
    result, histories = result_of(recipe), histories_of(some_series())
    networks = result.networks
    restored = Networks(
        unpack(*pack(networks.weights)),
        tuple(json.loads(json.dumps(networks.scalers))),
        json.loads(json.dumps(networks.state)),
    )

    from_restored = forecast(recipe, restored, histories, positions=range(6))
    assert numbers(from_restored) == numbers(forecast_all(recipe, result, histories))


@pytest.mark.parametrize("recipe", [GLOBAL, LOCAL])
def test_a_forecast_does_not_depend_on_its_neighbours(recipe: MonthlyRecipe) -> None:
    """Alone, in other company or in another order: the same bits."""
    result, series = result_of(recipe), some_series()
    together = forecast_all(recipe, result, histories_of(series))
    for row in (0, 3):
        alone = forecast_all(recipe, result, histories_of([series[row]]), positions=[row])

        assert [part[0] for part in numbers(alone)] == [part[row] for part in numbers(together)]


@pytest.mark.parametrize("recipe", [GLOBAL, LOCAL])
def test_the_future_cannot_change_a_forecast(recipe: MonthlyRecipe) -> None:
    """Values after the origin change nothing, in training or in forecasting."""
    histories = histories_of(some_series())
    shortened = Histories(histories.values, histories.lengths - 5, histories.last_months)
    hidden = np.where(np.arange(histories.values.shape[1]) < shortened.lengths[:, None], histories.values, 1e9)
    results = [
        forecast_all(recipe, train(recipe, variant), variant)
        for variant in (shortened, Histories(hidden, shortened.lengths, shortened.last_months))
    ]

    assert numbers(results[0]) == numbers(results[1])


@pytest.mark.parametrize("recipe", [GLOBAL, LOCAL])
def test_intervals_contain_the_forecast_and_do_not_cross(recipe: MonthlyRecipe) -> None:
    """Lower 95, lower 80, forecast, upper 80, upper 95: never crossing."""
    forecasts = forecast_all(recipe, result_of(recipe), histories_of(some_series()))
    low, high = [forecasts.bounds[name] for name in BOUNDS[:2]], [forecasts.bounds[name] for name in BOUNDS[2:]]
    stacked = np.stack([*low, forecasts.values, *high])

    assert (np.diff(stacked, axis=0) >= 0).all()
    assert forecasts.fallback_reasons.count("") >= 5


def test_unusual_series_have_a_finite_forecast_and_a_reason() -> None:
    """Short, constant, intermittent, negative, huge and tiny: finite, not below zero unless they were."""
    noise = np.random.default_rng(3).normal(size=60)
    unusual_series = [
        np.array([5.0]),
        np.full(60, 7.0),
        np.where(noise > 0.5, 3.0, 0.0),
        -50 + 10 * noise,
        1e300 * (2 + np.tanh(noise)),
        1e-300 * (2 + np.tanh(noise)),
        np.zeros(40),
    ]
    histories = histories_of([*some_series(), *unusual_series])
    for recipe in (GLOBAL, LOCAL):
        forecasts = forecast_all(recipe, train(recipe, histories), histories)

        assert np.isfinite(numbers(forecasts)).all()
        assert forecasts.fallback_reasons[6:9] == ("short_history", "constant", "intermittent")
        assert forecasts.fallback_reasons[12] == "constant"
        assert (forecasts.bounds["lower_95"][[6, 7, 8, 10, 11, 12]] >= 0).all()
        assert forecasts.values[6].tolist() == pytest.approx([5.0] * 3)
        assert forecasts.values[9].max() < 0


def test_a_cold_start_is_forecast_by_global_networks() -> None:
    """Local networks forecast their own series alone: another series gets its base path."""
    new = histories_of(some_series(7)[6:])
    networks = replace(result_of(GLOBAL).networks, scalers=({"guarded": False},))
    by_global = forecast(GLOBAL, networks, new, positions=[0])
    by_local = forecast_all(LOCAL, result_of(LOCAL), new, positions=[-1])

    assert (by_global.fallback_reasons, by_local.fallback_reasons) == (("",), ("unseen",))
    assert by_local.base_path is not None
    assert by_local.values.tolist() == by_local.base_path.tolist()


def test_a_series_behind_the_fallback_gate_gets_its_base_path() -> None:
    """Its network was much worse than the base path on held-out months."""
    result, histories = result_of(GLOBAL), histories_of(some_series())
    networks = replace(result.networks, scalers=tuple({"guarded": row == 2} for row in range(6)))
    forecasts = forecast(GLOBAL, networks, histories, positions=range(6))

    assert forecasts.base_path is not None
    assert [row for row, reason in enumerate(forecasts.fallback_reasons) if reason == "guarded"] == [2]
    assert forecasts.values[2].tolist() == forecasts.base_path[2].tolist()


@pytest.mark.parametrize("recipe", [GLOBAL, LOCAL])
def test_live_errors_widen_and_narrow_the_intervals_of_their_series(recipe: MonthlyRecipe) -> None:
    """Each series by its own factors; forecasts stay."""
    result, histories = result_of(recipe), histories_of(some_series())
    plain = forecast_all(recipe, result, histories)
    widened = forecast_all(recipe, result, histories, live_factors=np.array([[1.5, 1.0], *[[1.0, 1.0]] * 5]))

    assert plain.values.tolist() == widened.values.tolist()
    widths = [forecasts.bounds["upper_80"] - forecasts.bounds["lower_80"] for forecasts in (plain, widened)]
    assert (widths[1][0] > widths[0][0]).all()
    assert widths[1][1:].tolist() == widths[0][1:].tolist()


@pytest.mark.parametrize("recipe", [GLOBAL, LOCAL])
def test_held_out_months_are_scored_by_networks_that_were_not_trained_on_them(recipe: MonthlyRecipe) -> None:
    """12 errors one month ahead, 10 three; other values in the last year do not change the weights of validation networks."""
    result = result_of(recipe)
    series = some_series()
    other_years = [np.concatenate([values[:-12], values[-12:] * 1.2]) for values in series]
    other_result = train(recipe, histories_of(other_years))

    assert result.scores[Split.TEST].n[:, [0, 2]].tolist() == [[12, 10]] * 6
    assert (result.scores[Split.TEST].rmse > 0).all()
    names = [name for name in result.networks.weights if name.startswith(VALIDATION_PREFIX)]
    assert names
    for name in names:
        np.testing.assert_array_equal(result.networks.weights[name], other_result.networks.weights[name])


@pytest.mark.parametrize("recipe", [GLOBAL, LOCAL])
def test_held_out_months_are_predicted_by_the_validation_networks(recipe: MonthlyRecipe) -> None:
    """Test predictions begin with the held-out year; their errors are those of the stored test RMSE."""
    result, [values] = result_of(recipe), [some_series()[2]]
    [past] = predict_past(recipe, result.networks, histories_of([values]), positions=[2], trained_lengths=[len(values)])

    assert (past.train_start, past.test_start) == (18, len(values) - 12)
    assert len(past.train) == past.test_start - past.train_start
    test_rmse = np.sqrt(np.mean((past.test - values[-12:]) ** 2))
    assert test_rmse == pytest.approx(result.scores[Split.TEST].rmse[2, 0], rel=1e-6)


@pytest.mark.parametrize("recipe", [GLOBAL, LOCAL])
def test_past_predictions_do_not_depend_on_other_series(recipe: MonthlyRecipe) -> None:
    """Predicted together, or for the last months alone: the same numbers."""
    result, series = result_of(recipe), some_series()
    lengths = [len(values) - 3 for values in series]

    together = predict_past(recipe, result.networks, histories_of(series), positions=range(6), trained_lengths=lengths)
    newest = predict_past(
        recipe, result.networks, histories_of(series), positions=range(6), trained_lengths=lengths, past_months=20
    )

    for row, values in enumerate(series):
        alone = predict_past(
            recipe, result.networks, histories_of([values]), positions=[row], trained_lengths=lengths[row : row + 1]
        )[0]
        np.testing.assert_allclose(together[row].train, alone.train, rtol=1e-6)
        np.testing.assert_allclose(together[row].test, alone.test, rtol=1e-6)
        assert (together[row].train_start, together[row].test_start) == (alone.train_start, alone.test_start)
        whole, last = (np.concatenate([past.train, past.test]) for past in (alone, newest[row]))
        np.testing.assert_allclose(last, whole[-20:], rtol=1e-6)
        assert newest[row].train_start == len(values) - len(last)


def test_without_networks_the_forecast_is_the_base_path() -> None:
    """With the intervals of a random walk: wider with every month."""
    forecasts = forecast_without_networks(QUICK, histories_of([some_series()[0], np.array([5.0])]))

    assert forecasts.base_path is not None
    assert forecasts.values.tolist() == forecasts.base_path.tolist()
    width = np.diff(forecasts.bounds["upper_95"] - forecasts.bounds["lower_95"], axis=1)
    assert (width[1] > 0).all()


def test_progress_counts_the_networks() -> None:
    """Validation and final networks; or, of local ones, the series."""
    counts: list[int] = []
    train(GLOBAL, histories_of(some_series()), progress=counts.append)
    assert sum(counts) == QUICK.judges + len(QUICK.windows)

    counts.clear()
    train(LOCAL, histories_of(some_series()), progress=counts.append)
    assert sum(counts) == 6


@pytest.mark.parametrize(
    "change", [{"horizon": 0}, {"windows": (13,)}, {"emphasis": (1.0,)}, {"judges": 3}, {"units": 0}]
)
def test_a_setting_that_cannot_work_is_named(change: dict[str, Any]) -> None:
    """The error names recipe and setting."""
    with pytest.raises(RecipeError, match=f"Recipe monthly: {next(iter(change))} is"):
        replace(QUICK, **change)


def test_a_recipe_is_identified_by_its_settings() -> None:
    """They are JSON values, and any other setting gives another hash."""
    assert json.loads(json.dumps(MONTHLY.settings)) == MONTHLY.settings
    assert MONTHLY.hash != replace(MONTHLY, seed=8).hash


@pytest.mark.parametrize("months", [[24], [24, 30], [24, 72]])
def test_series_too_short_for_validation_are_trained_all_the_same(months: list[int]) -> None:
    """They have no test scores; others beside them have."""
    series = [some_series(1, length)[0] for length in months]
    histories = histories_of(series)

    result = train(LOCAL, histories, filled_mask=np.zeros(histories.values.shape, bool))

    assert result.diverged_mask.tolist() == [False] * len(months)
    assert (result.scores[Split.TEST].n[:, 0] > 0).tolist() == [length >= 36 for length in months]
