"""Faults injected into the real program on a real PostgreSQL, each beside a control arm: see `python -m tests.faults --help`."""
