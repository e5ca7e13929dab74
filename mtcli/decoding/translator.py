"""Lines in, translations out, in order: cleaning, splitting, batching, search, text again."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from mtcli.config import DecodingConfig
from mtcli.decoding.beam import Hypothesis, SearchOptions, beam_search
from mtcli.decoding.lines import Part, is_invisible, one_line, rejoin
from mtcli.decoding.scheduler import token_batches
from mtcli.decoding.window import Window
from mtcli.errors import MtcliError, UsageError, is_out_of_memory
from mtcli.model.store import LoadedModel

_SHORTEST = 16  # tokens a shorter sentence counts for: each one costs a row of logits, however short
_WINDOW = 2000  # lines sorted by length together
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidate:
    """One translation of a line.

    Attributes:
        text: detokenised, never with a line break or a tab.
        score: log_prob / num_tokens ** length_penalty.
        log_prob: summed natural-log probability of its tokens, end tokens included.
        num_tokens: how many those are.
        parts: what `text` was joined from, one text a part of the line; none for a line the model did not see.
    """

    text: str
    score: float
    log_prob: float
    num_tokens: int
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Translation:
    """A line and its translations, the best first; a blank line has one empty candidate.

    Attributes:
        source: the line as it came.
        n_best: one candidate at least.
        source_parts: what the line was split into, as the model read it; none for a line it did not see.
    """

    source: str
    n_best: tuple[Candidate, ...]
    source_parts: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.n_best[0].text

    @property
    def score(self) -> float:
        return self.n_best[0].score


@dataclass
class Work:
    """What a translator has done so far.

    Attributes:
        parts: pieces of lines that the model was to translate; an over-long line has several.
        split_lines: lines of more than one part.
        decoded: parts that were decoded: equal parts of lines translated together are decoded once.
        source_tokens, target_tokens: tokens of the decoded parts and their best translations, end tokens included.
        share: how much of the lines at hand is done, 0 to 1.
    """

    parts: int = 0
    split_lines: int = 0
    decoded: int = 0
    source_tokens: int = 0
    target_tokens: int = 0
    share: float = 0.0


class Translator:
    """Translates lines with one model.

    A line's translation depends on nothing but the line, the model and the options, within rounding.

    Attributes:
        work: what has been done so far.
        implementations: which form of each operation runs, and why.
    """

    def __init__(self, model: LoadedModel, options: DecodingConfig | None = None, n_best: int = 1) -> None:
        """Use `options`, or the decoding defaults stored with the model.

        Raises:
            UsageError: n_best is larger than the beam.
            BackendUnavailableError: the form of attention that was asked for cannot run with this beam.
        """
        self.model, self.options, self.n_best = model, options or model.architecture.decoding, n_best
        if n_best > self.options.beam_size:
            raise UsageError(
                f"--n-best {n_best} needs a beam of at least {n_best}; --beam-size is {self.options.beam_size}."
            )
        self.implementations = model.implementations(self.options.beam_size)
        self.work = Work()
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

    def translate_window(self, lines: Sequence[str]) -> Iterator[Translation]:
        """Translate these lines together, each distinct part of them once; they come in order, as soon as they can."""
        src = self.model.tokenizers.src
        window: Window[list[Hypothesis]] = Window(lines, src, self.model.architecture.model.max_length - 1)
        self.work.parts += sum(map(len, window.parts))
        self.work.split_lines += sum(len(parts) > 1 for parts in window.parts)
        yield from self._whole_lines(window)
        sources = [[*tokens, src.eos_id] for tokens in window.sources]
        lengths, done = [len(source) for source in sources], 0
        for batch in token_batches([max(length, _SHORTEST) for length in lengths], self.options.batch_tokens):
            found = self._decode_batch([sources[place] for place in batch])
            for place, hypotheses in zip(batch, found, strict=True):
                window.finish(place, hypotheses)
                self._count(lengths[place], hypotheses[0])
                done += lengths[place]
            self.work.share = done / sum(lengths)
            yield from self._whole_lines(window)
        self.work.share = 0.0

    def _whole_lines(self, window: Window[list[Hypothesis]]) -> Iterator[Translation]:
        for line, parts, hypotheses in window.ready():
            yield Translation(line, self._candidates(line, parts, hypotheses), tuple(part.text for part in parts))

    def _count(self, source_length: int, best: Hypothesis) -> None:
        self.work.decoded += 1
        self.work.source_tokens += source_length
        self.work.target_tokens += best.num_tokens

    def _decode_batch(self, sources: list[list[int]]) -> list[list[Hypothesis]]:
        """Decode one batch; when memory runs out, its two halves one after the other."""
        try:
            return beam_search(self.model.network, sources, self._limits(sources), self._search)
        except (MemoryError, RuntimeError) as error:
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
            return (Candidate(one_line(line), 0.0, 0.0, 0),)
        ranks = min(self.n_best, max(len(part) for part in hypotheses))
        return tuple(
            self._join(parts, [part[min(rank, len(part) - 1)] for part in hypotheses]) for rank in range(ranks)
        )

    def _join(self, parts: Sequence[Part], chosen: Sequence[Hypothesis]) -> Candidate:
        log_prob = sum(hypothesis.log_prob for hypothesis in chosen)
        num_tokens = sum(hypothesis.num_tokens for hypothesis in chosen)
        texts = [self._text(part, hypothesis) for part, hypothesis in zip(parts, chosen, strict=True)]
        score = log_prob / num_tokens**self.options.length_penalty
        return Candidate(rejoin(texts), score, log_prob, num_tokens, tuple(texts))

    def _text(self, part: Part, hypothesis: Hypothesis) -> str:
        """The hypothesis as text; the source where it has none, so that nothing comes out blank."""
        text = one_line(self.model.tokenizers.tgt.decode(hypothesis.tokens))
        return part.text if is_invisible(text) else text
