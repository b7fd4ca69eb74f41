"""Milkrun: scheduled monthly forecasts by LSTM networks, kept in PostgreSQL."""

__version__ = "0.1.0"
