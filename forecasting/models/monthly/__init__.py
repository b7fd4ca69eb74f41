"""The recipe monthly: a base path, and networks that learn what it misses."""
