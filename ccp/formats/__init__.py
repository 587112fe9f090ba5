"""How numbers are written, where a page leaves it to its language."""
