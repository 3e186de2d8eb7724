"""A server elsewhere as the language model."""
