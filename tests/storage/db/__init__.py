"""Tests of forecasting/storage/db."""
