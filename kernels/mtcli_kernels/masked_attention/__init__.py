"""Attention over packed sentences: encoder self-attention, causal self-attention, cross-attention."""

from mtcli_kernels.masked_attention.api import choice, masked_attention

__all__ = ["choice", "masked_attention"]
