"""Models of other systems: bringing them in, and giving ours to them."""
