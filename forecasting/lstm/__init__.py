"""The LSTM engine: weights, arithmetic and training. It knows nothing of months."""
