"""The version of this release; provenance names it."""

__version__ = "0.1.0"
