"""Tests of the automatic models of statsforecast, the real ones."""

import importlib.util

import numpy as np
import pytest

from forecasting.domain.errors import InputError
from forecasting.domain.vocabulary import STATISTICAL_MODELS
from forecasting.numerics.statistical import LIBRARY_COLUMNS, StatisticalForecast, forecast_by

pytest.importorskip("statsforecast", reason="statsforecast is not installed: pip install 'milkrun[classic]'")


def some_histories(series: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Make seasonal series of 60 months and more; the last is too short for any model."""
    month, generator = np.arange(60 + series), np.random.default_rng(5)
    values = 100 + 20 * np.sin(month * np.pi / 6) + generator.normal(0, 2, (series, len(month)))
    lengths = np.arange(60, 60 + series)
    lengths[-1] = 0
    return np.where(month < lengths[:, None], values, np.nan), lengths


def numbers(forecast: StatisticalForecast) -> np.ndarray:
    """Stack lower 95, lower 80, forecast, upper 80, upper 95."""
    return np.stack([forecast.lower_95, forecast.lower_80, forecast.values, forecast.upper_80, forecast.upper_95])


@pytest.mark.parametrize("model", STATISTICAL_MODELS)
def test_every_model_forecasts_with_intervals_around(model: str) -> None:
    """Near what comes, and in rising order."""
    values, lengths = some_histories()
    forecast = forecast_by(model, values, lengths, horizon=3)
    expected = 100 + 20 * np.sin((lengths[:, None] + np.arange(3)) * np.pi / 6)

    assert forecast.failures[:4] == ("",) * 4
    assert np.abs(forecast.values - expected)[:4].max() < 12
    assert (np.diff(numbers(forecast)[:, :4], axis=0) > 0).all()


def test_a_failure_is_told_and_stays_with_its_series() -> None:
    """There are no numbers, and a text with the reason; no other model replaces it."""
    values, lengths = some_histories()
    forecast = forecast_by("AutoETS", values, lengths, horizon=3)

    assert forecast.failures[4].startswith("AutoETS failed: ")
    assert np.isnan(numbers(forecast)[:, 4]).all()


def test_the_number_of_workers_changes_no_number() -> None:
    """In this process, or in two others."""
    values, lengths = some_histories(20)
    in_this_process, in_two_processes = (
        forecast_by("AutoTheta", values, lengths, horizon=4, workers=workers) for workers in (1, 2)
    )

    assert numbers(in_this_process).tobytes() == numbers(in_two_processes).tobytes()
    assert in_this_process.failures == in_two_processes.failures


def test_the_numbers_are_those_of_statsforecast() -> None:
    """No column and no row is exchanged."""
    from statsforecast.models import AutoETS

    values, lengths = some_histories()
    expected = AutoETS(season_length=12).forecast(y=values[1, : lengths[1]], h=6, level=[80, 95])
    forecast = forecast_by("AutoETS", values, lengths, horizon=6)

    fields = (forecast.values, forecast.lower_80, forecast.upper_80, forecast.lower_95, forecast.upper_95)
    for name, field in zip(LIBRARY_COLUMNS, fields, strict=True):
        assert field[1].tolist() == expected[name].tolist()


def test_no_series_give_no_forecasts() -> None:
    """The result has no rows."""
    assert forecast_by("AutoETS", np.zeros((0, 0)), np.zeros(0, np.int64), horizon=3).values.shape == (0, 3)


def test_an_unknown_model_and_a_missing_library_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the names there are, and the extra that brings them."""
    values, lengths = some_histories()
    with pytest.raises(InputError, match="AutoCES"):
        forecast_by("ETS", values, lengths, horizon=3)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"milkrun\[classic\]"):
        forecast_by("AutoETS", values, lengths, horizon=3)
