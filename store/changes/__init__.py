"""Changes: edits that are reviewed and published together, and the rules of their life."""
