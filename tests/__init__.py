"""The tests mirror the package; they run on a real PostgreSQL."""
