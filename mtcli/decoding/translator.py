"""Lines in, translations out, in order: cleaning, splitting, decoding, text again."""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

from mtcli.checking import Finding
from mtcli.config import DecodingConfig
from mtcli.data.conventions import TextConventions
from mtcli.data.tokenizer import Tokenizer
from mtcli.decoding.backend import Backend
from mtcli.decoding.frame import Frame
from mtcli.decoding.joining import Prepared, joined, translation_of
from mtcli.decoding.lines import has_words, split_lines
from mtcli.decoding.options import ComputeOptions, TranslateOptions
from mtcli.decoding.pool import EnginePool
from mtcli.decoding.repair import Answers, Ask, Faults, Finishing, LineRepair, LineTools, Worded, repair_line
from mtcli.decoding.repair.faults import lost_capitals, needs_translation
from mtcli.decoding.repair.settings import faults_of
from mtcli.decoding.repair.tools import PartTools
from mtcli.decoding.search import Hypothesis, SearchOptions, Sentence, Task
from mtcli.decoding.stream import Call, Load
from mtcli.decoding.submission import Submission
from mtcli.decoding.windows import Windows, in_order
from mtcli.errors import UsageError
from mtcli.model_directory.box import IN_THE_BOX
from mtcli.model_directory.model import Model, StoredModel
from mtcli.translation import Candidate, Translation

_SEVERAL_ARE_KNOWN = 0.25  # share of training lines: fewer teach nothing of lines with many sentences
_KEPT = 4  # ways to search whose pools are kept, with their memory
_PLAIN_WORD = re.compile(r"(?:^|\s)[^\W\d_]+[,.;:!?]*(?=\s|$)")
_REPAIR_BEAM = 4  # at least, where somebody searches greedily


@dataclass
class Work:
    """What a translator has done so far.

    Attributes:
        parts: pieces of lines that the model was to translate, those of repairs as well; an over-long line has several.
        split_lines: lines of more than one part.
        decoded: parts that were decoded: equal ones are decoded once.
        source_tokens, target_tokens: tokens of the decoded parts and their best translations, end tokens included.
        repaired, flagged: lines that were repaired, and those that something was found in, or is left of after it.
    """

    parts: int = 0
    split_lines: int = 0
    decoded: int = 0
    source_tokens: int = 0
    target_tokens: int = 0
    repaired: int = 0
    flagged: int = 0


def search_options(config: DecodingConfig, tgt: Tokenizer, n_best: int = 1) -> SearchOptions:
    """How to search, as the settings say, for what this tokenizer writes."""
    return SearchOptions(
        beam_size=config.beam_size,
        length_penalty=config.length_penalty,
        start_id=tgt.start_id,
        eos_id=tgt.eos_id,
        banned=tuple(tgt.never_generated),
        n_best=n_best,
        stop=config.stop,
        free_end=config.free_end,
        renormalize=config.renormalize,
    )


def way_to_search(
    model: Model, options: TranslateOptions, defaults: DecodingConfig
) -> tuple[DecodingConfig, SearchOptions]:
    """Lay options over the defaults: the settings that come of it, and how to search then.

    Raises:
        UsageError: n_best is larger than the beam.
    """
    settings = options.resolve(defaults)
    # Two hypotheses may be one text: so that others take their place, all of a beam are kept
    most = settings.beam_size if options.n_best > 1 else 1
    return settings, search_options(settings, model.tokenizers.tgt, n_best=most)


def way_to_repair(
    model: Model, options: TranslateOptions, defaults: DecodingConfig
) -> tuple[DecodingConfig, SearchOptions]:
    """How to search for a repair: as for the line, but with all hypotheses kept, and several of them."""
    beam = max(options.resolve(defaults).beam_size, _REPAIR_BEAM)
    return way_to_search(model, replace(options, beam_size=beam, n_best=beam), defaults)


def is_by_sentence(sentences: str, text: TextConventions) -> bool:
    """Tell whether lines are translated sentence by sentence.

    `auto` does so unless many lines that were learnt from hold several, or where nobody measured that.
    """
    if sentences != "auto":
        return sentences == "split"
    return text.multi_sentence_share is None or text.multi_sentence_share < _SEVERAL_ARE_KNOWN


def _refuse_one_string(lines: Iterable[str]) -> None:
    if isinstance(lines, str | bytes):
        raise UsageError("A Translator takes lines, such as a list of strings; it was given one string.")


class Translator:
    """Translates lines with one model. May be used from several threads at once.

    A line's translation depends on nothing but the line, the model and the options; with PyTorch on a CPU, up to
    rounding (`EngineChoice.is_independent`). All calls share the engines of their way to search
    (mtcli/decoding/stream.py).

    Attributes:
        model: its tokenizers, and what is known of its network.
        backend: what decodes, and why.
        options: the defaults of `translate`.
        work: what has been done so far, in all calls.
    """

    def __init__(
        self,
        model: str | Path | Model = IN_THE_BOX,
        options: DecodingConfig | None = None,
        *,
        device: str = "auto",
        dtype: str = "auto",
        attention: str = "auto",
        engine: str = "auto",
        independent: bool = True,
    ) -> None:
        """Open a model directory, or take a model that is open, and choose what decodes it.

        Args:
            model: a directory that `mtcli train` made; by default the model that comes with mtcli. A network that is
                in memory decodes where it is, whatever is said of device, number type and attention.
            options: how to decode; by default as the model's own config.json says.
            device: `auto`, `cpu`, `cuda` or `cuda:N`; auto takes a GPU if there is one.
            dtype: number type of the arithmetic: `auto`, `float32`, `bfloat16`, `float16`, or `int8`, which the native
                engine alone computes with. On a CPU auto is int8 where the model's directory says that it was checked,
                else float32.
            attention: form of the attention operations, as `mtcli translate --attention`.
            engine: what decodes: `auto`, `native` or `torch`; auto takes the native engine where it can run.
            independent: False lets a translation depend, in its last bits, on what is translated beside it, on a GPU.

        Raises:
            CheckpointError: the directory is no model, or damaged.
            UsageError: there is no such engine.
            BackendUnavailableError: the engine, device, number type or form of attention is not to be had here.
        """
        self.model = model if isinstance(model, Model) else StoredModel(Path(model))
        self.options = options or self.model.architecture.decoding
        compute = ComputeOptions(engine=engine, device=device, dtype=dtype, attention=attention, fast=not independent)
        self.backend = Backend(self.model, compute, search_options(self.options, self.model.tokenizers.tgt))
        self._pools: OrderedDict[tuple[SearchOptions, int | None], EnginePool] = OrderedDict()
        self._known_faults: dict[bool, Faults] = {}  # by whether they are of all checks
        self._lock = threading.Lock()
        self.work = Work()

    @classmethod
    def computing(cls, model: Model, compute: ComputeOptions) -> "Translator":
        """Make a translator that computes as these options say; raises what the constructor does."""
        return cls(
            model,
            device=compute.device,
            dtype=compute.dtype,
            attention=compute.attention,
            engine=compute.engine,
            independent=not compute.fast,
        )

    @overload
    def translate(  # a sequence is an iterable too
        self, lines: Sequence[str], options: TranslateOptions | None = None, *, hurry: bool = False, **given: Any
    ) -> list[Translation]: ...
    @overload
    def translate(
        self, lines: Iterable[str], options: TranslateOptions | None = None, *, hurry: bool = False, **given: Any
    ) -> Iterator[Translation]: ...

    def translate(
        self, lines: Iterable[str], options: TranslateOptions | None = None, *, hurry: bool = False, **given: Any
    ) -> list[Translation] | Iterator[Translation]:
        """Translate lines, in order: one result for each.

        A sequence gives a list. Any other iterable gives an iterator, which yields each result as soon as it and
        those before it are there; a thread reads a few thousand lines ahead of it. Closing the iterator stops all
        work. An error of the iterable is raised after the results of the lines before it.

        Args:
            lines: text without line ends.
            options: how to translate; by default as the translator's own options say.
            hurry: whether somebody waits for the first results: lines are translated as they arrive, without waiting
                for others to sort them with.
            given: single options by name, over `options`, such as `beam_size=4` or `n_best=2`.

        Raises:
            UsageError: n_best is larger than the beam, or `lines` is a string.
            BackendUnavailableError: the form of attention that was asked for cannot run with this beam.
            MtcliError: memory does not suffice for a single sentence, or the network's output is not a number.
        """
        _refuse_one_string(lines)
        found = self._run(lines, self._way(options, given), hurry)
        return list(found) if isinstance(lines, Sequence) else found

    def submit(
        self, lines: Sequence[str], options: TranslateOptions | None = None, **given: Any
    ) -> list["Future[Translation]"]:
        """Begin to translate lines, and return at once: one future for each.

        The engines take lines of all that is going on in turn, so that many small calls are as fast as a large one.
        Cancelling all futures of a call frees the engines of it.

        Args:
            lines, options, given: as `translate` has them.

        Raises:
            UsageError, BackendUnavailableError: as `translate`; what else it raises comes from the futures.
        """
        _refuse_one_string(lines)
        way = self._way(options, given)
        return Submission(
            self.prepare(lines, way),
            lambda wake: way.pool.stream.open(decoded=self.count, when_ready=wake),
            lambda ready: self.translations(ready, way),
            lambda wake: self._finishing(way, wake),
        ).futures

    def _way(self, options: TranslateOptions | None, given: Mapping[str, Any]) -> "_Way":
        """What the options come to, with engines that search so."""
        chosen = replace(options or TranslateOptions(), **given)
        settings, search = way_to_search(self.model, chosen, self.options)
        return _Way(self._pool(search, settings), settings, chosen, self._faults(chosen))

    def _pool(self, search: SearchOptions, settings: DecodingConfig) -> EnginePool:
        """Engines that search so."""
        tokens = None if settings.batch_tokens == "auto" else settings.batch_tokens
        with self._lock:
            if (search, tokens) not in self._pools:
                self._pools[search, tokens] = EnginePool(self.backend.engines(search), batch_tokens=tokens)
            self._pools.move_to_end((search, tokens))
            while len(self._pools) > _KEPT:
                self._pools.popitem(last=False)
            return self._pools[search, tokens]

    def _faults(self, chosen: TranslateOptions) -> Faults | None:
        """What finds faults, where any are looked for."""
        if not (chosen.repair or chosen.flag):
            return None
        with self._lock:
            if chosen.flag not in self._known_faults:
                self._known_faults[chosen.flag] = faults_of(self.model, all_checks=chosen.flag)
            return self._known_faults[chosen.flag]

    def _run(self, lines: Iterable[str], way: "_Way", hurry: bool) -> Iterator[Translation]:
        with way.pool.stream.open(decoded=self.count) as call:
            windows = Windows(lines, call, hurry=hurry)
            finishing = self._finishing(way, lambda: _notify(call))
            try:
                for found in in_order(call, windows, lambda window: self.prepare(window, way), finishing):
                    finishing.take(self.translations(found, way))
                    yield from finishing.ready()
            finally:
                windows.close()
                finishing.close()

    def _finishing(self, way: "_Way", wake: Callable[[], None]) -> Finishing:
        """What holds lines of a call back until they are repaired."""

        def opened(came: Callable[[], None]) -> Call[list[Hypothesis]]:
            settings, search = way_to_repair(self.model, way.options, self.options)
            return self._pool(search, settings).stream.open(decoded=self.count, when_ready=came)

        return Finishing(opened, self._worded, wake)

    @property
    def load(self) -> Load:
        """How many sentences wait, and how many are being decoded, in all ways to search."""
        with self._lock:
            pools = list(self._pools.values())
        loads = [pool.stream.load for pool in pools]
        return Load(sum(load.waiting for load in loads), sum(load.in_work for load in loads))

    def count(self, task: Task, hypotheses: Sequence[Hypothesis]) -> None:
        """Note a sentence that was decoded."""
        with self._lock:
            self.work.decoded += 1
            self.work.source_tokens += len(task.source)
            self.work.target_tokens += hypotheses[0].num_tokens

    def prepare(self, lines: Sequence[str], way: "_Way") -> list[tuple[Prepared, list[Sentence]]]:
        """Find what is to be decoded of each line."""
        src, settings = self.model.tokenizers.src, way.settings
        longest = self.model.architecture.model.max_length - 1
        by_sentence = is_by_sentence(settings.sentences, self.model.architecture.text)
        is_for_model = _is_for_model if way.options.repair else has_words
        wordy = [line for line in lines if is_for_model(line)]
        split = iter(split_lines(wordy, src, longest, by_sentence=by_sentence))
        chosen = set(wordy)
        found = [Prepared(line, next(split) if line in chosen else []) for line in lines]
        with self._lock:
            self.work.parts += sum(len(prepared.parts) for prepared in found)
            self.work.split_lines += sum(len(prepared.parts) > 1 for prepared in found)
        return [(prepared, [self._sentence(part.tokens, settings) for part in prepared.parts]) for prepared in found]

    def _sentence(self, tokens: Sequence[int], settings: DecodingConfig) -> Sentence:
        longest = settings.longest_output(len(tokens) + 1, self.model.max_positions)
        return Sentence((*tokens, self.model.tokenizers.src.eos_id), longest)

    def translations(
        self, lines: Sequence[tuple[Prepared, Sequence[list[Hypothesis]]]], way: "_Way"
    ) -> list[Translation | LineRepair]:
        """Make text of what was found for each line's parts, or what repairs a line that is at fault."""
        texts = iter(self._worded([part for _, found in lines for part in found]))
        return [self._checked(prepared, [next(texts) for _ in found], way) for prepared, found in lines]

    def _worded(self, found: Sequence[Sequence[Hypothesis]]) -> Answers:
        """Hypotheses with their texts."""
        wanted = [hypothesis.tokens for part in found for hypothesis in part]
        texts = iter(self.model.tokenizers.tgt.lines(wanted))
        return [[(one, next(texts)) for one in part] for part in found]

    def _checked(self, prepared: Prepared, found: Answers, way: "_Way") -> Translation | LineRepair:
        translation = translation_of(prepared, found, way.settings.length_penalty, way.options.n_best)
        if way.faults is None:
            return translation
        findings = way.faults.of(prepared.line, translation.text) if prepared.parts else []
        is_sound = not findings and not lost_capitals(prepared.line, translation.text)
        if is_sound or not prepared.parts or not way.options.repair:
            translation = way.faults.told_of(translation, findings)
            self._count_line(translation)
            return translation
        return self._repair(prepared, found, translation, findings, way)

    def _repair(
        self,
        prepared: Prepared,
        found: Answers,
        translation: Translation,
        findings: Sequence[Finding],
        way: "_Way",
    ) -> LineRepair:
        """Repair a line, and count what that takes."""
        assert way.faults is not None, "they were found"
        src, settings = self.model.tokenizers.src, way.settings
        longest, frame = self.model.architecture.model.max_length - 1, Frame.of(prepared.line)

        def sentence_of(tokens: Sequence[int]) -> Sentence | None:
            return self._sentence(tokens, settings) if 0 < len(tokens) <= longest else None

        def join(chosen: Sequence[Worded]) -> Candidate:
            return joined(prepared.parts, chosen, frame, settings.length_penalty)

        lead = src.lead(src.clean(prepared.line))
        for_part = PartTools(way.faults, src, sentence_of, lead)
        repair = repair_line(translation, findings, LineTools(way.faults, prepared.parts, found, join, for_part))
        answers: Answers | None = None
        while True:
            try:
                ask: Ask = repair.send(answers)  # type: ignore[arg-type]  # None begins a generator
            except StopIteration as end:
                self._count_line(end.value)
                return end.value  # type: ignore[no-any-return]
            with self._lock:
                self.work.parts += len(ask.sentences)
            answers = yield ask

    def _count_line(self, translation: Translation) -> None:
        if translation.findings or translation.repaired:
            with self._lock:
                self.work.repaired += bool(translation.repaired)
                self.work.flagged += bool(translation.findings)


def _is_for_model(line: str) -> bool:
    """Whether there is a word to translate in a line, beside URLs, code, placeholders and the like."""
    return has_words(line) and (bool(_PLAIN_WORD.search(line)) or needs_translation(line))


def _notify(call: Call[list[Hypothesis]]) -> None:
    with call.lock:
        call.changed.notify_all()


@dataclass(frozen=True)
class _Way:
    """How one call is translated.

    Attributes:
        pool: engines that search so.
        settings: the options laid over the model's.
        options: as they were given.
        faults: what finds faults; None where nothing looks for any.
    """

    pool: EnginePool
    settings: DecodingConfig
    options: TranslateOptions
    faults: Faults | None
