"""Pages of delegation."""
