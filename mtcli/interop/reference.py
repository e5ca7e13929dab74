"""What a model computes for a few sentences, kept with it: whether another machine or version computes the same.

reference.json has the sentences, their ids, the ids that greedy search writes, and who computed them;
reference.safetensors has the logits of these ids, given those before them. Both are computed in float32 on a CPU, by
the system that the model comes from where it is installed, else by mtcli's reference path.

Axes: N target tokens of all sentences, end to end; V vocabulary.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

import mtcli
from mtcli.data.tokenizer import Tokenizer
from mtcli.decoding.engines.torch import TorchEngines
from mtcli.decoding.pool import EnginePool
from mtcli.decoding.search import SearchOptions
from mtcli.errors import CheckpointError
from mtcli.model.transformer import Transformer
from mtcli.model_directory.integrity import checksum
from mtcli.model_directory.loading import LoadedModel
from mtcli_kernels.packing import Packing

SENTENCES, LOGITS = "reference.json", "reference.safetensors"
CLOSE = 1e-4  # nats: what log-probabilities may differ by in float32
_TEXTS = ("Hello, world! It is 7:30 -- isn't it?", "«Ça\u00a0va\u2009?» …  42 % \t(№ ½)", "</s> & <unk> > >>x<<")
_PIECES, _SAMPLES = 8, 3  # of the vocabulary, in sentences made of them
_MOST = 6  # tokens written for a sentence


@dataclass(frozen=True)
class ReferenceSentence:
    """A sentence and its ids.

    Attributes:
        ids: of the text, with the end token.
        source: what is translated of them: as many as the model has positions for, the end token last.
        target: what greedy search writes, at most 6 tokens, with the end token.
    """

    text: str
    ids: tuple[int, ...]
    source: tuple[int, ...]
    target: tuple[int, ...]


@dataclass(frozen=True)
class Reference:
    """What was computed, and by whom.

    Attributes:
        logits: [N, V] float32.
    """

    made_by: str
    sentences: tuple[ReferenceSentence, ...]
    logits: Tensor

    def files(self) -> dict[str, bytes]:
        """reference.json and reference.safetensors, by name."""
        content = {
            "made_by": self.made_by,
            "sentences": [asdict(sentence) for sentence in self.sentences],
        }
        return {
            SENTENCES: (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode(),
            LOGITS: save({"logits": self.logits.contiguous()}),
        }


class Computer(Protocol):
    """A system that can translate with the model."""

    made_by: str

    def ids(self, text: str) -> list[int]: ...
    def greedy(self, source: Sequence[int], most: int) -> list[int]: ...
    def logits(self, source: Sequence[int], target: Sequence[int]) -> Tensor: ...


class Ours:
    """mtcli's own path, by the plain definitions of its operations, or by what runs in translation."""

    def __init__(self, model: LoadedModel, attention: str = "reference") -> None:
        self.made_by = f"mtcli {mtcli.__version__}"
        model.network.attention = attention
        self._network, self._src, tgt = model.network, model.tokenizers.src, model.tokenizers.tgt
        self._search = SearchOptions(
            beam_size=1,
            length_penalty=1.0,
            start_id=tgt.start_id,
            eos_id=tgt.eos_id,
            banned=tuple(tgt.never_generated),
        )

    def ids(self, text: str) -> list[int]:
        return [*self._src.encode(text), self._src.eos_id]

    def greedy(self, source: Sequence[int], most: int) -> list[int]:
        pool = EnginePool(TorchEngines(self._network, self._search), num_workers=1)
        return [*pool.decode([source], [most])[0][0].tokens, self._search.eos_id]

    def logits(self, source: Sequence[int], target: Sequence[int]) -> Tensor:
        return _logits(self._network, source, target, self._search.start_id)


@torch.inference_mode()
def _logits(network: Transformer, source: Sequence[int], target: Sequence[int], start_id: int) -> Tensor:
    """[T, V] of each target token given those before it."""
    device = network.output.weight.device
    src_packing, tgt_packing = (Packing.of([len(side)], device) for side in (source, target))
    src, tgt = (torch.tensor(list(side), device=device) for side in (source, (start_id, *target[:-1])))
    return network.output(network(src, src_packing, tgt, tgt_packing)).float().cpu()  # type: ignore[no-any-return]


def compute(computer: Computer, tokenizer: Tokenizer, longest: int) -> Reference:
    """The reference of a model.

    Args:
        tokenizer: the target's, whose pieces some of the sentences are made of.
        longest: tokens of a source, its end token included.
    """
    sentences, logits = [], []
    for text in (*_TEXTS, *_sampled(tokenizer)):
        ids = computer.ids(text)
        source = [*ids[: min(longest, len(ids)) - 1], ids[-1]]
        target = computer.greedy(source, _MOST)
        sentences.append(ReferenceSentence(text, tuple(ids), tuple(source), tuple(target)))
        logits.append(computer.logits(source, target))
    return Reference(computer.made_by, tuple(sentences), torch.cat(logits))


def _sampled(tokenizer: Tokenizer) -> list[str]:
    """Sentences of pieces from all over the vocabulary, so that they are in a language of the model."""
    words = [token for token, piece in enumerate(tokenizer.pieces(range(tokenizer.vocab_size))) if piece[:2] != ">>"]
    number = _PIECES * _SAMPLES
    chosen = [words[(2 * place + 1) * len(words) // (2 * number)] for place in range(number)]
    return [tokenizer.line(chosen[start::_SAMPLES]) for start in range(_SAMPLES)]


def stored(directory: Path, checksums: Mapping[str, str]) -> Reference:
    """The reference in a model directory.

    Raises:
        CheckpointError: there is none, or it is damaged.
    """
    contents = {name: _content(directory / name, checksums.get(name)) for name in (SENTENCES, LOGITS)}
    try:
        described: dict[str, Any] = json.loads(contents[SENTENCES])
        sentences = [
            ReferenceSentence(s["text"], tuple(s["ids"]), tuple(s["source"]), tuple(s["target"]))
            for s in described["sentences"]
        ]
        return Reference(described["made_by"], tuple(sentences), load(contents[LOGITS])["logits"])
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise CheckpointError(f"{directory}: its reference is damaged ({error}). Import the model again.") from None


def _content(path: Path, expected: str | None) -> bytes:
    try:
        content = path.read_bytes()
    except OSError:
        raise CheckpointError(
            f"{path.parent} holds no {path.name} to compare with: --check is for models that mtcli import brought in."
        ) from None
    if expected is not None and checksum(content) != expected:
        raise CheckpointError(f"{path} is not the file that was written with this model. Import the model again.")
    return content


def largest_difference(reference: Reference, computer: Computer) -> float:
    """Compare: the largest difference of log-probabilities, in nats.

    Raises:
        CheckpointError: other ids come out, or the difference is larger than 1e-4.
    """
    largest, start = 0.0, 0
    for sentence in reference.sentences:
        ids = computer.ids(sentence.text)
        if ids != list(sentence.ids):
            raise _Differs(reference, computer, f"cuts {sentence.text!r} into {ids}, not {list(sentence.ids)}")
        end = start + len(sentence.target)
        expected = reference.logits[start:end].log_softmax(-1)
        found = computer.logits(sentence.source, sentence.target).log_softmax(-1)
        largest, start = max(largest, (found - expected).abs().max().item()), end
        if not largest <= CLOSE:
            raise _Differs(reference, computer, f"is off by up to {largest:.2g} nats for {sentence.text!r}")
        target = computer.greedy(sentence.source, _MOST)
        if target != list(sentence.target):
            raise _Differs(reference, computer, f"writes {target} for {sentence.text!r}, not {list(sentence.target)}")
    return largest


def _Differs(reference: Reference, computer: Computer, how: str) -> CheckpointError:  # noqa: N802 (reads as one)
    return CheckpointError(
        f"The model does not compute what {reference.made_by} computed: {computer.made_by} {how}. Its files, the "
        "device or a library are not what they were: try --device cpu --attention reference, or import the model again."
    )
