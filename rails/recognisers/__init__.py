"""Recognisers of personal data: each finds one kind by its published form, its check digits and the words beside it."""
