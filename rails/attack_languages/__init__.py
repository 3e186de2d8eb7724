"""Words of orders to an assistant, one file for each language."""
