"""The policy decision point: what may pass."""
