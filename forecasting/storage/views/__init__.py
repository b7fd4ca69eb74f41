"""Queries for people and reports, one module per subject."""
