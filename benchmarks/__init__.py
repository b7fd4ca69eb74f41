"""Measurements: each module prints the table that the README quotes. They compare within one run, never with a clock alone."""
