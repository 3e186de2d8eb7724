"""The shipped rails, one per file."""
