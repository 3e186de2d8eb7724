"""Policy information: what may be said, by whom it was approved, and what was decided."""
