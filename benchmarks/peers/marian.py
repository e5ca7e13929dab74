"""Hugging Face's MarianMTModel on what `mtcli export hf` wrote: python -m benchmarks.peers.marian [DEVICE]."""

import copy
import sys
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig, MarianMTModel
from transformers.utils import logging

from benchmarks.peers.engine import Decoder, Settings, Work
from benchmarks.peers.padded import PaddedEngine, mask_of, pad


def load_marian(directory: str, **settings: Any) -> Any:
    """Load an exported model in float32, in evaluation mode; searches are told all they need with each call."""
    logging.disable_progress_bar()
    network = MarianMTModel.from_pretrained(directory, dtype=torch.float32, **settings).eval()
    for name, parameter in network.named_parameters():  # sines, which loading lets be learnt
        parameter.requires_grad_("embed_positions" not in name)
    given = network.generation_config
    names = ("pad_token_id", "eos_token_id", "decoder_start_token_id")
    network.generation_config = GenerationConfig(**{name: getattr(given, name) for name in names})
    return network


class Marian(PaddedEngine):
    packages = ("transformers",)

    def build(self) -> None:
        self._original = load_marian(self.weights.description["hf"]).to(self.device)  # a cast loses digits

    def prepare(self, settings: Settings) -> None:
        super().prepare(settings)
        dtype = getattr(torch, settings["dtype"])
        self._network = self._original if dtype == torch.float32 else copy.deepcopy(self._original).to(dtype)

    def search(self, sources: list[list[int]], limits: list[int], work: Work, beam: int) -> Tensor:
        longest = max(limits)
        found: Tensor = self._network.generate(
            pad(sources, self.eos).to(self.device),
            attention_mask=mask_of(sources).long().to(self.device),
            num_beams=beam,
            do_sample=False,
            length_penalty=work.length_penalty,
            early_stopping=beam > 1,
            max_new_tokens=longest,
            min_new_tokens=longest if work.forced else None,
            suppress_tokens=self.banned or None,
        )
        return found.cpu()[:, 1:]  # not before a GPU is done; the first column is the start token

    def logits(self, source: list[int], inputs: list[int]) -> Tensor:
        tokens, decoder = (torch.tensor([side], device=self.device) for side in (source, inputs))
        found: Tensor = self._original(input_ids=tokens, decoder_input_ids=decoder).logits[0]
        return found


if __name__ == "__main__":
    Decoder(Marian(*sys.argv[1:])).serve()
