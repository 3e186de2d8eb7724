"""The gateway beside its rivals, on the same machine, with the same messages and the same upstream."""
