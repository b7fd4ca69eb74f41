"""Tests of forecasting.numerics."""
