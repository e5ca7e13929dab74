"""JoeyNMT as a contestant: python -m benchmarks.peers.joeynmt, on the Python of .venv-peers-joeynmt."""

import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import torch
from joeynmt.batch import Batch
from joeynmt.model import build_model
from joeynmt.search import search
from torch import nn

from benchmarks.peers.engine import Contestant, Outcome, Settings, Work, batches
from benchmarks.peers.joeynmt_names import joeynmt_arrays
from benchmarks.peers.weights import Weights

_ACTIVATIONS = {"relu": "relu", "gelu": "gelu", "silu": "swish"}


class JoeyNmt:
    """Settings: "dtype" (float32: it has no other on a CPU), "batch" (sentences)."""

    _weights: Weights
    _network: Any

    def facts(self) -> dict[str, Any]:
        return {
            "versions": {
                "python": platform.python_version(),
                "joeynmt": metadata.version("joeynmt"),
                "torch": torch.__version__,
            },
            "dtypes": ["float32"],
        }

    def refusal(self, description: str) -> str | None:
        return _refusal(Weights(description))

    def load(self, description: str, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        self._weights = Weights(description)
        self._network = convert(self._weights)

    def prepare(self, settings: Settings) -> None:
        self._batch: int = settings["batch"]

    def ready(self, work: Work, beam: int) -> Callable[[], Any]:
        parts = batches([len(source) for source in work.sources], self._batch)

        def decode() -> list[tuple[list[int], Any]]:
            found = []
            for part in parts:
                longest = max(work.limits[place] for place in part)
                tokens, _, _ = search(
                    model=self._network,
                    batch=self._padded([work.sources[place] for place in part]),
                    max_output_length=longest,
                    min_output_length=longest if work.forced else 1,
                    beam_size=beam,
                    beam_alpha=work.length_penalty,
                )
                found.append((part, tokens))
            return found

        return decode

    def outcome(self, decoded: list[tuple[list[int], Any]], work: Work) -> Outcome:
        found = [(part, rows.tolist()) for part, rows in decoded]
        return Outcome.of_batches(found, self._weights.description["eos"], work)

    @torch.inference_mode()
    def score(self, sources: list[list[int]], targets: list[list[int]]) -> list[float]:
        start, eos = self._weights.description["start"], self._weights.description["eos"]
        scores = []
        for source, target in zip(sources, targets, strict=True):
            batch = self._padded([source])
            inputs, wanted = torch.tensor([[start, *target]]), torch.tensor([*target, eos])
            encoded, _, _, _ = self._network(return_type="encode", **vars(batch))
            logits, _, _, _ = self._network(
                return_type="decode",
                encoder_output=encoded,
                encoder_hidden=None,
                src_mask=batch.src_mask,
                trg_input=inputs,
                trg_mask=torch.ones_like(inputs, dtype=torch.bool)[None],
                unroll_steps=None,
            )
            scores.append(float(logits[0].log_softmax(-1).gather(1, wanted[:, None]).sum()))
        return scores

    def _padded(self, sources: list[list[int]]) -> Any:
        """JoeyNMT's batch, which masks what is padding by its number."""
        padding = self._network.pad_index
        rows = [torch.tensor(source) for source in sources]
        return Batch(
            src=nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=padding),
            src_length=torch.tensor([len(source) for source in sources]),
            src_prompt_mask=None,
            trg=None,
            trg_prompt_mask=None,
            indices=torch.arange(len(sources)),
            device=torch.device("cpu"),
            pad_index=padding,
            eos_index=self._weights.description["eos"],
            is_train=False,
        )


@dataclass(frozen=True, kw_only=True)
class _Pieces:
    """What JoeyNMT asks of a vocabulary.

    Padding is the start token: no sentence has one inside, and a search may write neither.

    Attributes:
        size: pieces.
        bos_index, pad_index, eos_index, unk_index: their numbers; there is no separator.
        lang_tags: pieces that a search may not write either.
    """

    size: int
    bos_index: int
    pad_index: int
    eos_index: int
    unk_index: int
    lang_tags: list[int]
    sep_index: None = None
    specials: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return self.size

    def lookup(self, piece: int) -> int:
        return piece


def _refusal(weights: Weights) -> str | None:
    has_bias = weights.output_bias.any()
    return "JoeyNMT's output layer has no bias; this model's has one." if has_bias else None


def convert(weights: Weights) -> Any:
    """The model as JoeyNMT's, in evaluation mode.

    Raises:
        ValueError: its output layer has a bias, which JoeyNMT's has not.
    """
    if reason := _refusal(weights):
        raise ValueError(reason)
    vocabulary, tied = weights.description["vocabulary"], weights.model["tied_embeddings"]
    settings = {
        "tied_embeddings": tied == "all",
        "tied_softmax": tied != "none",
        "encoder": _stack(weights, "encoder"),
        "decoder": _stack(weights, "decoder"),
    }
    network = build_model(settings, *(_pieces(weights, vocabulary[side]) for side in ("source", "target"))).eval()
    state = {name: torch.from_numpy(array) for name, array in joeynmt_arrays(weights).items()}
    for stack in ("encoder", "decoder"):  # their tables have other positions, and the channels in another order
        getattr(network, stack).pe.pe = torch.empty_like(state[f"{stack}.pe.pe"])
    network.load_state_dict(state, strict=True)
    for module in network.modules():
        if isinstance(module, nn.LayerNorm):
            module.eps = 1e-5  # as in all other contestants; JoeyNMT's own is 1e-6
    return network


def _stack(weights: Weights, stack: str) -> dict[str, Any]:
    model = weights.model
    return {
        "type": "transformer",
        "num_layers": model[f"{stack}_layers"],
        "num_heads": weights.size(stack, "heads"),
        "hidden_size": model["d_model"],
        "ff_size": weights.size(stack, "ffn_dim"),
        "layer_norm": model["norm"],
        "activation": _ACTIVATIONS[model["activation"]],
        "embeddings": {"embedding_dim": model["d_model"], "scale": weights.scales_embeddings},
    }


def _pieces(weights: Weights, size: int) -> _Pieces:
    description = weights.description
    return _Pieces(
        size=size,
        bos_index=description["start"],
        pad_index=description["start"],
        eos_index=description["eos"],
        unk_index=description["start"],
        lang_tags=description["banned"],
    )


if __name__ == "__main__":
    Contestant(JoeyNmt()).serve()
