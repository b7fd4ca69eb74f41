"""LSTM networks: weights, training and predictions, of arrays alone; nothing here knows about months."""
