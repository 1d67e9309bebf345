"""What a letter costs."""
