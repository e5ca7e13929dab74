"""Strings of user interfaces through the model in the box: placeholders come back in all of them, whatever comes."""

import random
from collections.abc import Iterator

import pytest

from mtcli.decoding.options import TranslateOptions
from mtcli.decoding.translator import Translator
from mtcli.documents.segments import Keeping
from mtcli.documents.translate import DocumentOptions, ModelLines, filled, keeping_of
from mtcli.formats.documents.model import Code, CodeKind, Content, Segment, codes_of, plain

FRAMES = (
    "Open {}", "Delete {} from {}?", "{} of {} files copied", "Could not read {}: {}", "Welcome back, {}!",
    "{} was saved at {}.", "Click {} to go on.", "Send {} to {} now", "No results for {}", "Page {} of {}", "{}: {}",
    "The file {} already exists. Replace it?", "Sign in with {}", "{} people like this", "Last seen {}", "Loading {} …",
)  # fmt: skip
PIECES = (
    "%s", "%d", "%1$s", "%2$s", "%(name)s", "%(count)d", "{0}", "{name}", "{{user}}", "${total}", "$name", "<b>",
    "</b>", "<br/>", "https://example.com/help?id=3", "support@example.org", "/etc/hosts", "report.pdf", "v2.10.3",
    "`git pull`", "&nbsp;", "🙂", "--force", "%@", "%.2f", "%%", "[X12X]",
)  # fmt: skip
WORDS = ("the house", "my friend", "this dog", "your book", "the train", "a letter")


def strings(count: int) -> Iterator[Content]:
    """Made-up messages, one of three with a pair of codes around a word."""
    choice = random.Random(7)
    for number in range(count):
        frame = choice.choice(FRAMES)
        texts = [choice.choice(PIECES if choice.random() < 0.8 else WORDS) for _ in range(frame.count("{}"))]
        text = frame.format(*texts)
        words = text.split(" ")
        if number % 3 or len(words) < 3:
            yield (text,)
            continue
        place = choice.randrange(1, len(words) - 1)
        before, after = " ".join(words[:place]) + " ", " " + " ".join(words[place + 1 :])
        yield (before, Code(1, CodeKind.OPEN, "<i>"), words[place], Code(1, CodeKind.CLOSE, "</i>"), after)


@pytest.fixture(scope="module")
def lines() -> ModelLines:
    return ModelLines(Translator(device="cpu"), TranslateOptions())


@pytest.fixture(scope="module")
def keeping() -> Keeping:
    return keeping_of(Translator(device="cpu"), TranslateOptions(), DocumentOptions(protect=(r"\[X\d+X\]",)), "en")


@pytest.mark.parametrize("count", [100, pytest.param(2000, marks=pytest.mark.slow)])
def test_placeholders_come_back_in_all_of_them(count: int, lines: ModelLines, keeping: Keeping) -> None:
    segments = [Segment(id=str(number), content=content) for number, content in enumerate(strings(count))]
    found = [one for group in filled(segments, lines, keeping) for one in group]
    assert len(found) == count
    left = 0
    for segment, one in zip(segments, found, strict=True):
        left += one.content is None
        written = segment.content if one.content is None else one.content
        assert keeping.protection.texts(plain(written)) == keeping.protection.texts(segment.text)
        assert sorted(map(repr, codes_of(written))) == sorted(map(repr, codes_of(segment.content)))
    assert left <= count // 10, "most are translated nevertheless"
