"""The interfaces, one a module: what a family of clients sends, and what it expects back."""
