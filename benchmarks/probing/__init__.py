"""Probing with garak, and the honest questions beside it: the parts of `benchmarks.garak_probes`."""
