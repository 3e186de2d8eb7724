"""A language model and an embedder in other processes, whoever carries the messages."""
