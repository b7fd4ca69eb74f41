"""Alembic migrations of schema `milkrun`; installed with the package and run by it."""
