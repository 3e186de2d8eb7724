"""What is stored, one file per kind: rows in, values out."""
