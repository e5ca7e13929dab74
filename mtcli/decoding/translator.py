"""Lines in, translations out, in order: cleaning, splitting, decoding, text again."""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

from mtcli.config import DecodingConfig
from mtcli.data.tokenizer import Tokenizer
from mtcli.decoding import engines
from mtcli.decoding.frame import Frame
from mtcli.decoding.lines import Part, is_invisible, one_line, rejoin, split_line
from mtcli.decoding.pool import EnginePool
from mtcli.decoding.search import Hypothesis, SearchOptions, Sentence, Task
from mtcli.decoding.stream import Call
from mtcli.decoding.windows import Windows, in_order
from mtcli.devices import decoding_dtype, resolve_device
from mtcli.errors import UsageError
from mtcli.model_directory.box import IN_THE_BOX
from mtcli.model_directory.loading import LoadedModel, load_model
from mtcli.translation import Candidate, Translation

_KEPT = 4  # ways to search whose pools are kept, with their memory


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


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A line and what the model is to translate of it: nothing, one part, or several."""

    line: str
    parts: Sequence[Part]


class Translator:
    """Translates lines with one model. May be used from several threads at once.

    A line's translation depends on nothing but the line, the model and the options (mtcli/decoding/shapes.py). All
    calls share the engines of their way to search (mtcli/decoding/stream.py).

    Attributes:
        model: the network and its tokenizers.
        options: the defaults of `translate`.
        work: what has been done so far, in all calls.
    """

    def __init__(
        self,
        model: str | Path | LoadedModel = IN_THE_BOX,
        options: DecodingConfig | None = None,
        *,
        device: str = "auto",
        dtype: str = "auto",
        attention: str = "auto",
        engine: str = "torch",
        independent: bool = True,
    ) -> None:
        """Load a model directory, or take a model that is loaded.

        Args:
            model: a directory that `mtcli train` made; by default the model that comes with mtcli.
            options: how to decode; by default as the model's own config.json says.
            device: `auto`, `cpu`, `cuda` or `cuda:N`; auto takes a GPU if there is one.
            dtype: number type of the arithmetic: `auto`, `float32`, `bfloat16` or `float16`.
            attention: form of the attention operations, as `mtcli translate --attention`.
            engine: what decodes, one of `mtcli.decoding.engines.NAMES`.
            independent: False lets a translation depend, in its last bits, on what is translated beside it.

        Raises:
            CheckpointError: the directory is no model, or damaged.
            BackendUnavailableError: the device, number type or form of attention is not to be had here.
        """
        if not isinstance(model, LoadedModel):
            where = resolve_device(device)
            model = load_model(Path(model), where, decoding_dtype(dtype, where))
            model.network.attention = attention
        self.model, self.options = model, options or model.architecture.decoding
        self._engines, self._independent = engines.load(engine), independent
        self._pools: OrderedDict[SearchOptions, EnginePool] = OrderedDict()
        self._lock = threading.Lock()
        self.work = Work()
        model.implementations(self.options.beam_size)

    @overload
    def translate(  # type: ignore[overload-overlap]  # a sequence is an iterable too
        self,
        lines: Sequence[str],
        *,
        beam_size: int | None = None,
        n_best: int = 1,
        length_penalty: float | None = None,
        hurry: bool = False,
    ) -> list[Translation]: ...
    @overload
    def translate(
        self,
        lines: Iterable[str],
        *,
        beam_size: int | None = None,
        n_best: int = 1,
        length_penalty: float | None = None,
        hurry: bool = False,
    ) -> Iterator[Translation]: ...

    def translate(
        self,
        lines: Iterable[str],
        *,
        beam_size: int | None = None,
        n_best: int = 1,
        length_penalty: float | None = None,
        hurry: bool = False,
    ) -> list[Translation] | Iterator[Translation]:
        """Translate lines, in order: one result for each.

        A sequence gives a list. Any other iterable gives an iterator, which yields each result as soon as it and
        those before it are there; a thread reads a few thousand lines ahead of it. Closing the iterator stops all
        work. An error of the iterable is raised after the results of the lines before it.

        Args:
            lines: text without line ends.
            beam_size: live hypotheses a sentence; 1 is greedy.
            n_best: translations a line, at most the beam.
            length_penalty: A in score = log-probability / tokens ** A.
            hurry: whether somebody waits for the first results: lines are translated as they arrive, without waiting
                for others to sort them with.

        Raises:
            UsageError: n_best is larger than the beam, or `lines` is a string.
            BackendUnavailableError: the form of attention that was asked for cannot run with this beam.
            MtcliError: memory does not suffice for a single sentence, or the network's output is not a number.
        """
        if isinstance(lines, str | bytes):
            raise UsageError("Translator.translate takes lines, such as a list of strings; it was given one string.")
        pool = self._pool(beam_size, n_best, length_penalty)
        found = self._run(lines, pool, hurry)
        return list(found) if isinstance(lines, Sequence) else found

    def submit(
        self,
        lines: Sequence[str],
        *,
        beam_size: int | None = None,
        n_best: int = 1,
        length_penalty: float | None = None,
    ) -> list["Future[Translation]"]:
        """Begin to translate lines, and return at once: one future for each.

        The engines take lines of all that is going on in turn, so that many small calls are as fast as a large one.
        Cancelling all futures of a call frees the engines of it.

        Args:
            lines, beam_size, n_best, length_penalty: as `translate` has them.

        Raises:
            UsageError, BackendUnavailableError: as `translate`; what else it raises comes from the futures.
        """
        pool = self._pool(beam_size, n_best, length_penalty)
        return _Submission(self, pool, [self._prepare(line) for line in lines]).futures

    def _pool(self, beam_size: int | None, n_best: int, length_penalty: float | None) -> EnginePool:
        given = {"beam_size": beam_size, "length_penalty": length_penalty}
        known: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        config = DecodingConfig.model_validate({**self.options.model_dump(), **known})
        if not 1 <= n_best <= config.beam_size:
            raise UsageError(f"--n-best {n_best} needs a beam of at least {n_best}; --beam-size is {config.beam_size}.")
        self.model.implementations(config.beam_size)
        search = search_options(config, self.model.tokenizers.tgt, n_best)
        with self._lock:
            if search not in self._pools:
                made = self._engines(self.model.network, search, independent=self._independent)
                tokens = None if config.batch_tokens == "auto" else config.batch_tokens
                self._pools[search] = EnginePool(made, batch_tokens=tokens)
            self._pools.move_to_end(search)
            while len(self._pools) > _KEPT:
                self._pools.popitem(last=False)
            return self._pools[search]

    def _run(self, lines: Iterable[str], pool: EnginePool, hurry: bool) -> Iterator[Translation]:
        with pool.stream.open(decoded=self.count) as call:
            windows = Windows(lines, call, hurry=hurry)
            try:
                for prepared, hypotheses in in_order(call, windows, self._prepare):
                    yield self.translation(prepared, hypotheses, pool.options.length_penalty)
            finally:
                windows.close()

    def count(self, task: Task, hypotheses: Sequence[Hypothesis]) -> None:
        """Note a sentence that was decoded."""
        with self._lock:
            self.work.decoded += 1
            self.work.source_tokens += len(task.source)
            self.work.target_tokens += hypotheses[0].num_tokens

    def _prepare(self, line: str) -> tuple[_Prepared, list[Sentence]]:
        """What is to be decoded of a line."""
        src = self.model.tokenizers.src
        longest = self.model.architecture.model.max_length - 1
        parts = [] if is_invisible(line) else split_line(line, src, longest)
        with self._lock:
            self.work.parts += len(parts)
            self.work.split_lines += len(parts) > 1
        return _Prepared(line, parts), [
            Sentence((*part.tokens, src.eos_id), self._longest_output(len(part.tokens) + 1)) for part in parts
        ]

    def _longest_output(self, source_length: int) -> int:
        """The longest output of a source of so many tokens, in tokens."""
        return self.options.longest_output(source_length, self.model.network.max_positions)

    def translation(self, prepared: _Prepared, found: Sequence[list[Hypothesis]], length_penalty: float) -> Translation:
        """Join what was found for a line's parts: rank r of its n-best list has their translations of rank r."""
        line, parts = prepared.line, prepared.parts
        if not parts:
            return Translation(line, (Candidate(one_line(line), 0.0, 0.0, 0),))
        ranks, frame = max(len(part) for part in found), Frame.of(line)
        joined = (
            self._join(parts, [part[min(rank, len(part) - 1)] for part in found], length_penalty)
            for rank in range(ranks)
        )
        n_best = tuple(replace(candidate, text=frame.around(candidate.text)) for candidate in joined)
        return Translation(line, n_best, tuple(part.text for part in parts))

    def _join(self, parts: Sequence[Part], chosen: Sequence[Hypothesis], length_penalty: float) -> Candidate:
        log_prob = sum(hypothesis.log_prob for hypothesis in chosen)
        num_tokens = sum(hypothesis.num_tokens for hypothesis in chosen)
        texts = [self._text(part, hypothesis) for part, hypothesis in zip(parts, chosen, strict=True)]
        tokens = tuple(token for hypothesis in chosen for token in hypothesis.tokens)
        score = log_prob / num_tokens**length_penalty
        return Candidate(rejoin(texts), score, log_prob, num_tokens, tuple(texts), tokens)

    def _text(self, part: Part, hypothesis: Hypothesis) -> str:
        """The hypothesis as text; the source where it has none, so that nothing comes out blank."""
        text = self.model.tokenizers.tgt.line(hypothesis.tokens)
        return one_line(part.text) if is_invisible(text) else text


class _Submission:
    """Lines of `Translator.submit` on their way; the engines' threads resolve their futures."""

    def __init__(
        self, translator: Translator, pool: EnginePool, prepared: Sequence[tuple[_Prepared, list[Sentence]]]
    ) -> None:
        self._translator, self._penalty = translator, pool.options.length_penalty
        self._waiting = deque(line for line, _ in prepared)
        self.futures: list[Future[Translation]] = [Future() for _ in prepared]
        self._left = deque(self.futures)
        self._resolving = threading.Lock()
        self._call: Call[list[Hypothesis]] = pool.stream.open(decoded=translator.count, when_ready=self._resolve)
        for future in self.futures:
            future.add_done_callback(self._close_if_unwanted)
        self._call.add([sentences for _, sentences in prepared], last=True)
        self._resolve()  # lines that there is nothing to decode of

    def _resolve(self) -> None:
        with self._resolving:
            try:
                for hypotheses in self._call.ready():
                    translation = self._translator.translation(self._waiting.popleft(), hypotheses, self._penalty)
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
