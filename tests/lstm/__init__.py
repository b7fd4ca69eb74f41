"""Tests of forecasting/lstm."""
