"""Tests of Milkrun hosted for real: a Prefect server on PostgreSQL, with passwords and CSRF protection, and a worker."""
