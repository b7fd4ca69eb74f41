"""Tests of the flows, on Prefect itself."""
