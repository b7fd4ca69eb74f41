"""Tests of forecasting/operations."""
