"""The result of training for a series does not depend on the series that are trained with it."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from forecasting.domain.months import Month
from forecasting.domain.panel import Histories
from forecasting.domain.recipes import CLASSIC, MonthlyRecipe, Recipe
from forecasting.lstm.random import series_seeds
from forecasting.models.method import method_of

QUICK = dataclasses.replace(CLASSIC, name="quick", epochs=3)
LOCAL = MonthlyRecipe(
    name="local",
    horizon=3,
    windows=(24, 36),
    emphasis=(0.5, 0.0),
    judges=1,
    own_epochs=3,
    own_members=2,
    shared_from=1_000,
)


def origins_of(series: int, months: int, origins: int) -> Histories:
    """Make histories of some series, each cut at some origins in a row: (series · origins) histories, series by series."""
    random = np.random.default_rng(5)
    month = np.arange(months)
    level = np.exp(np.sin(month * np.pi / 6) / 4 + month / 200 + random.normal(0, 0.05, (series, months)))
    lengths = np.tile(np.arange(months - origins + 1, months + 1), series)
    values = np.repeat(100 * level, origins, axis=0)
    values[np.arange(months) >= lengths[:, None]] = np.nan
    return Histories(values, lengths, tuple(Month.of(2019, 12) + int(length) for length in lengths))


@pytest.mark.parametrize("recipe", [QUICK, LOCAL], ids=lambda recipe: recipe.name)
def test_the_result_for_a_series_is_that_of_training_it_alone(recipe: Recipe) -> None:
    """Weights, scalers and scores have the same bits, with shorter and longer histories and with many."""
    histories = origins_of(series=7, months=101, origins=9)
    seeds = np.repeat(series_seeds(recipe.seed, [f"series {number}" for number in range(7)]), 9)
    filled = np.zeros(histories.values.shape, dtype=bool)
    filled[:, 90:92] = True

    def fit(rows: list[int]) -> list[dict[str, Any]]:
        part = histories.select(rows)
        result = method_of(recipe).fit(recipe, part, seeds[rows], filled_mask=filled[rows, : part.values.shape[1]])
        tensors, scores = result.networks.weights, result.scores
        return [
            {
                "scaler": result.networks.scalers[place],
                "trained length": result.trained_lengths[place],
                **{name: tensor[place].tolist() for name, tensor in tensors.items()},
                **{
                    f"{split} {field.name}": repr(getattr(scores[split], field.name)[place].tolist())
                    for split in scores
                    for field in dataclasses.fields(scores[split])
                },
            }
            for place in range(len(rows))
        ]

    together = fit(list(range(63)))

    for rows in ([0], [62], [13, 31, 2], list(range(8, 63, 9))):
        assert fit(rows) == [together[row] for row in rows]
