"""One large network, trained with NumPy."""
