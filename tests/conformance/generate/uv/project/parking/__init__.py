"""Car parks of a small town."""
