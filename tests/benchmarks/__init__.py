"""Tests of the benchmarks: they print figures that people rely on."""
