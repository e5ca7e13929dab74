"""Faults of a translation, found by reading it beside its source; neither a model nor PyTorch is needed."""
