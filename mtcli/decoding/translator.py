"""Lines in, translations out, in order: cleaning, splitting, batching, search, text again."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch

from mtcli.config import DecodingConfig
from mtcli.decoding.beam import Hypothesis, SearchOptions, beam_search
from mtcli.decoding.lines import Part, is_blank, is_invisible, rejoin, split_line
from mtcli.decoding.scheduler import token_batches
from mtcli.errors import MtcliError, UsageError
from mtcli.model.store import LoadedModel

_WINDOW = 2000  # lines sorted by length together
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidate:
    """One translation of a line.

    Attributes:
        text: detokenised, never with a line break.
        score: log_prob / num_tokens ** length_penalty.
        log_prob: summed natural-log probability of its tokens, end tokens included.
        num_tokens: how many those are.
    """

    text: str
    score: float
    log_prob: float
    num_tokens: int


@dataclass(frozen=True)
class Translation:
    """A line and its translations, the best first; a blank line has one empty candidate."""

    source: str
    n_best: tuple[Candidate, ...]

    @property
    def text(self) -> str:
        return self.n_best[0].text

    @property
    def score(self) -> float:
        return self.n_best[0].score


class Translator:
    """Translates lines with one model.

    A line's translation depends on nothing but the line, the model and the options, within rounding.
    """

    def __init__(self, model: LoadedModel, options: DecodingConfig | None = None, n_best: int = 1) -> None:
        """Use `options`, or the decoding defaults stored with the model.

        Raises:
            UsageError: n_best is larger than the beam.
        """
        self.model, self.options, self.n_best = model, options or model.architecture.decoding, n_best
        if n_best > self.options.beam_size:
            raise UsageError(
                f"--n-best {n_best} needs a beam of at least {n_best}; --beam-size is {self.options.beam_size}."
            )
        self.tokens_out = 0
        tgt = model.tokenizers.tgt
        self._search = SearchOptions(
            beam_size=self.options.beam_size,
            length_penalty=self.options.length_penalty,
            start_id=tgt.start_id,
            eos_id=tgt.eos_id,
            banned=tuple(tgt.never_generated),
        )

    def translate(self, lines: Iterable[str]) -> Iterator[Translation]:
        """Translate lines, in order; reads `_WINDOW` lines ahead of what it yields."""
        stream = iter(lines)
        while window := list(islice(stream, _WINDOW)):
            yield from self.translate_window(window)

    def translate_window(self, lines: Sequence[str]) -> list[Translation]:
        """Translate these lines together, each distinct part of them once."""
        longest = self.model.architecture.model.max_length - 1
        src = self.model.tokenizers.src
        line_parts = [[] if is_blank(line) or is_invisible(line) else split_line(line, src, longest) for line in lines]
        distinct = list({tuple(part.tokens): None for parts in line_parts for part in parts})
        found = dict(zip(distinct, self._decode([[*tokens, src.eos_id] for tokens in distinct]), strict=True))
        return [
            Translation(line, self._candidates(line, parts, [found[tuple(part.tokens)] for part in parts]))
            for line, parts in zip(lines, line_parts, strict=True)
        ]

    def _decode(self, sources: list[list[int]]) -> list[list[Hypothesis]]:
        results: list[list[Hypothesis]] = [[] for _ in sources]
        for batch in token_batches([len(source) for source in sources], self.options.batch_tokens):
            for index, hypotheses in zip(batch, self._decode_batch([sources[i] for i in batch]), strict=True):
                results[index] = hypotheses
                self.tokens_out += hypotheses[0].num_tokens
        return results

    def _decode_batch(self, sources: list[list[int]]) -> list[list[Hypothesis]]:
        """Decode one batch; when memory runs out, its two halves one after the other."""
        try:
            return beam_search(self.model.network, sources, self._limits(sources), self._search)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if len(sources) == 1:
                raise MtcliError(
                    f"Out of memory while translating one sentence of {len(sources[0])} tokens. "
                    "Use a smaller --beam-size, or --device cpu."
                ) from error
        _log.warning("Out of memory with %d sentences at once; going on with half as many.", len(sources))
        middle = len(sources) // 2
        return self._decode_batch(sources[:middle]) + self._decode_batch(sources[middle:])

    def _limits(self, sources: list[list[int]]) -> list[int]:
        """The longest output of each source, in tokens."""
        options, most = self.options, self.model.network.max_positions
        return [
            max(2, min(most, int(options.max_length_ratio * len(source)) + options.max_length_extra))
            for source in sources
        ]

    def _candidates(
        self, line: str, parts: Sequence[Part], hypotheses: Sequence[Sequence[Hypothesis]]
    ) -> tuple[Candidate, ...]:
        """The line's n-best list; of a split line, rank r joins the parts' translations of rank r."""
        if not parts:
            return (Candidate("" if is_blank(line) else line, 0.0, 0.0, 0),)
        ranks = min(self.n_best, max(len(part) for part in hypotheses))
        return tuple(
            self._join(parts, [part[min(rank, len(part) - 1)] for part in hypotheses]) for rank in range(ranks)
        )

    def _join(self, parts: Sequence[Part], chosen: Sequence[Hypothesis]) -> Candidate:
        log_prob = sum(hypothesis.log_prob for hypothesis in chosen)
        num_tokens = sum(hypothesis.num_tokens for hypothesis in chosen)
        texts = [self._text(part, hypothesis) for part, hypothesis in zip(parts, chosen, strict=True)]
        return Candidate(rejoin(texts), log_prob / num_tokens**self.options.length_penalty, log_prob, num_tokens)

    def _text(self, part: Part, hypothesis: Hypothesis) -> str:
        """The hypothesis as text; the source where it has none, so that nothing comes out blank."""
        text = " ".join(self.model.tokenizers.tgt.decode(hypothesis.tokens).split())
        return part.text if is_blank(text) else text


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch ran out of memory, on a GPU or a CPU."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
