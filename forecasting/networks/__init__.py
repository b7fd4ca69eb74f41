"""LSTM networks, one per series: any number predicted and trained as one program."""
