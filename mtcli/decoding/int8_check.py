"""Whether int8 may stand in for float32: the same text translated in both, and scored against the same references."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mtcli import __version__
from mtcli.decoding.engines.native_network import packed_network
from mtcli.decoding.translator import Translator
from mtcli.errors import CheckpointError, DataError
from mtcli.evaluation.metrics import ValidationMetrics, validation_metrics
from mtcli.model_directory.files import WEIGHTS
from mtcli.model_directory.int8_mark import Int8Mark, ScorePair
from mtcli.model_directory.integrity import stored_checksum
from mtcli.model_directory.model import Model, StoredModel

LARGEST_LOSS = 0.15  # of BLEU and of chrF, of 100
FEWEST_LINES = 100  # with fewer the difference is mostly chance
DTYPES = ("float32", "int8")
_WARM_UP = 16  # lines, before the clock starts


@dataclass(frozen=True, kw_only=True)
class TimedTranslation:
    """A text translated in one number type.

    Attributes:
        lines: the translations.
        lines_per_second: of decoding, with tokenising.
        num_bytes: of the weights in memory.
    """

    lines: list[str]
    lines_per_second: float
    num_bytes: int


@dataclass(frozen=True, kw_only=True)
class Int8Comparison:
    """What int8 makes of a text, beside float32.

    Attributes:
        text: name of the text.
        beam: live hypotheses a sentence: the model's default.
        weights: checksum of the weights that were compared; None where their file has none.
        translations: by number type.
        scores: BLEU and chrF of both against the references, by number type; None without references.
        same: translations that are equal.
        likeness: chrF of the int8 translations with those of float32 as references.
    """

    text: str
    beam: int
    weights: str | None
    translations: dict[str, TimedTranslation]
    scores: dict[str, ValidationMetrics] | None
    same: int
    likeness: float

    @property
    def num_lines(self) -> int:
        return len(self.translations["int8"].lines)

    @property
    def signatures(self) -> dict[str, str]:
        """sacreBLEU's descriptions of BLEU and chrF; empty without references."""
        if self.scores is None:
            return {}
        one = self.scores["float32"]
        return {"bleu": f"bleu|{one.signature}", "chrf": f"chrf|{one.chrf_signature}"}

    @property
    def losses(self) -> dict[str, float]:
        """What int8 loses, in points of BLEU and chrF; below zero where it gains, empty without references."""
        if self.scores is None:
            return {}
        before, after = (self.scores[dtype] for dtype in DTYPES)
        return {"BLEU": before.bleu - after.bleu, "chrF": before.chrf - after.chrf}

    @property
    def obstacle(self) -> str | None:
        """Why int8 does not stand in for float32, in a sentence; None where it may."""
        if self.scores is None:
            return "Without references nobody can say which translations are the better ones."
        if self.num_lines < FEWEST_LINES:
            return f"{self.num_lines:,} lines are too few to tell: at least {FEWEST_LINES} are needed."
        if lost := [f"{loss:.2f} {name}" for name, loss in self.losses.items() if loss > LARGEST_LOSS]:
            return f"int8 loses {' and '.join(lost)} on {self.num_lines:,} lines; {LARGEST_LOSS} may be lost."
        if self.weights is None:
            return f"The file {WEIGHTS} has no checksum that a mark could name: mtcli export mtcli writes one."
        return None

    def mark(self) -> Int8Mark:
        """What is written into the model directory; for a comparison without an obstacle."""
        assert self.scores is not None
        assert self.weights is not None
        before, after = (self.scores[dtype] for dtype in DTYPES)
        return Int8Mark(
            weights=self.weights,
            text=self.text,
            lines=self.num_lines,
            beam=self.beam,
            bleu=ScorePair(float32=before.bleu, int8=after.bleu),
            chrf=ScorePair(float32=before.chrf, int8=after.chrf),
            signatures=self.signatures,
            mtcli=__version__,
        )


def compare_int8(
    directory: Path, sources: Sequence[str], references: Sequence[str] | None, *, text: str, tokenize: str
) -> Int8Comparison:
    """Translate a text in float32 and in int8, as the model decodes by default, by the native engine.

    Args:
        sources: lines without line ends, one at least.
        references: as many, or None where there are none.
        text: name of the text.
        tokenize: BLEU's tokenizer, as sacreBLEU names it.

    Raises:
        CheckpointError: the directory is no model, damaged, or its weights were replaced meanwhile.
        DataError: there are no lines.
        BackendUnavailableError: the native engine cannot run here, or not with this model.
    """
    if not sources:
        raise DataError("There is nothing to translate: the text is empty.")
    model = StoredModel(directory)
    weights = stored_checksum(model.weights_file)
    found = {dtype: _translated(model, dtype, sources) for dtype in reversed(DTYPES)}  # int8 first: it may be refused
    if stored_checksum(model.weights_file) != weights:
        raise CheckpointError(f"{model.weights_file} was replaced while it was compared, by a training. Compare again.")
    before, after = (found[dtype].lines for dtype in DTYPES)
    return Int8Comparison(
        text=text,
        beam=model.architecture.decoding.beam_size,
        weights=weights,
        translations={dtype: found[dtype] for dtype in DTYPES},
        scores=None
        if references is None
        else {dtype: validation_metrics(found[dtype].lines, references, tokenize) for dtype in DTYPES},
        same=sum(one == other for one, other in zip(before, after, strict=True)),
        likeness=validation_metrics(after, before, tokenize).chrf,
    )


def _translated(model: Model, dtype: str, sources: Sequence[str]) -> TimedTranslation:
    translator = Translator(model, device="cpu", dtype=dtype, engine="native" if dtype == "float32" else "auto")
    translator.translate(sources[:_WARM_UP], repair=False)
    began = time.perf_counter()
    lines = [translation.text for translation in translator.translate(sources, repair=False)]
    seconds = time.perf_counter() - began
    packed = packed_network(model, is_int8=dtype == "int8")
    return TimedTranslation(lines=lines, lines_per_second=len(lines) / max(seconds, 1e-9), num_bytes=packed.num_bytes)
