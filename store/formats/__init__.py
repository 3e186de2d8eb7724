"""The forms in which content comes in and goes out, one file per form."""
