"""Scores of the model in training: loss over the validation pairs, BLEU and chrF of its real translations."""

import math
from dataclasses import dataclass

import torch

from mtcli.config import Config
from mtcli.data.batching import TokenBatches
from mtcli.data.prepare import PreparedData
from mtcli.decoding.translator import Translator
from mtcli.evaluation.metrics import ValidationMetrics, validation_metrics
from mtcli.model.implementations import companion
from mtcli.model.transformer import Transformer
from mtcli.model_directory.description import Architecture
from mtcli.model_directory.loading import LoadedModel
from mtcli.training.batch import make_batch
from mtcli.training.world import World
from mtcli_kernels.cross_entropy import linear_cross_entropy


@dataclass(frozen=True)
class ValidationScores:
    """What a validation found.

    Attributes:
        nll: nats a target token, without label smoothing.
        metrics: of the validation set's translations.
    """

    nll: float
    metrics: ValidationMetrics

    @property
    def perplexity(self) -> float:
        return math.exp(min(self.nll, 700.0))


def validate(
    network: Transformer, data: PreparedData, config: Config, world: World, tokenizer: str
) -> ValidationScores:
    """Score a network, in evaluation mode, on the validation set; each process does its part, and all get the same.

    Args:
        tokenizer: BLEU's.
    """
    nll = _nll(network, data, config, world)
    hypotheses = _translations(network, data, config, world)
    return ValidationScores(nll, validation_metrics(hypotheses, data.valid_ref, tokenizer))


@torch.inference_mode()
def _nll(network: Transformer, data: PreparedData, config: Config, world: World) -> float:
    device = network.output.weight.device
    valid, start_id = data.valid, data.tokenizers.tgt.start_id
    total, count = 0.0, 0.0
    batches = TokenBatches(valid.src.lengths, valid.tgt.lengths, config.training.batch_tokens, 0).epoch(0)
    for indices in batches[world.rank :: world.size]:
        batch = make_batch(valid, indices, start_id, device)
        states = network(batch.src, batch.src_packing, batch.tgt_in, batch.tgt_packing)
        weight, impl = network.output.weight, companion(network.attention)
        _, nll = linear_cross_entropy(states, weight, batch.tgt_out, label_smoothing=0.0, impl=impl)
        total += nll.item()
        count += batch.num_tokens
    sums = world.sum(torch.tensor([total, count], dtype=torch.float64))
    return float(sums[0] / sums[1])


def _translations(network: Transformer, data: PreparedData, config: Config, world: World) -> list[str]:
    architecture = Architecture(config.model, data.tokenizers.sizes, config.decoding, text=data.text)
    options = config.decoding.model_copy(update={"beam_size": config.training.valid_beam_size})
    translator = Translator(LoadedModel(network, data.tokenizers, architecture), options)
    found = [
        translation.text for translation in translator.translate(data.valid_src[world.rank :: world.size], repair=False)
    ]
    hypotheses = [""] * len(data.valid_src)
    for rank, lines in enumerate(world.gather_lines(found)):
        hypotheses[rank :: world.size] = lines
    return hypotheses
