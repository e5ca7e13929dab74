"""Encoder-decoder attention of one decoding step: the hypotheses of a slot look at its source sentence."""

from mtcli_kernels.cross_attention_decode.api import OFFERED, choice, cross_attention_decode

__all__ = ["OFFERED", "choice", "cross_attention_decode"]
