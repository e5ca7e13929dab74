"""Masked self-attention of one decoding step, over a cache of the beam's past that is never reordered."""

from mtcli_kernels.self_attention_decode.api import OFFERED, choice, self_attention_decode

__all__ = ["OFFERED", "choice", "self_attention_decode"]
