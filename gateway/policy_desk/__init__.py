"""Policies as people read and edit them: what they do, forms of them, and drafts that go into a change."""
