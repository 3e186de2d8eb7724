"""What `benchmarks/overload.py` runs in processes of its own: load, and slow clients."""
