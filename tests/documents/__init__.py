"""Tests of the documents: what they show runs, and what they list is complete."""
