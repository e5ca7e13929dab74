"""One step of beam search: from logits to the next tokens, with the search's state on the device."""

from mtcli_kernels.beam_step.api import OFFERED, beam_step, choice
from mtcli_kernels.beam_step.rules import BeamRules, Stop
from mtcli_kernels.beam_step.state import BeamState, FinishedHypothesis, SlotStatus

__all__ = ["OFFERED", "BeamRules", "BeamState", "FinishedHypothesis", "SlotStatus", "Stop", "beam_step", "choice"]
