"""The operations mtcli's Transformer spends its time in, each with a plain-PyTorch definition beside it."""
