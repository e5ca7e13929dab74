"""Which form of each operation a network runs: `--attention`, and what `auto` made of it.

The operations and their forms are described in kernels/mtcli_kernels/dispatch.py. `--attention` names a form for
the attention operations. The search step and the loss go with it where they have that form, else by their own
rule: they have no `sdpa`, and the kernel of the search step holds smaller beams than those of attention.
"""

from dataclasses import dataclass

import torch

from mtcli.errors import BackendUnavailableError
from mtcli_kernels import beam_step, cross_attention_decode, cross_entropy, masked_attention, self_attention_decode
from mtcli_kernels.dispatch import IMPLEMENTATIONS, Choice, UnavailableError, is_interpreting

__all__ = ["IMPLEMENTATIONS", "Implementations", "companion"]


def companion(attention: str) -> str:
    """The form to ask of operations that are not attention, when `attention` was asked of those that are."""
    if attention in ("padded", "reference"):
        return attention
    return "triton" if attention == "triton" and is_interpreting() else "auto"


@dataclass(frozen=True)
class Implementations:
    """What runs for a model on a device, by operation."""

    choices: dict[str, Choice]

    @classmethod
    def resolve(
        cls,
        attention: str,
        device: torch.device,
        dtype: torch.dtype,
        *,
        head_dim: int,
        attention_dropout: float = 0.0,
        beam: int = 1,
    ) -> "Implementations":
        """Apply every operation's rule.

        Args:
            attention: `auto` or the form asked for.
            dtype: of the matrix products.
            head_dim: size of an attention head.
            attention_dropout: in training; 0 for translation.
            beam: live hypotheses a sentence.

        Raises:
            BackendUnavailableError: the form that was asked for cannot run here.
        """
        other = companion(attention)
        try:
            return cls(
                {
                    "masked_attention": masked_attention.choice(attention, device, dtype, head_dim, attention_dropout),
                    "cross_attention_decode": cross_attention_decode.choice(attention, device, dtype, head_dim, beam),
                    "self_attention_decode": self_attention_decode.choice(attention, device, dtype, head_dim, beam),
                    "beam_step": beam_step.choice(other, device, dtype, beam),
                    "cross_entropy": cross_entropy.choice(other, device, dtype),
                }
            )
        except UnavailableError as error:
            raise BackendUnavailableError(
                f"--attention {attention}: {error} Use --attention auto, which takes what can run."
            ) from error

    def sentence(self) -> str:
        """What runs and why, as `padded (the device is a CPU)`; operations are named where they differ."""
        groups: dict[Choice, list[str]] = {}
        for op, choice in self.choices.items():
            groups.setdefault(choice, []).append(op)
        if len(groups) == 1:
            [choice] = groups
            return f"{choice.impl} ({choice.reason.rstrip('.')})"
        return "; ".join(
            f"{', '.join(ops)}: {choice.impl} ({choice.reason.rstrip('.')})" for choice, ops in groups.items()
        )

    def record(self) -> dict[str, dict[str, str]]:
        """The same for a JSON file."""
        return {op: {"impl": choice.impl, "reason": choice.reason} for op, choice in self.choices.items()}
