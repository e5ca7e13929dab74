"""Given targets scored by PyTorch, as an oracle, and what computes with a model."""

from collections.abc import Sequence

from mtcli.decoding.backend import Backend
from mtcli.decoding.engines.torch_forced import TorchForced
from mtcli.decoding.options import ComputeOptions
from mtcli.decoding.scoring import TargetScore
from mtcli.decoding.translator import search_options
from mtcli.model.transformer import Transformer
from mtcli.model_directory.model import Model


def score_targets(
    network: Transformer, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], start_id: int
) -> list[TargetScore]:
    """Score sentence pairs of token ids, each side ended by its end token."""
    return [TargetScore.of(found) for found in TorchForced(network).log_probs(sources, targets, start_id)]


def backend_of(model: Model, engine: str = "torch") -> Backend:
    """A model and an engine on the CPU, with the model's own way to search."""
    search = search_options(model.architecture.decoding, model.tokenizers.tgt)
    return Backend(model, ComputeOptions(engine=engine, device="cpu", dtype="float32"), search)
