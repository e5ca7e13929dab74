"""Texts in, texts out: the lines of all requests go into their models' streams together.

A text is translated line by line, as `mtcli translate` does with a file; blank lines stay, and so do line ends.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import NamedTuple, Protocol, TypeVar

from mtcli.decoding.alignment import WordAttention
from mtcli.decoding.options import TranslateOptions
from mtcli.decoding.translator import Translator
from mtcli.documents.asking import Link, Rounds
from mtcli.documents.segments import Keeping, fill, groups
from mtcli.documents.units import Protection
from mtcli.errors import MtcliError
from mtcli.formats.documents.model import Filled
from mtcli.serve.admission import Admission
from mtcli.serve.identification import Guess, Identifier
from mtcli.serve.languages import AUTO, name_of, resolve, written
from mtcli.serve.models import Models, Route, ServedModel
from mtcli.serve.pages import HtmlPage
from mtcli.serve.refusals import RefusalError, bad_request
from mtcli.serve.settings import Limits
from mtcli.translation import Translation

_MOST_WORDS = 500  # of a text whose words' attention is told: a number for each pair
_AT_ONCE = 4000  # characters: with more, cutting them into tokens would hold up other requests


@dataclass(frozen=True)
class Translated:
    """What became of a text.

    Attributes:
        candidates: translations, the best first, no two alike.
        source, target: canonical codes.
        detected: how sure the language is, where it was found out.
        pivot: the language between, where no model translates directly.
        flags: names of the checks that have something against the first candidate.
    """

    candidates: tuple[str, ...]
    source: str
    target: str
    detected: Guess | None = None
    pivot: str | None = None
    flags: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.candidates[0]


class _Found(NamedTuple):
    """A text's candidates, the best first, and what checks have against that."""

    candidates: tuple[str, ...]
    flags: tuple[str, ...] = ()


class Marked(Protocol):
    """A text taken apart: what is to be translated of it, and how it is put together again."""

    @property
    def texts(self) -> Sequence[str]:
        """What is to be translated."""

    @property
    def unchanged(self) -> str:
        """The whole as it came."""

    def filled(self, translations: Sequence[str]) -> str:
        """The whole, with these in the place of `texts`."""


class _Text(Protocol):
    """What a request has to translate, taken apart in whichever way."""

    @property
    def texts(self) -> Sequence[str]: ...
    @property
    def unchanged(self) -> str: ...


_Kind = TypeVar("_Kind", bound=_Text)
_Work = Callable[[Route, Sequence[_Kind]], Awaitable[list[_Found]]]
"""Translates texts of one kind along a route."""


@dataclass(frozen=True)
class _Plain:
    texts: tuple[str]

    @property
    def unchanged(self) -> str:
        return self.texts[0]

    def filled(self, translations: Sequence[str]) -> str:
        return translations[0]


class TranslationService:
    """Translates for all interfaces.

    Attributes:
        models: what translates.
        limits: what a request may take.
        admission: what is under way.
        identifier: finds out languages.
        is_ready: whether a model has answered.
        failure: why none could; None where that did not happen.
    """

    def __init__(self, models: Models, options: TranslateOptions, limits: Limits, identifier: Identifier) -> None:
        """Translate with these models, in this way."""
        self.models, self.limits, self.identifier = models, limits, identifier
        self._options = options
        self.admission = Admission(limits.queue)
        self.is_ready = False
        self.failure: str | None = None

    async def translate(self, texts: Sequence[str], source: str, target: str, *, n_best: int = 1) -> list[Translated]:
        """Translate plain texts, in order.

        Args:
            source, target: as the client writes them; `auto` finds the source's out, text by text.
            n_best: candidates a text, at most what the beam has.

        Raises:
            RefusalError: a language is not served, a text too long, the queue full, or it takes too long.
        """
        self.check_size(texts)
        return await self.translate_marked([_Plain((text,)) for text in texts], source, target, n_best=n_best)

    async def translate_marked(
        self, texts: Sequence[Marked], source: str, target: str, *, n_best: int = 1
    ) -> list[Translated]:
        """Translate texts that were taken apart, whose size was checked; those of one language in one go."""

        async def work(route: Route, some: Sequence[Marked]) -> list[_Found]:
            found = iter(await self._along(route, [run for text in some for run in text.texts], n_best))
            return [_filled(text, [next(found) for _ in text.texts]) for text in some]

        return await self._translated(texts, source, target, work)

    async def translate_pages(self, pages: Sequence[HtmlPage], source: str, target: str) -> list[Translated]:
        """Translate texts of HTML, whose size was checked; each has one translation."""
        return await self._translated(pages, source, target, self._pages)

    async def _translated(
        self, texts: Sequence[_Kind], source: str, target: str, work: _Work[_Kind]
    ) -> list[Translated]:
        goal = self._known(target)
        is_auto = source.strip().lower() == AUTO
        guesses = [await self._guess(" ".join(text.texts), goal) if is_auto else None for text in texts]
        sources = [guess.language if guess else self._known(source) for guess in guesses]
        found: dict[int, _Found] = {}
        with self.admission.admit(sum(run.count("\n") + 1 for text in texts for run in text.texts)):
            for language in dict.fromkeys(sources):
                places = [place for place, code in enumerate(sources) if code == language]
                some = await self._in_time([texts[place] for place in places], language, goal, work)
                found |= zip(places, some, strict=True)
        return [
            Translated(found[place].candidates, code, goal, guess, self._pivot(code, goal), found[place].flags)
            for place, (code, guess) in enumerate(zip(sources, guesses, strict=True))
        ]

    async def attention(self, text: str, source: str, target: str) -> tuple[Translated, list[WordAttention]]:
        """Translate a text, and find out which words each word looked at, line by line.

        Nothing is found out of a text of very many words, or over a language between.

        Raises:
            RefusalError: as `translate`.
        """
        self.check_size([text])
        goal = self._known(target)
        guess = await self._guess(text, goal) if source.strip().lower() == AUTO else None
        origin = guess.language if guess else self._known(source)
        route = self.route(origin, goal)
        if route is None or route.pivot or len(text.split()) > _MOST_WORDS:
            [found] = await self.translate([text], origin, goal)
            return replace(found, detected=guess), []
        [model] = route.models
        lines = text.split("\n")
        with self.admission.admit(len(lines)):
            translations = await self._with(model, [line.removesuffix("\r") for line in lines], 1)
            async with model.use_aligner() as aligner:
                looked = await asyncio.to_thread(lambda: [aligner.attention(one) for one in translations])
        ends = ["\r" if line.endswith("\r") else "" for line in lines]
        whole = "\n".join(one.text + end for one, end in zip(translations, ends, strict=True))
        return Translated((whole,), origin, goal, guess), looked

    def check_size(self, texts: Sequence[str]) -> None:
        """Refuse too many texts, too long ones, and what is no text.

        Raises:
            RefusalError: one of them.
        """
        batch, chars = self.limits.batch, self.limits.chars
        if batch is not None and len(texts) > batch:
            raise bad_request(f"Invalid request: request ({len(texts)}) exceeds batch limit ({batch})")
        for text in texts:
            if chars is not None and len(text) > chars:
                raise bad_request(f"Invalid request: request ({len(text)}) exceeds text limit ({chars})")
            if any("\ud800" <= char <= "\udfff" for char in text) if not text.isascii() else False:
                raise bad_request("Invalid request: a text holds half of a surrogate pair, which is no character")

    def route(self, source: str, target: str) -> Route | None:
        """How to translate between two served languages; None where both are the same.

        Raises:
            RefusalError: a language is not served, or the one cannot be translated into the other.
        """
        start, goal = self._known(source), self._known(target)
        if start == goal:
            return None
        route = self.models.route(start, goal)
        if route is None:
            raise bad_request(
                f"{name_of(goal)} ({written(goal)}) is not available as a target language from "
                f"{name_of(start)} ({written(start)})"
            )
        return route

    async def identify(self, text: str, among: Sequence[str] | None = None) -> list[Guess]:
        """Guess which of some languages, or of all that are served, a text is in, the likeliest first."""
        if not self.identifier.is_loaded:
            await asyncio.to_thread(self.identifier.load)
        return self.identifier.guess(text, self.models.languages if among is None else among)

    def _known(self, code: str) -> str:
        found = resolve(code, self.models.languages)
        if found is None:
            raise bad_request(f"{code[:100]} is not supported")
        return found

    async def _guess(self, text: str, target: str) -> Guess:
        """The likeliest language that can be translated into the target."""
        possible = [code for code in self.models.languages if code == target or self.models.route(code, target)]
        return (await self.identify(text, possible))[0]

    def _pivot(self, source: str, target: str) -> str | None:
        route = self.models.route(source, target)
        return route.pivot if route else None

    async def _in_time(self, texts: Sequence[_Kind], source: str, target: str, work: _Work[_Kind]) -> list[_Found]:
        """What becomes of each text, all of one language."""
        route = self.route(source, target)
        if route is None or not any(text.texts for text in texts):
            return [_Found((text.unchanged,)) for text in texts]
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await work(route, texts)
        except TimeoutError:
            raise RefusalError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"The translation took longer than {self.limits.seconds:g} s and was given up. Send less at once.",
                5,
            ) from None

    async def _pages(self, route: Route, pages: Sequence[HtmlPage]) -> list[_Found]:
        """Translate pages segment by segment; their tags come back where the words are that they were at."""
        keeping = Keeping(Protection())
        owners = [(number, group) for number, page in enumerate(pages) for group in groups(page.segments)]
        rounds = Rounds([fill(group, keeping) for _, group in owners])
        while not rounds.is_over:
            lines, linked = rounds.lines, rounds.linked
            found = dict(zip(lines, await self._chain(route, lines, 1), strict=True))
            texts = {line: translation.text for line, translation in found.items()}
            rounds.answer(texts, await self._links(route, {line: found[line] for line in linked}))
        filled: list[list[Filled]] = [[] for _ in pages]
        for (number, _), group in zip(owners, rounds.results, strict=True):
            filled[number] += group
        return [_Found((page.written(own),)) for page, own in zip(pages, filled, strict=True)]

    async def _links(self, route: Route, found: Mapping[str, Translation]) -> dict[str, Sequence[Link]]:
        """Which word of each translation belongs to which of its line; unknown over a language between."""
        if not found or route.pivot:
            return {}
        async with route.models[0].use_aligner() as aligner:
            links = await asyncio.to_thread(aligner.links, list(found.values()))
        return dict(zip(found, links, strict=True))

    async def _chain(self, route: Route, lines: Sequence[str], n_best: int) -> list[Translation]:
        """Translate lines with each model of a route."""
        *before, last = route.models
        for model in before:
            lines = [found.text for found in await self._with(model, lines, 1)]
        return await self._with(last, lines, n_best)

    async def _along(self, route: Route, texts: Sequence[str], n_best: int) -> list[_Found]:
        """Translate with each model of a route; candidates are those of the last."""
        lined = [text.split("\n") for text in texts]
        lines = [line.removesuffix("\r") for text in lined for line in text]
        found = iter(await self._chain(route, lines, n_best))
        return [_candidates([(next(found), "\r" if line.endswith("\r") else "") for line in text]) for text in lined]

    async def _with(self, model: ServedModel, lines: Sequence[str], n_best: int) -> list[Translation]:
        try:
            async with model.use() as translator:
                return await self._decode(translator, lines, n_best)
        except MtcliError as error:
            raise RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, f"The model {model.name} failed: {error}", 30) from None

    async def _decode(self, translator: Translator, lines: Sequence[str], n_best: int) -> list[Translation]:
        beam = self._options.resolve(translator.options).beam_size
        options = replace(self._options, n_best=min(n_best, beam))
        if sum(map(len, lines)) <= _AT_ONCE:
            futures = translator.submit(lines, options)
        else:
            futures = await _submitted(translator, lines, options)
        return await _results(futures)


async def _submitted(
    translator: Translator, lines: Sequence[str], options: TranslateOptions
) -> "list[Future[Translation]]":
    """Begin to translate in another thread; whoever is cancelled meanwhile takes the lines back once they are in."""
    task = asyncio.get_running_loop().run_in_executor(None, translator.submit, lines, options)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(lambda done: None if done.exception() else _give_up(done.result()))
        raise


async def _results(futures: "Sequence[Future[Translation]]") -> list[Translation]:
    """Wait for all of a call's lines: they are done in order, and a failure is one of all that are left."""
    if not futures:
        return []
    try:
        await asyncio.wrap_future(futures[-1])
    except asyncio.CancelledError:
        _give_up(futures)
        raise
    return [future.result() for future in futures]


def _give_up(futures: "Sequence[Future[Translation]]") -> None:
    """Free the slots of a call; from its end, since each looks whether those before it are given up as well."""
    for future in reversed(futures):
        future.cancel()


def _filled(text: Marked, runs: Sequence[_Found]) -> _Found:
    """A text's translations, from the candidates of each of its runs."""
    runs_of = [run.candidates for run in runs]
    ranks = max(map(len, runs_of), default=1)
    filled = (text.filled([run[min(rank, len(run) - 1)] for run in runs_of]) for rank in range(ranks))
    return _Found(tuple(dict.fromkeys(filled)), tuple(dict.fromkeys(flag for run in runs for flag in run.flags)))


def _candidates(lines: Sequence[tuple[Translation, str]]) -> _Found:
    """A text's translations: rank r has that of each line, or the last that the line has."""
    ranks = max(len(found.n_best) for found, _ in lines)
    texts = (
        "\n".join(found.n_best[min(rank, len(found.n_best) - 1)].text + ending for found, ending in lines)
        for rank in range(ranks)
    )
    flags = dict.fromkeys(one.check for found, _ in lines for one in found.findings)
    return _Found(tuple(dict.fromkeys(texts)), tuple(flags))
