"""Tests of the network for many series against Keras and TensorFlow."""

from typing import Any

import numpy as np

from forecasting.lstm.single.gradients import Trace, layer_matrices, loss_and_gradients
from forecasting.lstm.single.network import SingleArchitecture, initial_single_weights, predict_single
from forecasting.lstm.single.training import SingleTraining, draw_rows, train_single
from forecasting.lstm.tensorflow import start_tensorflow
from forecasting.lstm.weights import Weights

ARCHITECTURE = SingleArchitecture(time_steps=12, features=4, static_inputs=7, units=5, outputs=6)
LEVELS = np.array([0.1, 0.5, 0.9], np.float32)


def weights_and_batch(rows: int = 9) -> tuple[Weights, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Random weights, sequences, static inputs, targets and loss weights; a few targets are NaN."""
    random = np.random.default_rng(1)
    weights = {
        name: tensor + random.normal(0, 0.1, tensor.shape)
        for name, tensor in initial_single_weights(ARCHITECTURE, np.uint64(4)).items()
    }
    targets = np.where(random.uniform(size=(rows, 2)) < 0.2, np.nan, random.normal(size=(rows, 2)))
    arrays = random.normal(size=(rows, 12, 4)), random.normal(size=(rows, 7)), targets, random.uniform(size=rows)
    sequences, static_inputs, targets, loss_weights = (array.astype(np.float32) for array in arrays)
    weights = {name: tensor.astype(np.float32) for name, tensor in weights.items()}
    return weights, sequences, static_inputs, targets, loss_weights


def keras_model(weights: Weights) -> Any:
    """Build the same network from layers of Keras."""
    start_tensorflow()
    import keras

    sequences = keras.Input((ARCHITECTURE.time_steps, ARCHITECTURE.features))
    static_inputs = keras.Input((ARCHITECTURE.static_inputs,))
    first = keras.layers.LSTM(ARCHITECTURE.units, return_sequences=True)(sequences)
    second = keras.layers.LSTM(ARCHITECTURE.units)(first)
    hidden = keras.layers.Dense(ARCHITECTURE.units, "tanh")(static_inputs)
    head_inputs = keras.layers.Concatenate()([first[:, -1], second, hidden])
    model = keras.Model([sequences, static_inputs], keras.layers.Dense(ARCHITECTURE.outputs)(head_inputs))
    model.set_weights(list(weights.values()))
    return model


def test_the_network_predicts_what_keras_predicts() -> None:
    """The forward pass in NumPy and Keras' layers, with the same weights."""
    weights, sequences, static_inputs, _, _ = weights_and_batch()
    expected = keras_model(weights)([sequences, static_inputs]).numpy()

    np.testing.assert_allclose(predict_single(ARCHITECTURE, weights, sequences, static_inputs), expected, atol=1e-5)


def test_loss_and_gradients_are_those_of_tensorflow() -> None:
    """For every weight; targets of NaN are left out."""
    weights, sequences, static_inputs, targets, loss_weights = weights_and_batch()
    model = keras_model(weights)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        error = targets[:, :, None] - tf.reshape(model([sequences, static_inputs]), (-1, 2, 3))
        losses = tf.maximum(LEVELS * error, (LEVELS - 1) * error) * loss_weights[:, None, None]
        expected_loss = tf.reduce_sum(tf.where(np.isnan(targets)[:, :, None], 0.0, losses)) / (~np.isnan(targets)).sum()
    expected = tape.gradient(expected_loss, model.trainable_weights)

    flat = np.concatenate([tensor.ravel() for tensor in weights.values()])
    gradient = np.full_like(flat, np.nan)
    sizes = ARCHITECTURE.features, ARCHITECTURE.units
    traces = [Trace.empty(ARCHITECTURE, size, len(sequences)) for size in sizes]
    batch = sequences.transpose(1, 2, 0), static_inputs.T, targets.T, loss_weights
    layers, layer_gradients = layer_matrices(ARCHITECTURE, flat), layer_matrices(ARCHITECTURE, gradient)
    loss = loss_and_gradients(layers, traces, batch, LEVELS, layer_gradients)

    np.testing.assert_allclose(loss, expected_loss.numpy(), rtol=1e-5)
    np.testing.assert_allclose(gradient, np.concatenate([part.numpy().ravel() for part in expected]), atol=1e-5)


def test_a_trained_network_predicts_two_patterns() -> None:
    """The target is 1 where the features are 1, -1 where they are -1: the medians are near, and the quantiles in order."""
    random = np.random.default_rng(2)
    up = random.integers(0, 2, 400) * 2 - 1
    sequences = (up[:, None, None] * np.ones((1, 12, 4))).astype(np.float32)
    static_inputs, targets = np.zeros((400, 7), np.float32), up[:, None] + random.normal(0, 0.1, (400, 2))
    training = SingleTraining(tuple(LEVELS.tolist()), updates=200, batch_size=32, learning_rate=1e-2)
    rows = draw_rows(np.uint64(3), training.updates, training.batch_size, 400)
    weights = train_single(ARCHITECTURE, training, sequences, static_inputs, targets, np.ones(400), rows, np.uint64(3))
    predictions = predict_single(ARCHITECTURE, weights, sequences, static_inputs).reshape(400, 2, 3)

    assert np.abs(predictions[:, :, 1] - up[:, None]).max() < 0.1
    assert (np.diff(predictions, axis=2) > 0.05).all()


def test_an_untrained_network_predicts_zero() -> None:
    """Its head is zero."""
    _, sequences, static_inputs, _, _ = weights_and_batch()

    weights = initial_single_weights(ARCHITECTURE, np.uint64(1))

    assert (predict_single(ARCHITECTURE, weights, sequences, static_inputs) == 0).all()
