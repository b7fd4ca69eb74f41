"""Training many networks at once gives the weights that Keras gives for each, whatever else is trained."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.lstm.batched.blocks import epoch_orders
from forecasting.lstm.batched.training import train
from forecasting.lstm.batched.types import BatchedTraining, TrainingResult
from forecasting.lstm.prediction import predict, to_keras
from forecasting.lstm.weights import Architecture, Weights, initial_weights

CLASSIC = Architecture(1, (4,))


def some_windows(networks: int, windows: int, architecture: Architecture) -> tuple[np.ndarray, np.ndarray]:
    """Noisy seasonal series between 0 and 1, cut into windows x (networks, windows, look_back) and targets y."""
    noise = np.random.default_rng(7)
    month = np.arange(windows + architecture.look_back + architecture.outputs - 1)
    phase = noise.uniform(0, 6, (networks, 1))
    series = 0.5 + 0.3 * np.sin(month * np.pi / 6 + phase) + 0.05 * noise.normal(size=(networks, len(month)))
    view = np.lib.stride_tricks.sliding_window_view(series, architecture.look_back + architecture.outputs, axis=1)
    view = view.astype(np.float32)
    return view[..., : architecture.look_back], view[..., architecture.look_back :]


def pinball(quantiles: tuple[float, ...]) -> Callable[[Any, Any], Any]:
    """Pinball loss, written for Keras."""
    import keras

    def loss(y: Any, prediction: Any) -> Any:
        error = y - prediction
        levels = np.resize(np.array(quantiles, np.float32), error.shape[-1])
        return keras.ops.mean(keras.ops.maximum(levels * error, (levels - 1) * error), axis=-1)

    return loss


def keras_fit(
    architecture: Architecture, training: BatchedTraining, weights: Weights, x: np.ndarray, y: np.ndarray, seed: int
) -> tuple[Weights, np.ndarray]:
    """Train the first network of weights by Keras with the same batches; returns its weights, and its loss for each epoch."""
    import keras

    model = to_keras(architecture, weights, 0)
    loss = pinball(training.quantiles) if training.quantiles else "mse"
    model.compile(keras.optimizers.Adam(training.learning_rate), loss, steps_per_execution=16)
    x = x.reshape(-1, architecture.time_steps, architecture.features)
    orders = epoch_orders(seed, len(x), training.epochs)
    losses = []
    for order in orders:
        history = model.fit(x[order], y[order], batch_size=training.batch_size, shuffle=False, verbose=0)
        losses += history.history["loss"]
    return dict(zip(architecture.shapes, model.get_weights(), strict=True)), np.array(losses)


def network(weights: Weights, position: int) -> Weights:
    """Weights of one network; the axis of networks stays."""
    return {name: tensor[position : position + 1] for name, tensor in weights.items()}


@pytest.mark.parametrize(
    ("architecture", "training", "counts"),
    [
        (CLASSIC, BatchedTraining(), [111, 23]),
        (Architecture(12, (8,), "steps"), BatchedTraining(batch_size=16), [60, 23]),
        (Architecture(4, (4, 3), "features", 2), BatchedTraining(batch_size=8, epochs=30), [50, 17]),
        (Architecture(6, (4, 3), "steps", 2), BatchedTraining(batch_size=8, epochs=30), [50, 17]),
        (Architecture(5, (10, 9), "steps"), BatchedTraining(batch_size=8, epochs=30), [50, 17]),
        (
            Architecture(3, (4,), "features", 4),
            BatchedTraining("pinball", (0.1, 0.9), batch_size=4, epochs=40),
            [50, 21],
        ),
    ],
    ids=["classic", "twelve-steps", "stacked-features", "stacked-steps", "stacked-products", "pinball"],
)
def test_weights_are_those_of_keras(architecture: Architecture, training: BatchedTraining, counts: list[int]) -> None:
    """From the same initial weights with the same batches, to 1e-5; padding is NaN."""
    x, y = some_windows(len(counts), max(counts), architecture)
    for position, count in enumerate(counts):
        x[position, count:] = y[position, count:] = np.nan
    seeds = np.arange(len(counts), dtype=np.uint64) + 40
    start = initial_weights(architecture, seeds)

    result = train(architecture, training, x, y, np.array(counts), seeds, weights=start)

    assert not result.diverged_mask.any()
    assert result.epochs.tolist() == [training.epochs] * len(counts)
    for position, count in enumerate(counts):
        own_x, own_y = x[position, :count], y[position, :count]
        expected, losses = keras_fit(
            architecture, training, network(start, position), own_x, own_y, int(seeds[position])
        )
        for name, tensor in expected.items():
            actual = result.weights[name][position]
            assert np.abs(actual - tensor).max() <= 1e-5 * np.abs(tensor).max(), name
        np.testing.assert_allclose(result.losses[position], losses, rtol=1e-5)
        model = to_keras(architecture, result.weights, position)
        shape = (-1, architecture.time_steps, architecture.features)
        np.testing.assert_allclose(
            predict(architecture, network(result.weights, position), own_x[None])[0],
            model.predict(own_x.reshape(shape), verbose=0),
            rtol=1e-5,
            atol=1e-6,
        )


def test_early_stopping_is_that_of_keras() -> None:
    """A network stops in the epoch of Keras' EarlyStopping, with the weights that Keras restores."""
    import keras

    training = BatchedTraining(epochs=40, batch_size=4, learning_rate=0.05, patience=3)
    architecture = Architecture(3, (4,))
    x, y = some_windows(4, 60, architecture)
    y = y[np.random.default_rng(3).permuted(np.tile(np.arange(4)[:, None], (1, 60)), axis=0), np.arange(60)]
    counts, validation_counts = np.array([40, 31, 22, 13]), np.array([20, 12, 9, 5])
    validation_x, validation_y = x[:, 40:].copy(), y[:, 40:].copy()
    for position, count in enumerate(validation_counts):
        validation_x[position, count:] = validation_y[position, count:] = np.nan
    seeds = np.arange(4, dtype=np.uint64)
    start = initial_weights(architecture, seeds)

    result = train(
        architecture,
        training,
        x[:, :40],
        y[:, :40],
        counts,
        seeds,
        weights=start,
        validation=(validation_x, validation_y, validation_counts),
    )

    assert len(set(result.epochs.tolist())) > 1
    for position, (count, validation_count) in enumerate(zip(counts, validation_counts, strict=True)):
        model = to_keras(architecture, start, position)
        model.compile(keras.optimizers.Adam(0.05), "mse")
        stopping = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
        stopping.set_model(model)
        stopping.on_train_begin()
        orders = epoch_orders(seeds[position], int(count), training.epochs)
        for epoch in range(training.epochs):
            order = orders[epoch]
            model.fit(x[position, order][:, None], y[position, order], batch_size=4, shuffle=False, verbose=0)
            rows = position, slice(validation_count)
            validation_loss = model.evaluate(validation_x[rows][:, None], validation_y[rows], verbose=0)
            stopping.on_epoch_end(epoch, {"val_loss": validation_loss})
            if model.stop_training:
                break
        stopping.on_train_end()
        assert result.epochs[position] == epoch + 1
        assert np.isfinite(result.losses[position, : epoch + 1]).all()
        assert np.isnan(result.losses[position, epoch + 1 :]).all()
        for name, tensor in zip(architecture.shapes, model.get_weights(), strict=True):
            assert np.abs(result.weights[name][position] - tensor).max() <= 1e-5 * np.abs(tensor).max(), name


ALONE: dict[str, tuple[Architecture, BatchedTraining]] = {
    "classic": (CLASSIC, BatchedTraining(epochs=2)),
    "steps": (Architecture(3, (2,), "steps"), BatchedTraining(epochs=2, batch_size=4)),
    "products": (Architecture(4, (16,), "steps"), BatchedTraining(epochs=2, batch_size=4)),
    "stopping": (Architecture(2, (3,), outputs=2), BatchedTraining("pinball", (0.2, 0.8), 3, 4, 0.1, patience=0)),
}
NETWORKS = 300  # more than one block in each layout


def train_some(name: str, networks: list[int], **how: Any) -> TrainingResult:
    """Train some of 300 networks with 1 to 80 windows each, as ALONE says."""
    architecture, training = ALONE[name]
    x, y = some_windows(NETWORKS, 80, architecture)
    counts = np.random.default_rng(5).integers(1, 81, NETWORKS)
    counts[::7] = 64  # some exactly at the edge of a bucket
    positions = np.array(networks)
    longest = counts[positions].max()
    own = (x[positions, :longest], y[positions, :longest], counts[positions])
    seeds = positions.astype(np.uint64) * 977
    validation = None
    if training.patience == 0:
        validation = x[positions, -20:], y[positions, -20:], 1 + counts[positions] % 20
    return train(architecture, training, *own, seeds, validation=validation, **how)


results: dict[str, TrainingResult] = {}


@pytest.mark.parametrize("name", ALONE)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_network_has_the_same_bits_whatever_is_trained_with_it(name: str, data: st.DataObject) -> None:
    """Alone, with few or with hundreds of others, in any order and with any number of workers."""
    if name not in results:
        results[name] = train_some(name, list(range(NETWORKS)))
    networks = data.draw(st.lists(st.integers(0, NETWORKS - 1), min_size=1, max_size=40))
    workers = data.draw(st.sampled_from([1, 2, 5]))

    few = train_some(name, networks, workers=workers)

    for tensor, expected in zip(few.weights.values(), results[name].weights.values(), strict=True):
        np.testing.assert_array_equal(tensor, expected[networks])
    np.testing.assert_array_equal(few.losses, results[name].losses[networks])
    np.testing.assert_array_equal(few.epochs, results[name].epochs[networks])


TRAIN_WIDE_NETWORKS = """
import hashlib, os, sys
import numpy as np

if sys.argv[1] == "one":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from forecasting.lstm.tensorflow import start_tensorflow

start_tensorflow()
import tensorflow

if sys.argv[1].isdecimal():
    tensorflow.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]))
from forecasting.lstm.batched.training import train
from forecasting.lstm.batched.types import BatchedTraining
from forecasting.lstm.weights import Architecture

noise = np.random.default_rng(0)
for look_back, units in ((12, (24,)), (2, (300, 200))):
    x, y = noise.random((1, 150, look_back), np.float32), noise.random((1, 150, 1), np.float32)
    training = BatchedTraining(epochs=1, batch_size=64)
    result = train(Architecture(look_back, units, "steps"), training, x, y, np.full(1, 150), np.arange(1))
    print(hashlib.sha256(b"".join(result.weights[name].tobytes() for name in result.weights)).hexdigest())
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system cannot pin a process to a core")
@pytest.mark.parametrize("instructions", ["ALL", "AVX2"])
def test_the_number_of_cores_changes_no_bit(instructions: str) -> None:
    """One core, and the threads of 3 and of 64 cores: the same bits, also where sums are long.

    AVX2 is what oneDNN finds on a processor without AVX-512.
    """
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": instructions}
    command = [sys.executable, "-c", TRAIN_WIDE_NETWORKS]

    hashes = {
        cores: subprocess.run([*command, cores], env=environment, check=True, capture_output=True, text=True).stdout
        for cores in ("one", "3", "64")
    }

    assert len(set(hashes.values())) == 1, hashes


def test_the_weight_gradient_is_exact() -> None:
    """Any order of the rows gives the same bits, and so does padding."""
    import tensorflow as tf

    from forecasting.lstm.batched.gradients import exact_product

    random = np.random.default_rng(3)
    x, d = random.normal(size=(2, 500, 7)).astype(np.float32), random.normal(size=(2, 500, 5)).astype(np.float32)
    x[1], d[0, :, 2] = x[1] * np.float32(1e-6), 0
    order = random.permutation(500)

    product, reordered = exact_product(x, d).numpy(), exact_product(x[:, order], d[:, order]).numpy()

    np.testing.assert_array_equal(product, reordered)
    padded = [
        np.concatenate([part, np.full((2, 700, part.shape[2]), fill, np.float32)], 1) for part, fill in ((x, 9), (d, 0))
    ]
    np.testing.assert_array_equal(exact_product(*padded).numpy(), product)
    expected = np.einsum("nri,nrc->nic", x.astype(np.float64), d.astype(np.float64))
    scale = np.abs(x).max(1)[:, :, None] * np.abs(d).max(1)[:, None]
    assert (np.abs(product - expected) <= 1e-4 * np.maximum(scale, 1e-30)).all()
    assert tf.reduce_all(tf.math.is_finite(product))


def test_a_diverged_network_is_marked_and_changes_no_other() -> None:
    """The other networks have the same bits as without it."""
    training = BatchedTraining(epochs=3, batch_size=4)
    x, y = some_windows(3, 30, CLASSIC)
    counts, seeds = np.array([30, 30, 30]), np.arange(3, dtype=np.uint64)
    expected = train(CLASSIC, training, x, y, counts, seeds)
    y[1, 4] = 1e30

    result = train(CLASSIC, training, x, y, counts, seeds)

    assert result.diverged_mask.tolist() == [False, True, False]
    for name, tensor in result.weights.items():
        np.testing.assert_array_equal(tensor[[0, 2]], expected.weights[name][[0, 2]])


def test_without_shuffling_the_seed_changes_nothing() -> None:
    """The windows are used in their order, and the initial weights are given."""
    training = BatchedTraining(epochs=2, batch_size=4, shuffle=False)
    x, y = some_windows(1, 30, CLASSIC)
    start = initial_weights(CLASSIC, np.array([3], np.uint64))

    one, two = (train(CLASSIC, training, x, y, np.array([30]), np.array([s], np.uint64), weights=start) for s in (1, 2))

    np.testing.assert_array_equal(one.losses, two.losses)


def test_training_lowers_the_loss_and_does_not_change_its_arguments() -> None:
    """The initial weights are copied."""
    x, y = some_windows(2, 40, Architecture(12, (4,)))
    start = initial_weights(Architecture(12, (4,)), np.arange(2, dtype=np.uint64))
    copies = {name: tensor.copy() for name, tensor in start.items()}

    result = train(
        Architecture(12, (4,)),
        BatchedTraining(batch_size=4),
        x,
        y,
        np.array([40, 40]),
        np.arange(2, dtype=np.uint64),
        weights=start,
    )

    assert (result.losses[:, -1] < 0.2 * result.losses[:, 0]).all()
    for name, tensor in copies.items():
        np.testing.assert_array_equal(start[name], tensor)


def test_progress_counts_networks_as_blocks_finish() -> None:
    """It is called with the number of networks of each block."""
    x, y = some_windows(300, 5, CLASSIC)
    counts: list[int] = []

    train(
        CLASSIC,
        BatchedTraining(epochs=1),
        x,
        y,
        np.full(300, 5),
        np.arange(300, dtype=np.uint64),
        progress=counts.append,
    )

    assert sorted(counts) == [44, 128, 128]


def test_no_networks_give_an_empty_result() -> None:
    """All arrays have an axis of networks of length zero."""
    result = train(
        CLASSIC, BatchedTraining(epochs=3), np.empty((0, 5, 1)), np.empty((0, 5, 1)), np.empty(0, int), np.empty(0)
    )

    assert result.losses.shape == (0, 3)
    assert result.weights["lstm_0/kernel"].shape == (0, 1, 16)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(1, 300), st.integers(1, 5))
def test_every_epoch_uses_every_window_once(seed: int, count: int, epochs: int) -> None:
    """Each order is a permutation, and the first epochs do not depend on the number of epochs."""
    orders = epoch_orders(seed, count, epochs)

    np.testing.assert_array_equal(np.sort(orders, axis=1), np.tile(np.arange(count), (epochs, 1)))
    np.testing.assert_array_equal(epoch_orders(seed, count, epochs + 3)[:epochs], orders)


def test_orders_are_uniformly_random() -> None:
    """Over many epochs every window is at every position equally often."""
    orders = epoch_orders(1, 7, 70_000)

    frequencies = np.stack([(orders == window).sum(axis=0) for window in range(7)])
    assert np.abs(frequencies / 10_000 - 1).max() < 0.05


def test_settings_and_arrays_that_do_not_fit_are_refused() -> None:
    """Each raises ValueError with the reason."""
    x, y = some_windows(2, 9, CLASSIC)
    seeds = np.arange(2, dtype=np.uint64)
    with pytest.raises(ValueError, match="pinball"):
        BatchedTraining("pinball")
    with pytest.raises(ValueError, match="mse"):
        BatchedTraining("huber")  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(ValueError, match="at least 1"):
        BatchedTraining(epochs=0)
    with pytest.raises(ValueError, match="patience needs"):
        train(CLASSIC, BatchedTraining(patience=2), x, y, np.array([9, 9]), seeds)
    with pytest.raises(ValueError, match="do not fit"):
        train(CLASSIC, BatchedTraining(), x[..., [0, 0]], y, np.array([9, 9]), seeds)
    with pytest.raises(ValueError, match="1 to 9 windows"):
        train(CLASSIC, BatchedTraining(), x, y, np.array([9, 10]), seeds)
    with pytest.raises(ValueError, match="1 to 9 windows"):
        train(CLASSIC, BatchedTraining(), x, y, np.array([9, 0]), seeds)
