"""Model files: reading, registering, quantising and merging them."""
