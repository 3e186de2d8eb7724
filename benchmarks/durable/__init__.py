"""The parts of `benchmarks/durability.py`: one file for each way to lose what was written."""
