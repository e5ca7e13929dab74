"""Models on their way to other places."""
