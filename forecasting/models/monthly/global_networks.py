"""Where there are many series: an ensemble of shared networks, each with its own window, emphasis and seed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from forecasting.domain.recipes import MonthlyRecipe
from forecasting.domain.settings import usable_cores
from forecasting.lstm.single.network import SingleArchitecture, predict_single
from forecasting.lstm.single.training import SingleTraining, draw_rows, train_single
from forecasting.lstm.weights import Weights
from forecasting.models.monthly.dataset import TrainingSet
from forecasting.models.monthly.features import Examples, network_inputs

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
MEDIAN = 2
EMPHASIS_WITHIN = 20.0  # no row counts that many times more than the mean


def train_members(
    recipe: MonthlyRecipe,
    learning: TrainingSet,
    members: range,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> Weights:
    """Train some members of the ensemble: tensors by name, `{member}/{tensor}`."""

    def one(member: int) -> Weights:
        weights = train_member(recipe, learning, member, member_seed(seed, member))
        if progress:
            progress(1)
        return {f"{member}/{name}": tensor for name, tensor in weights.items()}

    # BLAS parts its products by the threads it has, and last bits may follow; networks train side by side instead.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(usable_cores()) as pool:
        trained = list(pool.map(one, members))
    return {name: tensor for weights in trained for name, tensor in weights.items()}


def member_seed(seed: int, member: int) -> np.uint64:
    """Derive the seed of a member; the recipe's seed and the member's position decide it."""
    return np.uint64((seed * 1_000_003 + member * 7_919 + 1) % (1 << 63))


def train_member(recipe: MonthlyRecipe, learning: TrainingSet, member: int, seed: np.uint64) -> Weights:
    """Train the member at a position of the recipe's windows."""
    steps, facts = network_inputs(learning.examples, recipe.windows[member])
    training = SingleTraining(LEVELS, recipe.updates, recipe.batch_size, recipe.learning_rate, recipe.noise)
    importance = learning.examples.scale * learning.examples.yearly ** -recipe.emphasis[member]
    importance = np.minimum(importance / importance.mean(), EMPHASIS_WITHIN)
    rows = draw_rows(seed, recipe.updates, recipe.batch_size, len(steps))
    shape = shape_of(recipe, steps.shape[2], facts.shape[1])
    return train_single(shape, training, steps, facts, learning.residuals, importance, rows, seed)


def shape_of(recipe: MonthlyRecipe, features: int, facts: int) -> SingleArchitecture:
    """Return the shape of a member from the numbers that go in."""
    from forecasting.models.monthly.features import STEPS

    return SingleArchitecture(STEPS, features, facts, recipe.units, recipe.horizon * len(LEVELS))


def member_shapes(recipe: MonthlyRecipe, members: range, examples: Examples) -> dict[str, tuple[int, ...]]:
    """Return the shapes of some members' tensors by name, for examples such as these."""
    shapes: dict[str, tuple[int, ...]] = {}
    for member in members:
        steps, facts = network_inputs(examples, recipe.windows[member])
        own = shape_of(recipe, steps.shape[2], facts.shape[1]).shapes
        shapes |= {f"{member}/{name}": shape for name, shape in own.items()}
    return shapes


def predict_members(recipe: MonthlyRecipe, weights: Weights, members: range, examples: Examples) -> np.ndarray:
    """Predict residuals in units of scale as the median of the members: (rows, horizon, quantiles)."""
    said = []
    for member in members:
        steps, facts = network_inputs(examples, recipe.windows[member])
        own = {name.split("/", 1)[1]: tensor for name, tensor in weights.items() if name.startswith(f"{member}/")}
        shape = shape_of(recipe, steps.shape[2], facts.shape[1])
        said.append(predict_single(shape, own, steps, facts).reshape(-1, recipe.horizon, len(LEVELS)))
    return np.asarray(np.median(said, axis=0), dtype=np.float64)
