"""Tests of forecasting/runs."""
