"""Tells other systems of handoffs and of the review, with signed requests; off unless endpoints are set."""
