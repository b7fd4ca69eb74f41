"""What training says of a series does not depend on the series that are trained beside it."""

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
OWN = MonthlyRecipe(
    name="own",
    horizon=3,
    windows=(24, 36),
    emphasis=(0.5, 0.0),
    judges=1,
    own_epochs=3,
    own_members=2,
    shared_from=1_000,
)


def origins_of(series: int, months: int, origins: int) -> Histories:
    """Line up series as they are known at some origins in a row, with all origins of a series below one another."""
    draw = np.random.default_rng(5)
    month = np.arange(months)
    level = np.exp(np.sin(month * np.pi / 6) / 4 + month / 200 + draw.normal(0, 0.05, (series, months)))
    lengths = np.tile(np.arange(months - origins + 1, months + 1), series)
    values = np.repeat(100 * level, origins, axis=0)
    values[np.arange(months) >= lengths[:, None]] = np.nan
    return Histories(values, lengths, tuple(Month.of(2019, 12) + int(length) for length in lengths))


@pytest.mark.parametrize("recipe", [QUICK, OWN], ids=lambda recipe: recipe.name)
def test_training_says_of_a_series_what_it_says_of_it_alone(recipe: Recipe) -> None:
    """Weights, scalers and every score, to the last bit, among shorter and longer histories and among many."""
    histories = origins_of(series=7, months=101, origins=9)
    seeds = np.repeat(series_seeds(recipe.seed, [f"series {number}" for number in range(7)]), 9)
    filled = np.zeros(histories.values.shape, dtype=bool)
    filled[:, 90:92] = True

    def fit(rows: list[int]) -> list[dict[str, Any]]:
        part = histories.select(rows)
        found = method_of(recipe).fit(recipe, part, seeds[rows], filled_mask=filled[rows, : part.values.shape[1]])
        tensors, scores = found.networks.weights, found.scores
        return [
            {
                "scaler": found.networks.scalers[place],
                "seen": found.trained_lengths[place],
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
