"""Tests of forecasting/models."""
