"""The HTTP surfaces: one file per surface, and the few things that all of them share."""
