"""Model directories: what a model is on the disk."""
