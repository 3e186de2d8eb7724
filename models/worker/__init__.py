"""The worker: a process with the model, and the gateway's side of it."""
