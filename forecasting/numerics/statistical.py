"""Forecasts by the automatic models of statsforecast, to compare with and to blend in; needs `milkrun[classic]`.

Every series is fitted by itself. Fitting runs in several processes, because the models hold Python's lock. Where a model fails
on a series, this series has no forecast, and a text with the reason; no other model replaces it.
"""

import importlib.util
import multiprocessing
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from forecasting.domain.errors import InputError
from forecasting.domain.panel import Counts, Values
from forecasting.domain.settings import usable_cores
from forecasting.domain.vocabulary import STATISTICAL_MODELS
from forecasting.numerics.seasonality import SEASON

# Names in results of statsforecast, in the order of the fields below.
LIBRARY_COLUMNS = ("mean", "lo-80", "hi-80", "lo-95", "hi-95")
SERIES_PER_CHUNK = 16
FEW_SERIES = 4  # up to so many, the models take less time than the start of processes


@dataclass(frozen=True)
class StatisticalForecast:
    """Forecasts (series, horizon) in the unit of each series, NaN where the model failed.

    failures: one text per series, the message of the model; empty where it did not fail.
    """

    values: Values
    lower_80: Values
    upper_80: Values
    lower_95: Values
    upper_95: Values
    failures: tuple[str, ...]


def check_installed() -> None:
    """Raise InputError, with the remedy, if statsforecast is not installed."""
    if importlib.util.find_spec("statsforecast") is None:
        raise InputError(f"{', '.join(STATISTICAL_MODELS)} need statsforecast: pip install 'milkrun[classic]'.")


def forecast_by(
    model_name: str, values: Values, lengths: Counts, *, horizon: int, workers: int | None = None
) -> StatisticalForecast:
    """Fit a model to each history and forecast.

    values: (series, longest), of row i the first lengths[i] months. workers: number of processes, None for all cores; it has no
    influence on the numbers. Raises InputError if the model is unknown or statsforecast is not installed.
    """
    if model_name not in STATISTICAL_MODELS:
        raise InputError(f"There is no model {model_name!r}; there are: {', '.join(STATISTICAL_MODELS)}.")
    check_installed()
    histories = [row[:length] for row, length in zip(values, lengths, strict=True)]
    chunks = [histories[start : start + SERIES_PER_CHUNK] for start in range(0, len(histories), SERIES_PER_CHUNK)]
    process_count = min(workers or usable_cores(), len(chunks))
    if process_count < 2 or len(histories) <= FEW_SERIES:
        results = [_forecast_chunk(model_name, chunk, horizon) for chunk in chunks]
    else:
        # New processes: a forked copy of a process with threads, such as those of TensorFlow, may hang.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(process_count, mp_context=context) as pool:
            results = list(pool.map(_forecast_chunk, [model_name] * len(chunks), chunks, [horizon] * len(chunks)))
    rows = [row for chunk in results for row in chunk]
    numbers = np.array([row for row, _ in rows]).reshape(-1, len(LIBRARY_COLUMNS), horizon)
    mean, low_80, high_80, low_95, high_95 = numbers.transpose(1, 0, 2)
    return StatisticalForecast(mean, low_80, high_80, low_95, high_95, tuple(reason for _, reason in rows))


def _forecast_chunk(model_name: str, histories: Sequence[Values], horizon: int) -> list[tuple[Values, str]]:
    from statsforecast import models

    return [_forecast_one(getattr(models, model_name), history, horizon) for history in histories]


def _forecast_one(model: type, history: Values, horizon: int) -> tuple[Values, str]:
    """Forecast one history (months,): (LIBRARY_COLUMNS, horizon), NaN where the model failed, and why it did, else empty."""
    no_forecast = np.full((len(LIBRARY_COLUMNS), horizon), np.nan)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            results = model(season_length=SEASON).forecast(y=np.array(history), h=horizon, level=[80, 95])
    except Exception as failure:  # noqa: BLE001 - a model may raise anything, and must not stop the other series
        return no_forecast, f"{model.__name__} failed: {type(failure).__name__}: {failure}".splitlines()[0]
    numbers = np.array([results[name] for name in LIBRARY_COLUMNS], dtype=np.float64)
    if not np.isfinite(numbers).all():
        return no_forecast, f"{model.__name__} failed: it forecast a number that is not finite"
    return numbers, ""
