"""Tests of forecasting/domain."""
