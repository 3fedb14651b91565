"""Benchmarks: `make bench` measures and prints one table. Nothing here is a test; no figure fails a run."""
