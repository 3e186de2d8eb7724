"""Proposals for prompts: further phrasings and counterexamples, which a person accepts one by one."""
