"""Predictions are those of Keras, and have the same bits whatever else is predicted."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.lstm.arithmetic import rational_tanh
from forecasting.lstm.prediction import predict, to_keras
from forecasting.lstm.weights import Architecture, Weights, condense, expand, initial_weights

CLASSIC = Architecture(1, (4,))
ARCHITECTURES = [
    CLASSIC,
    Architecture(3, (4, 2), "features", 2),
    Architecture(12, (4,), "steps"),
    Architecture(5, (12, 3), "steps", 3),
    Architecture(4, (12,), "features"),
]


def some_weights(architecture: Architecture, networks: int) -> Weights:
    """Weights in which no tensor is zero, so that each one matters."""
    weights = initial_weights(architecture, np.arange(networks, dtype=np.uint64))
    noise = np.random.default_rng(0)
    return {name: (w + 0.3 * noise.normal(size=w.shape)).astype(np.float32) for name, w in weights.items()}


def some_windows(networks: int, windows: int, look_back: int) -> np.ndarray:
    """Windows between -1 and 1."""
    return np.random.default_rng(1).uniform(-1, 1, (networks, windows, look_back)).astype(np.float32)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
def test_predicts_what_keras_predicts(architecture: Architecture) -> None:
    """The model of `to_keras` predicts what `predict` predicts, to float32 rounding."""
    weights, windows = some_weights(architecture, 3), some_windows(3, 20, architecture.look_back)
    model = to_keras(architecture, weights, 2)

    expected = model.predict(windows[2].reshape(-1, architecture.time_steps, architecture.features), verbose=0)

    np.testing.assert_allclose(predict(architecture, weights, windows)[2], expected, rtol=1e-5, atol=5e-7)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_prediction_has_the_same_bits_whatever_else_is_predicted(
    architecture: Architecture, data: st.DataObject
) -> None:
    """It depends on its network and its window only: not on other windows, networks or their order."""
    weights, windows = some_weights(architecture, 40), some_windows(40, 37, architecture.look_back)
    everything = predict(architecture, weights, windows)
    networks = data.draw(st.lists(st.integers(0, 39), min_size=1, max_size=50))
    rows = data.draw(st.lists(st.integers(0, 36), min_size=1, max_size=60))

    alone = predict(architecture, {name: w[networks] for name, w in weights.items()}, windows[networks][:, rows])

    np.testing.assert_array_equal(alone, everything[networks][:, rows])


def test_a_large_panel_gives_the_bits_of_a_small_one() -> None:
    """Dividing the work into blocks changes no bit."""
    weights, windows = some_weights(CLASSIC, 3), some_windows(3, 40_000, 1)

    everything = predict(CLASSIC, weights, windows)

    np.testing.assert_array_equal(predict(CLASSIC, weights, windows[:, 39_990:]), everything[:, 39_990:])


def test_no_networks_or_no_windows_give_empty_predictions() -> None:
    """Their shape is right."""
    weights = some_weights(CLASSIC, 2)

    assert predict(CLASSIC, weights, some_windows(2, 0, 1)).shape == (2, 0, 1)
    assert predict(CLASSIC, {name: w[:0] for name, w in weights.items()}, some_windows(0, 3, 1)).shape == (0, 3, 1)


def test_a_diverged_network_predicts_nan_and_changes_no_other() -> None:
    """Weights that are not finite give NaN for their network only, without a warning."""
    weights = some_weights(CLASSIC, 2)
    windows = some_windows(2, 5, 1)
    expected = predict(CLASSIC, weights, windows)[1]
    weights["dense/kernel"][0] = np.inf
    weights["lstm_0/kernel"][0] = np.nan

    predictions = predict(CLASSIC, weights, windows)

    assert np.isnan(predictions[0]).all()
    np.testing.assert_array_equal(predictions[1], expected)


def test_the_rational_tanh_is_near_the_exact_one() -> None:
    """It is odd, and its error is below 4e-7."""
    x = np.linspace(-20, 20, 100_001, dtype=np.float32)

    assert np.abs(rational_tanh(x) - np.tanh(x.astype(np.float64))).max() < 4e-7
    np.testing.assert_array_equal(rational_tanh(-x), -rational_tanh(x))


def test_initial_weights_follow_keras_defaults() -> None:
    """Kernels are Glorot uniform, recurrent kernels orthogonal, biases zero but for a forget gate of one."""
    architecture = Architecture(6, (5,), "steps")
    weights = initial_weights(architecture, np.arange(2000, dtype=np.uint64))

    limit = np.sqrt(6 / (1 + 20))
    assert np.abs(weights["lstm_0/kernel"]).max() <= limit
    assert weights["lstm_0/kernel"].std() == pytest.approx(limit / np.sqrt(3), rel=0.02)
    recurrent = weights["lstm_0/recurrent_kernel"].astype(np.float64)
    np.testing.assert_allclose(recurrent @ recurrent.transpose(0, 2, 1), np.tile(np.eye(5), (2000, 1, 1)), atol=1e-5)
    assert recurrent.mean() == pytest.approx(0, abs=0.01)
    np.testing.assert_array_equal(weights["lstm_0/bias"][0], [0] * 5 + [1] * 5 + [0] * 10)
    np.testing.assert_array_equal(weights["dense/bias"], 0)
    assert {name: tensor.shape[1:] for name, tensor in weights.items()} == architecture.shapes


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20))
def test_initial_weights_depend_on_one_seed_only(seeds: list[int]) -> None:
    """A seed gives the same network alone and with others."""
    architecture = Architecture(4, (3, 2), "steps")

    together = initial_weights(architecture, np.array(seeds, dtype=np.uint64))
    alone = initial_weights(architecture, np.array(seeds[-1:], dtype=np.uint64))

    for name, tensor in alone.items():
        np.testing.assert_array_equal(tensor[0], together[name][-1])


def test_different_seeds_give_different_networks() -> None:
    """No two of a thousand seeds share a kernel."""
    weights = initial_weights(CLASSIC, np.arange(1000, dtype=np.uint64))

    assert len(np.unique(weights["lstm_0/kernel"].reshape(1000, -1), axis=0)) == 1000


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
def test_expand_undoes_condense(architecture: Architecture) -> None:
    """Weights that are not condensed keep their values."""
    weights = some_weights(architecture, 3)

    expanded = expand(architecture, weights, condense(architecture, weights))

    for name, tensor in weights.items():
        np.testing.assert_array_equal(expanded[name], tensor)


def test_an_impossible_architecture_is_refused() -> None:
    """Without units, or with another look_back_as."""
    with pytest.raises(ValueError, match="at least 1"):
        Architecture(12, ())
    with pytest.raises(ValueError, match="sideways"):
        Architecture(12, (4,), "sideways")  # type: ignore[arg-type]  # the mistake under test


def test_reusing_networks_needs_no_tensorflow() -> None:
    """Importing the modules, predicting and packing do not import it."""
    program = (
        "import sys, numpy as np\n"
        "from forecasting.lstm import prediction, weights\n"
        "from forecasting.lstm.batched import training\n"
        "from forecasting.models import codec\n"
        "a = weights.Architecture(1, (4,))\n"
        "w = weights.initial_weights(a, np.arange(2, dtype=np.uint64))\n"
        "prediction.predict(a, codec.unpack(*codec.pack(w)), np.zeros((2, 3, 1), np.float32))\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )

    subprocess.run([sys.executable, "-c", program], check=True)
