"""Prefect only: parameters, order, retries. No SQL and no arrays: the work is in forecasting.runs.job."""

import logging

# At DEBUG this library logs what it sends, the credentials of Prefect's server among it.
logging.getLogger("websockets").setLevel(logging.INFO)
