"""Forms of delegation: they validate; services act."""
