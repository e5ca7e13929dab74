"""Lines in, translations out, in order: cleaning, splitting, decoding, text again."""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

from mtcli.config import DecodingConfig
from mtcli.data.conventions import TextConventions
from mtcli.data.tokenizer import Tokenizer
from mtcli.decoding.backend import Backend
from mtcli.decoding.frame import Frame
from mtcli.decoding.lines import Part, copied, has_words, is_invisible, one_line, rejoin, split_lines
from mtcli.decoding.options import ComputeOptions, TranslateOptions
from mtcli.decoding.pool import EnginePool
from mtcli.decoding.search import Hypothesis, SearchOptions, Sentence, Task
from mtcli.decoding.stream import Call, Load
from mtcli.decoding.windows import Windows, in_order
from mtcli.errors import UsageError
from mtcli.model_directory.box import IN_THE_BOX
from mtcli.model_directory.model import Model, StoredModel
from mtcli.translation import Candidate, Translation

_SEVERAL_ARE_KNOWN = 0.25  # share of training lines: fewer teach nothing of lines with many sentences
_KEPT = 4  # ways to search whose pools are kept, with their memory


_Worded = list[tuple[Hypothesis, str]]
"""A part's hypotheses, best first, each with its text."""


@dataclass
class Work:
    """What a translator has done so far.

    Attributes:
        parts: pieces of lines that the model was to translate; an over-long line has several.
        split_lines: lines of more than one part.
        decoded: parts that were decoded: equal ones are decoded once.
        source_tokens, target_tokens: tokens of the decoded parts and their best translations, end tokens included.
    """

    parts: int = 0
    split_lines: int = 0
    decoded: int = 0
    source_tokens: int = 0
    target_tokens: int = 0


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


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A line and what the model is to translate of it: nothing, one part, or several."""

    line: str
    parts: Sequence[Part]


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
        return _Submission(self, way, self.prepare(lines, way)).futures

    def _way(self, options: TranslateOptions | None, given: Mapping[str, Any]) -> "_Way":
        """What the options come to, with engines that search so."""
        chosen = replace(options or TranslateOptions(), **given)
        settings, search = way_to_search(self.model, chosen, self.options)
        tokens = None if settings.batch_tokens == "auto" else settings.batch_tokens
        with self._lock:
            if (search, tokens) not in self._pools:
                self._pools[search, tokens] = EnginePool(self.backend.engines(search), batch_tokens=tokens)
            self._pools.move_to_end((search, tokens))
            while len(self._pools) > _KEPT:
                self._pools.popitem(last=False)
            return _Way(self._pools[search, tokens], settings, chosen.n_best)

    def _run(self, lines: Iterable[str], way: "_Way", hurry: bool) -> Iterator[Translation]:
        with way.pool.stream.open(decoded=self.count) as call:
            windows = Windows(lines, call, hurry=hurry)
            try:
                for found in in_order(call, windows, lambda window: self.prepare(window, way)):
                    yield from self.translations(found, way)
            finally:
                windows.close()

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

    def prepare(self, lines: Sequence[str], way: "_Way") -> list[tuple[_Prepared, list[Sentence]]]:
        """Find what is to be decoded of each line."""
        src, settings = self.model.tokenizers.src, way.settings
        longest, positions = self.model.architecture.model.max_length - 1, self.model.max_positions
        by_sentence = is_by_sentence(settings.sentences, self.model.architecture.text)
        wordy = [line for line in lines if has_words(line)]
        split = iter(split_lines(wordy, src, longest, by_sentence=by_sentence))
        found = [_Prepared(line, next(split) if has_words(line) else []) for line in lines]
        with self._lock:
            self.work.parts += sum(len(prepared.parts) for prepared in found)
            self.work.split_lines += sum(len(prepared.parts) > 1 for prepared in found)
        return [
            (
                prepared,
                [
                    Sentence((*part.tokens, src.eos_id), settings.longest_output(len(part.tokens) + 1, positions))
                    for part in prepared.parts
                ],
            )
            for prepared in found
        ]

    def translations(
        self, lines: Sequence[tuple[_Prepared, Sequence[list[Hypothesis]]]], way: "_Way"
    ) -> list[Translation]:
        """Make text of what was found for each line's parts."""
        wanted = [hypothesis.tokens for _, found in lines for part in found for hypothesis in part]
        texts = iter(self.model.tokenizers.tgt.lines(wanted))
        return [
            self._translation(prepared, [[(one, next(texts)) for one in part] for part in found], way)
            for prepared, found in lines
        ]

    def _translation(self, prepared: _Prepared, found: Sequence[_Worded], way: "_Way") -> Translation:
        """Join a line's parts: rank r of its list has their translations of rank r.

        Of those with the same text, cut into other tokens, the best stays; the list has at most `n_best`.
        """
        line, parts = prepared.line, prepared.parts
        if not parts:
            return Translation(line, (Candidate(copied(line), 0.0, 0.0, 0),))
        frame, penalty = Frame.of(line), way.settings.length_penalty
        by_text: dict[str, Candidate] = {}
        for rank in range(max(map(len, found))):
            candidate = _joined(parts, [part[min(rank, len(part) - 1)] for part in found], frame, penalty)
            by_text.setdefault(candidate.text, candidate)
        return Translation(line, tuple(by_text.values())[: way.n_best], tuple([part.text for part in parts]))


def _joined(
    parts: Sequence[Part], chosen: Sequence[tuple[Hypothesis, str]], frame: Frame, length_penalty: float
) -> Candidate:
    """One candidate of a line, from a hypothesis of each part and its text; what has none is copied from the source."""
    log_prob = sum([hypothesis.log_prob for hypothesis, _ in chosen])
    num_tokens = sum([hypothesis.num_tokens for hypothesis, _ in chosen])
    texts = [one_line(part.text) if is_invisible(text) else text for part, (_, text) in zip(parts, chosen, strict=True)]
    tokens = tuple([token for hypothesis, _ in chosen for token in hypothesis.tokens])
    whole = frame.around(rejoin(texts, [part.gap for part in parts]))
    return Candidate(whole, log_prob / num_tokens**length_penalty, log_prob, num_tokens, tuple(texts), tokens)


@dataclass(frozen=True)
class _Way:
    """How one call is translated.

    Attributes:
        pool: engines that search so.
        settings: the options laid over the model's.
        n_best: translations a line, at most.
    """

    pool: EnginePool
    settings: DecodingConfig
    n_best: int


class _Submission:
    """Lines of `Translator.submit` on their way; the engines' threads resolve their futures."""

    def __init__(self, translator: Translator, way: _Way, prepared: Sequence[tuple[_Prepared, list[Sentence]]]) -> None:
        self._translator, self._way = translator, way
        self._waiting = deque(line for line, _ in prepared)
        self.futures: list[Future[Translation]] = [Future() for _ in prepared]
        self._left = deque(self.futures)
        self._resolving = threading.Lock()
        self._call: Call[list[Hypothesis]] = way.pool.stream.open(decoded=translator.count, when_ready=self._resolve)
        for future in self.futures:
            future.add_done_callback(self._close_if_unwanted)
        self._call.add([sentences for _, sentences in prepared], last=True)
        self._resolve()  # lines that there is nothing to decode of

    def _resolve(self) -> None:
        with self._resolving:
            try:
                ready = [(self._waiting.popleft(), hypotheses) for hypotheses in self._call.ready()]
                for translation in self._translator.translations(ready, self._way):
                    _resolve_one(self._left.popleft(), translation)
            except BaseException as error:  # noqa: BLE001 (raised again by whoever asks for a result)
                self._call.close()
                while self._left:
                    future = self._left.popleft()
                    if future.set_running_or_notify_cancel():
                        future.set_exception(error)
            if not self._left:
                self._call.close()

    def _close_if_unwanted(self, future: "Future[Translation]") -> None:
        if future.cancelled() and all(other.done() for other in self.futures):
            self._call.close()


def _resolve_one(future: "Future[Translation]", translation: Translation) -> None:
    if future.set_running_or_notify_cancel():
        future.set_result(translation)
