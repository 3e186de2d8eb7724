"""Proves that the audit trail is what was written: the chain of seals, and signed checkpoints outside the database."""
