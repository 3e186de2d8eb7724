"""The policy enforcement point: the only package that speaks HTTP."""
