"""How fast mtcli is on this machine: measured ceilings, kernels, translation, training."""
