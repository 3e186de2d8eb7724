"""Sentences to vectors: serving, exporting and tuning an embedder."""
