"""Milkrun: scheduled monthly forecasts with one LSTM per series, kept in PostgreSQL."""

__version__ = "0.1.0"
