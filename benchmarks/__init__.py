"""Figures that anyone can print again; see docs/benchmarks.md."""
