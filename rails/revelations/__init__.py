"""Finds a protected text in an answer, also disguised: spelled out, turned round, shifted, encoded or in pieces."""
