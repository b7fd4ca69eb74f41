"""Prefect only: parameters, order, retries. No SQL and no arrays: the work is in forecasting.job."""
