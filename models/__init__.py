"""What computes: the language model in its worker process, and the embedder."""
