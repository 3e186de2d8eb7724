"""The review queue: questions without a good answer, their groups, and what is done about them."""
