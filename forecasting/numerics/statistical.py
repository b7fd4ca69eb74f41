"""Forecasts of statsforecast's automatic models for many series, to compare with and to blend in; needs `milkrun[classic]`.

Every series is fitted by itself, on all cores, in processes of their own: the models hold Python's lock while they search.
A model that fails on a series gives that series no forecast and the reason; nothing steps in for it.
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
from forecasting.domain.recipes import BLENDS
from forecasting.domain.settings import usable_cores
from forecasting.numerics.seasonality import SEASON

MODELS = BLENDS
NAMES = ("mean", "lo-80", "hi-80", "lo-95", "hi-95")  # statsforecast's, in the order of the fields below
CHUNK = 16  # series that a process is handed at once
FEW = 4  # series up to which starting processes takes longer than the models do


@dataclass(frozen=True)
class StatisticalForecast:
    """Forecasts (series, horizon) in the unit of each series, NaN where the model failed.

    failures: (series,) why, in the model's own words; empty where it did not.
    """

    values: Values
    lower_80: Values
    upper_80: Values
    lower_95: Values
    upper_95: Values
    failures: tuple[str, ...]


def check_installed() -> None:
    """Raise InputError, with the remedy, if statsforecast is not there."""
    if importlib.util.find_spec("statsforecast") is None:
        raise InputError(f"{', '.join(MODELS)} need statsforecast: pip install 'milkrun[classic]'.")


def forecast_by(
    model: str, values: Values, lengths: Counts, *, horizon: int, workers: int | None = None
) -> StatisticalForecast:
    """Fit a model to every history (series, longest), the first lengths[i] months of row i, and forecast.

    workers: processes, all cores unless given; it changes no number. Raises InputError if the model is unknown or
    statsforecast is not installed.
    """
    if model not in MODELS:
        raise InputError(f"There is no model {model!r}; there are: {', '.join(MODELS)}.")
    check_installed()
    histories = [row[:length] for row, length in zip(values, lengths, strict=True)]
    chunks = [histories[start : start + CHUNK] for start in range(0, len(histories), CHUNK)]
    workers = min(workers or usable_cores(), len(chunks))
    if workers < 2 or len(histories) <= FEW:
        results = [_forecast_chunk(model, chunk, horizon) for chunk in chunks]
    else:
        # Fresh processes: a copy of one that runs threads, TensorFlow's say, may hang.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            results = list(pool.map(_forecast_chunk, [model] * len(chunks), chunks, [horizon] * len(chunks)))
    rows = [row for chunk in results for row in chunk]
    numbers = np.array([row for row, _ in rows]).reshape(-1, len(NAMES), horizon)
    mean, low_80, high_80, low_95, high_95 = numbers.transpose(1, 0, 2)
    return StatisticalForecast(mean, low_80, high_80, low_95, high_95, tuple(reason for _, reason in rows))


def _forecast_chunk(model: str, histories: Sequence[Values], horizon: int) -> list[tuple[Values, str]]:
    from statsforecast import models

    return [_forecast_one(getattr(models, model), history, horizon) for history in histories]


def _forecast_one(model: type, history: Values, horizon: int) -> tuple[Values, str]:
    nothing = np.full((len(NAMES), horizon), np.nan)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            results = model(season_length=SEASON).forecast(y=np.array(history), h=horizon, level=[80, 95])
    except Exception as failure:  # noqa: BLE001 - a model may raise anything, and must not stop the other series
        return nothing, f"{model.__name__} failed: {type(failure).__name__}: {failure}".splitlines()[0]
    numbers = np.array([results[name] for name in NAMES], dtype=np.float64)
    if not np.isfinite(numbers).all():
        return nothing, f"{model.__name__} failed: it forecast a number that is not finite"
    return numbers, ""
