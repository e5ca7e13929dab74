"""The second pass over the corpora: text becomes token arrays on disk, in as many processes as there are processors."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mtcli.data.arrays import Lengths, TokenArrayWriter, pack, pack_text
from mtcli.data.corpus import Chunk
from mtcli.data.held_out import HeldOut
from mtcli.data.normalisation import CURRENT
from mtcli.data.tokenizer import Tokenizer

BYTES = 256  # text is kept as an array of bytes
Packed = tuple[npt.NDArray[Any], Lengths]


@dataclass(frozen=True)
class Tokenised:
    """Pairs in tokens.

    Attributes:
        source: the number of the source they come from.
        num_read: pairs before any was left out.
        lines: [pairs kept] line number of each in its file, uint32.
        arrays: tokens and lengths by the name of the array: `src`, `tgt`, and their text where it is kept.
        held_out: source and target lines to validate on, as they were.
        counts: pairs kept, empty and too long; tokens of either side.
        watched: the pairs among `Tokenising.watched` that were kept.
    """

    source: int
    num_read: int
    lines: npt.NDArray[np.uint32]
    arrays: dict[str, Packed]
    held_out: tuple[list[str], list[str]]
    counts: Counter[str]
    watched: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Tokenising:
    """How pairs become tokens; a job for several processes.

    Attributes:
        src_model, tgt_model: the tokenizers, serialised.
        max_length: tokens a side, the end token included; longer pairs are left out.
        held_out: pairs that are not to be trained on.
        keep_text: keep the normalised text, too.
        num_threads: of SentencePiece's own.
        normalisation: version of the rule by which text is read.
        watched: pairs of normalised text that are looked out for.
    """

    src_model: bytes
    tgt_model: bytes
    max_length: int
    held_out: HeldOut | None = None
    keep_text: bool = False
    num_threads: int = 1
    normalisation: int = CURRENT
    watched: frozenset[tuple[str, str]] = frozenset()

    def tokenizers(self) -> tuple[Tokenizer, Tokenizer]:
        """Of the source and the target side; one object where both have one model."""
        src = Tokenizer(self.src_model, normalisation=self.normalisation)
        is_shared = self.tgt_model == self.src_model
        return src, src if is_shared else Tokenizer(self.tgt_model, normalisation=self.normalisation)

    def begin(self) -> Callable[[Chunk], Tokenised]:
        src, tgt = self.tokenizers()
        return lambda chunk: self._tokenise(src, tgt, *chunk.texts(), chunk.first, chunk.source)

    def of_lines(self, src_lines: Sequence[str], tgt_lines: Sequence[str]) -> Tokenised:
        """The same for lines at hand; they are numbered from 1."""
        return self._tokenise(*self.tokenizers(), src_lines, tgt_lines)

    def _tokenise(
        self,
        src: Tokenizer,
        tgt: Tokenizer,
        src_lines: Sequence[str],
        tgt_lines: Sequence[str],
        first: int = 1,
        source: int = 0,
    ) -> Tokenised:
        src_texts, tgt_texts = [src.clean(line) for line in src_lines], [tgt.clean(line) for line in tgt_lines]
        places, held_out = list(range(len(src_texts))), list[int]()
        if self.held_out:
            held_out = [place for place in places if tgt_texts[place] and src_texts[place] in self.held_out]
            places = sorted(set(places).difference(held_out))
        src_tokens = src.encode_clean([src_texts[place] for place in places], self.num_threads)
        tgt_tokens = tgt.encode_clean([tgt_texts[place] for place in places], self.num_threads)
        kept, counts = list[int](), Counter[str]()
        for number, lengths in enumerate(zip(map(len, src_tokens), map(len, tgt_tokens), strict=True)):
            if not all(lengths):
                counts["empty"] += 1
            elif max(lengths) + 1 > self.max_length:
                counts["too_long"] += 1
            else:
                kept.append(number)
        arrays = {
            "src": pack([[*src_tokens[number], src.eos_id] for number in kept], src.vocab_size),
            "tgt": pack([[*tgt_tokens[number], tgt.eos_id] for number in kept], tgt.vocab_size),
        }
        counts.update(pairs=len(kept), src_tokens=len(arrays["src"][0]), tgt_tokens=len(arrays["tgt"][0]))
        taken = [places[number] for number in kept]
        if self.keep_text:
            for side, texts in (("src", src_texts), ("tgt", tgt_texts)):
                arrays[f"{side}.text"] = pack_text([texts[place] for place in taken])
        return Tokenised(
            source=source,
            num_read=len(src_texts),
            lines=np.array(taken, np.uint32) + np.uint32(first),
            arrays=arrays,
            held_out=([src_lines[place] for place in held_out], [tgt_lines[place] for place in held_out]),
            counts=counts,
            watched=self._seen((src_texts[place], tgt_texts[place]) for place in taken),
        )

    def _seen(self, pairs: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        return self.watched.intersection(pairs) if self.watched else self.watched


def write_arrays(parts: Iterable[Tokenised], stem: Path, vocab_sizes: dict[str, int]) -> dict[str, int]:
    """Write the arrays `stem.src`, `stem.tgt` and so on, and the line numbers `stem.lines`.

    Args:
        vocab_sizes: of each array, by its name.

    Returns:
        The sums of the parts' counts.
    """
    counts = Counter({"pairs": 0, "empty": 0, "too_long": 0, "src_tokens": 0, "tgt_tokens": 0})
    with ExitStack() as stack:
        lines = stack.enter_context(stem.with_name(f"{stem.name}.lines").open("wb"))
        writers = {
            name: stack.enter_context(TokenArrayWriter(stem.with_name(f"{stem.name}.{name}"), size))
            for name, size in vocab_sizes.items()
        }
        for part in parts:
            lines.write(part.lines.tobytes())
            for name, writer in writers.items():
                writer.append(*part.arrays[name])
            counts.update(part.counts)
    return dict(counts)
