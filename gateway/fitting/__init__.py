"""Fitting: how a matcher comes to be, from what is published or from labelled sentences."""
