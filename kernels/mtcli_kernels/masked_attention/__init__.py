"""Attention over packed sentences: encoder self-attention, causal self-attention, cross-attention."""

from mtcli_kernels.masked_attention.api import IMPLEMENTATIONS, masked_attention

__all__ = ["IMPLEMENTATIONS", "masked_attention"]
