"""The review queue as the gateway fills and shows it: redaction, background work, what the live matcher says."""
