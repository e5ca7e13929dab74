"""JoeyNMT as a decoder: python -m benchmarks.peers.joeynmt, on the Python of .venv-peers.

It cannot hold a model whose output layer has a bias. Its number type is float32: it has no other on a CPU.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from joeynmt.batch import Batch
from joeynmt.model import build_model
from joeynmt.search import search
from torch import Tensor, nn

from benchmarks.peers.engine import Decoder, Work
from benchmarks.peers.padded import PaddedEngine, pad
from benchmarks.peers.weights import Array, Weights

_ACTIVATIONS = {"relu": "relu", "gelu": "gelu", "silu": "swish"}
_PROJECTIONS = {"q_layer": "q_proj", "k_layer": "k_proj", "v_layer": "v_proj", "output_layer": "out_proj"}
_FEED_FORWARD = {
    "feed_forward.pwff_layer.0": "feed_forward.up",
    "feed_forward.pwff_layer.3": "feed_forward.down",
    "feed_forward.layer_norm": "feed_forward_residual.norm",
}
_STACKS = {
    "encoder": ({"src_src_att": "self_attention"}, {"layer_norm": "self_attention_residual.norm", **_FEED_FORWARD}),
    "decoder": (
        {"trg_trg_att": "self_attention", "src_trg_att": "cross_attention"},
        {
            "x_layer_norm": "self_attention_residual.norm",
            "dec_layer_norm": "cross_attention_residual.norm",
            **_FEED_FORWARD,
        },
    ),
}


class JoeyNmt(PaddedEngine):
    packages = ("joeynmt",)
    dtypes = ("float32",)

    def build(self) -> None:
        self._network = converted(self.weights)

    def search(self, sources: list[list[int]], limits: list[int], work: Work, beam: int) -> Any:
        tokens, _, _ = search(
            model=self._network,
            batch=self._batch_of(sources),
            max_output_length=max(limits),
            min_output_length=max(limits) if work.forced else 1,
            beam_size=beam,
            beam_alpha=work.length_penalty,
        )
        return tokens.tolist()

    def logits(self, source: list[int], inputs: list[int]) -> Tensor:
        batch, tokens = self._batch_of([source]), torch.tensor([inputs])
        encoded, _, _, _ = self._network(return_type="encode", **vars(batch))
        logits, _, _, _ = self._network(
            return_type="decode",
            encoder_output=encoded,
            encoder_hidden=None,
            src_mask=batch.src_mask,
            trg_input=tokens,
            trg_mask=torch.ones_like(tokens, dtype=torch.bool)[None],
            unroll_steps=None,
        )
        found: Tensor = logits[0]
        return found

    def _batch_of(self, sources: list[list[int]]) -> Any:
        """JoeyNMT's batch, which masks what is padding by its number."""
        padding = self._network.pad_index
        return Batch(
            src=pad(sources, padding),
            src_length=torch.tensor([len(source) for source in sources]),
            src_prompt_mask=None,
            trg=None,
            trg_prompt_mask=None,
            indices=torch.arange(len(sources)),
            device=torch.device("cpu"),
            pad_index=padding,
            eos_index=self.eos,
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


def converted(weights: Weights) -> Any:
    """Make the model JoeyNMT's, in evaluation mode."""
    vocabulary, tied = weights.description["vocabulary"], weights.model["tied_embeddings"]
    settings = {
        "tied_embeddings": tied == "all",
        "tied_softmax": tied != "none",
        **{stack: _stack(weights, stack) for stack in _STACKS},
    }
    network = build_model(settings, *(_pieces(weights, vocabulary[side]) for side in ("source", "target"))).eval()
    state = {name: torch.from_numpy(array).float() for name, array in joeynmt_arrays(weights).items()}
    for stack in _STACKS:  # their tables have other positions, and the channels in another order
        getattr(network, stack).pe.pe = torch.empty_like(state[f"{stack}.pe.pe"])
    network.load_state_dict(state, strict=True)
    for module in network.modules():
        if isinstance(module, nn.LayerNorm):
            module.eps = 1e-5  # as in all others; JoeyNMT's own is 1e-6
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
    start, eos, banned = (weights.description[name] for name in ("start", "eos", "banned"))
    return _Pieces(size=size, bos_index=start, pad_index=start, eos_index=eos, unk_index=start, lang_tags=banned)


def joeynmt_arrays(weights: Weights) -> dict[str, Array]:
    """Return every parameter by JoeyNMT's names and both tables of positions; matrices that mtcli shares come once for
    each place."""
    return {
        "src_embed.lut.weight": weights["src_embedding.tokens.weight"],
        "trg_embed.lut.weight": weights["tgt_embedding.tokens.weight"],
        "decoder.output_layer.weight": weights["output.weight"],
        "encoder.pe.pe": weights.positions("src")[None],
        "decoder.pe.pe": weights.positions("tgt")[None],
        **{
            f"{theirs}.{kind}": weights[f"{ours}.{kind}"]
            for theirs, ours in _modules(weights)
            for kind in ("weight", "bias")
        },
    }


def _modules(weights: Weights) -> Iterator[tuple[str, str]]:
    """Their name and mtcli's of each linear map and norm in the stacks."""
    for stack, (attentions, rest) in _STACKS.items():
        for layer in weights.layers(stack):
            parts = {
                f"{their_attention}.{their_projection}": f"{attention}.{projection}"
                for their_attention, attention in attentions.items()
                for their_projection, projection in _PROJECTIONS.items()
            }
            for theirs, ours in (parts | rest).items():
                yield f"{layer}.{theirs}", f"{layer}.{ours}"
        if weights.model["norm"] == "pre":
            yield f"{stack}.layer_norm", f"{stack}.norm"


if __name__ == "__main__":
    Decoder(JoeyNmt(*sys.argv[1:])).serve()
