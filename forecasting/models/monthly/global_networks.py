"""Global networks: an ensemble of LSTMs that all series share, for runs of many series.

Each member of the ensemble has a window, a loss weight and a seed of its own; the forecast is the median of the members.
"""

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
from forecasting.models.monthly.features import TIME_STEPS, Examples, network_inputs

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)  # of the quantiles that networks predict
MEDIAN = 2  # position of the median among them
MAXIMUM_LOSS_WEIGHT = 20.0  # as a multiple of the mean


def train_members(
    recipe: MonthlyRecipe,
    training_set: TrainingSet,
    members: range,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> Weights:
    """Train some members of the ensemble; returns tensors by name, `{member}/{tensor}`."""

    def train_one(member: int) -> Weights:
        weights = train_member(recipe, training_set, member, member_seed(seed, member))
        if progress:
            progress(1)
        return {f"{member}/{name}": tensor for name, tensor in weights.items()}

    # BLAS splits matrix products by its number of threads, and with them the last bits may change. So each member has one
    # BLAS thread, and the members train at the same time.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(usable_cores()) as pool:
        members_weights = list(pool.map(train_one, members))
    return {name: tensor for weights in members_weights for name, tensor in weights.items()}


def member_seed(seed: int, member: int) -> np.uint64:
    """Seed of a member, from the recipe's seed and the position of the member."""
    return np.uint64((seed * 1_000_003 + member * 7_919 + 1) % (1 << 63))


def train_member(recipe: MonthlyRecipe, training_set: TrainingSet, member: int, seed: np.uint64) -> Weights:
    """Train one member; its position decides its window and its loss weights.

    The loss weight of a row is scale / yearly change^e, with the member's e = recipe.emphasis. With e = 1 the loss weighs the
    rows as MASE does, which divides errors in logs by the yearly change; with e = 0 all errors in logs count alike.
    """
    sequences, static_inputs = network_inputs(training_set.examples, recipe.windows[member])
    training = SingleTraining(LEVELS, recipe.updates, recipe.batch_size, recipe.learning_rate, recipe.noise)
    loss_weights = training_set.examples.scale * training_set.examples.yearly_change ** -recipe.emphasis[member]
    loss_weights = np.minimum(loss_weights / loss_weights.mean(), MAXIMUM_LOSS_WEIGHT)
    batch_rows = draw_rows(seed, recipe.updates, recipe.batch_size, len(sequences))
    architecture = architecture_of(recipe, sequences, static_inputs)
    return train_single(
        architecture, training, sequences, static_inputs, training_set.residuals, loss_weights, batch_rows, seed
    )


def architecture_of(recipe: MonthlyRecipe, sequences: np.ndarray, static_inputs: np.ndarray) -> SingleArchitecture:
    """Architecture of a member, given its inputs: (rows, TIME_STEPS, features) and (rows, static inputs)."""
    outputs = recipe.horizon * len(LEVELS)
    return SingleArchitecture(TIME_STEPS, sequences.shape[2], static_inputs.shape[1], recipe.units, outputs)


def member_shapes(recipe: MonthlyRecipe, members: range, examples: Examples) -> dict[str, tuple[int, ...]]:
    """Shapes of the tensors of some members by name; examples: any, their inputs have the sizes that networks need."""
    shapes: dict[str, tuple[int, ...]] = {}
    for member in members:
        architecture = architecture_of(recipe, *network_inputs(examples, recipe.windows[member]))
        shapes |= {f"{member}/{name}": shape for name, shape in architecture.shapes.items()}
    return shapes


def predict_members(recipe: MonthlyRecipe, weights: Weights, members: range, examples: Examples) -> np.ndarray:
    """Quantiles of residuals, the median of the members: (rows, horizon, levels) in units of scale.

    weights: tensors by name, `{member}/{tensor}`, at least of the members. examples: (rows,), what the networks are asked about.
    """
    quantiles = []
    for member in members:
        sequences, static_inputs = network_inputs(examples, recipe.windows[member])
        member_weights = {
            name.split("/", 1)[1]: tensor for name, tensor in weights.items() if name.startswith(f"{member}/")
        }
        outputs = predict_single(
            architecture_of(recipe, sequences, static_inputs), member_weights, sequences, static_inputs
        )
        quantiles.append(outputs.reshape(-1, recipe.horizon, len(LEVELS)))
    return np.asarray(np.median(quantiles, axis=0), dtype=np.float64)
