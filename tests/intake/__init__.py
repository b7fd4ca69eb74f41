"""Tests of forecasting/intake."""
