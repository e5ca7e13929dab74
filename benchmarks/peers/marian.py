"""Hugging Face's MarianMTModel as a contestant: python -m benchmarks.peers.marian [DEVICE]; cpu or cuda."""

import copy
import platform
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Any

import torch
from torch import Tensor
from transformers import MarianConfig, MarianMTModel

from benchmarks.peers.engine import Contestant, Outcome, Settings, Work, batches
from benchmarks.peers.marian_names import marian_arrays
from benchmarks.peers.weights import Weights


class Marian:
    """Settings: "dtype" (float32, bfloat16, on a GPU float16), "batch" (sentences)."""

    _weights: Weights
    _original: Any  # in float32: a cast loses digits
    _network: Any

    def __init__(self, device: str = "cpu") -> None:
        self._device = torch.device(device)

    def facts(self) -> dict[str, Any]:
        return {
            "versions": {
                "python": platform.python_version(),
                "transformers": metadata.version("transformers"),
                "torch": torch.__version__,
            },
            "dtypes": ["float32", "bfloat16", *(["float16"] if self._device.type == "cuda" else [])],
        }

    def refusal(self, description: str) -> str | None:
        return _refusal(Weights(description))

    def load(self, description: str, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        self._weights = Weights(description)
        self._original = convert(self._weights).to(self._device)

    def prepare(self, settings: Settings) -> None:
        self._batch: int = settings["batch"]
        dtype = getattr(torch, settings["dtype"])
        self._network = self._original if dtype == torch.float32 else copy.deepcopy(self._original).to(dtype)

    def ready(self, work: Work, beam: int) -> Callable[[], Any]:
        parts = batches([len(source) for source in work.sources], self._batch)
        banned = self._weights.description["banned"]

        @torch.inference_mode()
        def decode() -> list[tuple[list[int], Tensor]]:
            found = []
            for part in parts:
                tokens, mask = self._pad([work.sources[place] for place in part])
                longest = max(work.limits[place] for place in part)
                output = self._network.generate(
                    tokens,
                    attention_mask=mask,
                    num_beams=beam,
                    do_sample=False,
                    length_penalty=work.length_penalty,
                    early_stopping=beam > 1,
                    max_new_tokens=longest,
                    min_new_tokens=longest if work.forced else None,
                    suppress_tokens=banned or None,
                )
                found.append((part, output.cpu()))  # not before a GPU is done
            return found

        return decode

    def outcome(self, decoded: list[tuple[list[int], Tensor]], work: Work) -> Outcome:
        found = [(part, rows[:, 1:].tolist()) for part, rows in decoded]  # the first column is the start token
        return Outcome.of_batches(found, self._weights.description["eos"], work)

    @torch.inference_mode()
    def score(self, sources: list[list[int]], targets: list[list[int]]) -> list[float]:
        start, eos = self._weights.description["start"], self._weights.description["eos"]
        scores = []
        for source, target in zip(sources, targets, strict=True):
            tokens, mask = self._pad([source])
            inputs = torch.tensor([[start, *target]], device=self._device)
            wanted = torch.tensor([*target, eos], device=self._device)
            logits = self._original(input_ids=tokens, attention_mask=mask, decoder_input_ids=inputs).logits[0]
            scores.append(float(logits.log_softmax(-1).gather(1, wanted[:, None]).sum()))
        return scores

    def _pad(self, sources: list[list[int]]) -> tuple[Tensor, Tensor]:
        """Tokens and mask [B, S], sentences padded at their ends."""
        rows = [torch.tensor(source) for source in sources]
        tokens = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=self._weights.description["eos"])
        lengths = torch.tensor([len(source) for source in sources])
        mask = (torch.arange(tokens.shape[1]) < lengths[:, None]).long()
        return tokens.to(self._device), mask.to(self._device)


def _refusal(weights: Weights) -> str | None:
    norm = weights.model["norm"]
    return None if norm == "post" else f"Marian's layers are post-norm; this model's are {norm}-norm."


def convert(weights: Weights, *, tied: bool = False) -> Any:
    """The model as a MarianMTModel, in evaluation mode.

    Args:
        weights: of a post-norm model.
        tied: let it share its embeddings and output matrix as the model does, for training; else each is its own.

    Raises:
        ValueError: Marian has no pre-norm, and shares all of them or none.
    """
    model, description = weights.model, weights.description
    if reason := _refusal(weights):
        raise ValueError(reason)
    if tied and model["tied_embeddings"] != "all":
        raise ValueError(f"Marian shares all embeddings or none; this model shares: {model['tied_embeddings']}.")
    config = MarianConfig(
        vocab_size=description["vocabulary"]["source"],
        decoder_vocab_size=description["vocabulary"]["target"],
        max_position_embeddings=description["num_positions"],
        d_model=model["d_model"],
        encoder_layers=model["encoder_layers"],
        decoder_layers=model["decoder_layers"],
        encoder_attention_heads=weights.size("encoder", "heads"),
        decoder_attention_heads=weights.size("decoder", "heads"),
        encoder_ffn_dim=weights.size("encoder", "ffn_dim"),
        decoder_ffn_dim=weights.size("decoder", "ffn_dim"),
        activation_function=model["activation"],
        dropout=model["dropout"],
        attention_dropout=model["attention_dropout"],
        activation_dropout=model["activation_dropout"],
        scale_embedding=weights.scales_embeddings,
        share_encoder_decoder_embeddings=tied,
        tie_word_embeddings=tied,
        pad_token_id=description["eos"],
        eos_token_id=description["eos"],
        decoder_start_token_id=description["start"],
        forced_eos_token_id=None,
    )
    network = MarianMTModel(config).eval()
    state = {name: torch.from_numpy(array) for name, array in marian_arrays(weights).items()}
    state["final_logits_bias"] = torch.from_numpy(weights.output_bias)[None]
    if tied:
        state["model.shared.weight"] = state["lm_head.weight"]
    network.load_state_dict(state, strict=True)
    return network


if __name__ == "__main__":
    Contestant(Marian(*sys.argv[1:])).serve()
