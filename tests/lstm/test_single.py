"""Tests of the shared network: Keras and TensorFlow say what it should predict and how it should learn."""

from typing import Any

import numpy as np

from forecasting.lstm.single.gradients import Trace, layer_matrices, loss_and_gradients
from forecasting.lstm.single.network import SingleArchitecture, initial_single_weights, predict_single
from forecasting.lstm.single.training import SingleTraining, draw_rows, train_single
from forecasting.lstm.tensorflow import start_tensorflow
from forecasting.lstm.weights import Weights

SHAPE = SingleArchitecture(time_steps=12, features=4, static_inputs=7, units=5, outputs=6)
LEVELS = np.array([0.1, 0.5, 0.9], np.float32)


def weights_and_batch(rows: int = 9) -> tuple[Weights, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw weights of no special kind, and steps, facts, targets and importance; a few targets are not known."""
    draw = np.random.default_rng(1)
    weights = {
        name: tensor + draw.normal(0, 0.1, tensor.shape)
        for name, tensor in initial_single_weights(SHAPE, np.uint64(4)).items()
    }
    targets = np.where(draw.uniform(size=(rows, 2)) < 0.2, np.nan, draw.normal(size=(rows, 2)))
    arrays = draw.normal(size=(rows, 12, 4)), draw.normal(size=(rows, 7)), targets, draw.uniform(size=rows)
    steps, facts, targets, importance = (array.astype(np.float32) for array in arrays)
    return {name: tensor.astype(np.float32) for name, tensor in weights.items()}, steps, facts, targets, importance


def keras_model(weights: Weights) -> Any:
    """Build the same network of Keras' own layers."""
    start_tensorflow()
    import keras

    steps, facts = keras.Input((SHAPE.time_steps, SHAPE.features)), keras.Input((SHAPE.static_inputs,))
    first = keras.layers.LSTM(SHAPE.units, return_sequences=True)(steps)
    second = keras.layers.LSTM(SHAPE.units)(first)
    hidden = keras.layers.Dense(SHAPE.units, "tanh")(facts)
    seen = keras.layers.Concatenate()([first[:, -1], second, hidden])
    model = keras.Model([steps, facts], keras.layers.Dense(SHAPE.outputs)(seen))
    model.set_weights(list(weights.values()))
    return model


def test_the_network_predicts_what_keras_predicts() -> None:
    """Forecasting is NumPy alone, and says the same."""
    weights, steps, facts, _, _ = weights_and_batch()
    expected = keras_model(weights)([steps, facts]).numpy()

    np.testing.assert_allclose(predict_single(SHAPE, weights, steps, facts), expected, atol=1e-5)


def test_loss_and_gradients_are_those_of_tensorflow() -> None:
    """By every weight, with unknown targets left out."""
    weights, steps, facts, targets, importance = weights_and_batch()
    model = keras_model(weights)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        error = targets[:, :, None] - tf.reshape(model([steps, facts]), (-1, 2, 3))
        losses = tf.maximum(LEVELS * error, (LEVELS - 1) * error) * importance[:, None, None]
        expected_loss = tf.reduce_sum(tf.where(np.isnan(targets)[:, :, None], 0.0, losses)) / (~np.isnan(targets)).sum()
    expected = tape.gradient(expected_loss, model.trainable_weights)

    flat = np.concatenate([tensor.ravel() for tensor in weights.values()])
    gradient = np.full_like(flat, np.nan)
    traces = [Trace.empty(SHAPE, features, len(steps)) for features in (SHAPE.features, SHAPE.units)]
    batch = steps.transpose(1, 2, 0), facts.T, targets.T, importance
    loss = loss_and_gradients(layer_matrices(SHAPE, flat), traces, batch, LEVELS, layer_matrices(SHAPE, gradient))

    np.testing.assert_allclose(loss, expected_loss.numpy(), rtol=1e-5)
    np.testing.assert_allclose(gradient, np.concatenate([part.numpy().ravel() for part in expected]), atol=1e-5)


def test_a_trained_network_tells_two_patterns_apart() -> None:
    """Rows whose first feature is up rise, the others fall: training finds it, with the quantiles around it."""
    draw = np.random.default_rng(2)
    up = draw.integers(0, 2, 400) * 2 - 1
    steps = (up[:, None, None] * np.ones((1, 12, 4))).astype(np.float32)
    facts, targets = np.zeros((400, 7), np.float32), up[:, None] + draw.normal(0, 0.1, (400, 2))
    training = SingleTraining(tuple(LEVELS.tolist()), updates=200, batch_size=32, learning_rate=1e-2)
    rows = draw_rows(np.uint64(3), training.updates, training.batch_size, 400)
    weights = train_single(SHAPE, training, steps, facts, targets, np.ones(400), rows, np.uint64(3))
    predictions = predict_single(SHAPE, weights, steps, facts).reshape(400, 2, 3)

    assert np.abs(predictions[:, :, 1] - up[:, None]).max() < 0.1
    assert (np.diff(predictions, axis=2) > 0.05).all()


def test_an_untrained_shared_network_says_the_base_path() -> None:
    """Its head is zero."""
    _, steps, facts, _, _ = weights_and_batch()

    assert (predict_single(SHAPE, initial_single_weights(SHAPE, np.uint64(1)), steps, facts) == 0).all()
