"""The parts of `benchmarks/worker_soak.py`: what is done to the model worker, one module for each kind."""
