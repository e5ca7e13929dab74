"""The one normalisation: what cannot be seen changes nothing, what a script or an emoji needs stays."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sentences import sentences

from mtcli.data.normalisation import FIRST, invisible_among, normalise, without_invisible
from mtcli.data.tokenizer import Tokenizer, train_tokenizer

texts = st.text(st.characters(codec="utf-8"), max_size=40)
INVISIBLE = (
    *("\0", "\x07", "\x1b", "\x7f", "\x9f", "\u00ad", "\u034f", "\u061c", "\u180e", "\u200b", "\u200c", "\u200d"),
    *("\u200e", "\u200f", "\u202a", "\u202c", "\u202e", "\u2060", "\u2063", "\u2066", "\u2067", "\u2068", "\u2069"),
    *("\u206f", "\ufe0e", "\ufe0f", "\ufeff", "\ufff9", "\U000e0001", "\U000e0067", "\U000e0100", "\u180b"),
)
SPACES = "\u00a0\u2007\u2009\u200a\u202f\u205f\u3000\u2800\u3164\t\x0b\x85"


@pytest.mark.parametrize("char", INVISIBLE, ids=ascii)
@pytest.mark.parametrize(
    "line", ["{0}the dog runs", "the d{0}og runs", "the dog{0} runs", "the dog runs{0}", "{0}{0} x"]
)
def test_what_cannot_be_seen_is_not_read(line: str, char: str) -> None:
    assert normalise(line.format(char)) == normalise(line.format(""))


@pytest.mark.parametrize("char", SPACES, ids=ascii)
def test_spaces_of_all_kinds_are_one_space(char: str) -> None:
    assert normalise(f"{char}the{char}{char}dog {char}\u200b runs{char}") == "the dog runs"


@pytest.mark.parametrize(
    "text",
    [
        "می‌خواهم کتاب‌ها",  # Persian, U+200C between letters
        "ه‍",  # an Arabic letter in the form that joins, with U+200D
        "ന്‍ ക്‍ഷ र्‍य",  # Malayalam and Devanagari, U+200D behind the sign that drops a vowel
        "क्‌ष",  # U+200C keeps letters apart
        "👩‍🔬 👨🏽‍🚀 ❤️‍🔥 🙂‍↔️",
        "❤️ ☎︎ 1️⃣ #️⃣ ©️",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "葛󠄀飾区 辻︀",
        "ᠠ᠋",
        "\u0600١٢ \u06dd",  # visible signs that Unicode counts among the format characters
    ],
)
def test_what_a_script_or_an_emoji_needs_stays(text: str) -> None:
    assert normalise(text) == text


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("می‌‌خواهم", "می‌خواهم"),  # one joiner does what two do
        ("سلام‌ .", "سلام ."),
        ("A️", "A"),
        ("1️ 2", "1 2"),
        ("a‍b", "ab"),
        ("👩‍", "👩"),
        ("🏴󠁧󠁢 x", "🏴 x"),
        ("e\u200b\u0301", "é"),
        ("\u2067שלום\u2069 (Tom\u200e)", "שלום (Tom)"),
    ],
    ids=ascii,
)
def test_what_nothing_needs_goes(text: str, read: str) -> None:
    assert normalise(text) == read


@given(texts)
def test_doing_it_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(
    texts.filter(lambda text: without_invisible(text) == text),
    st.sampled_from("\u200b\u200e\u2066\ufeff\u00ad\0\u2060"),
    st.integers(0, 40),
)
def test_one_more_invisible_character_changes_nothing(text: str, char: str, place: int) -> None:
    assert normalise(text[:place] + char + text[place:]) == normalise(text)


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=40))
def test_text_that_can_be_seen_is_composed_and_spaced_alone(text: str) -> None:
    """As models of the first version learnt it."""
    if not set(text) & set("\u3164\uffa0"):
        assert normalise(text) == " ".join(unicodedata.normalize("NFC", text).split())


def test_visible_text_stays_as_it_is_but_for_what_is_left_out() -> None:
    assert without_invisible("  e\u0301\u200b  \u00a0x ") == "  e\u0301  \u00a0x "


def early_tokenizer(word: str) -> Tokenizer:
    model, _ = train_tokenizer([*sentences(100, seed=1), *[word] * 40], vocab_size=330)
    assert not model.known
    return Tokenizer(model.model, normalisation=FIRST)


def test_an_early_model_reads_on_what_it_has_pieces_for() -> None:
    """Its training text was full of it: Khmer with its words apart, say."""
    text = "ab\u200bcd"
    pieces = ["\u2581a", "b\u200b", "cd", "\ufeff", "<0x0A>"]
    assert invisible_among(pieces) == {"\u200b"}
    assert normalise(f"\ufeff{text}\u200e", invisible_among(pieces)) == text
    assert normalise(text) == "abcd"


def test_an_early_model_is_spared_what_it_does_not_know() -> None:
    tokenizer = early_tokenizer("dog")
    assert tokenizer.known == frozenset()
    assert tokenizer.encode("the\u200e d\u00adog") == tokenizer.encode("the dog")
    assert tokenizer.surface("\u2066the dog\u2069") == "▁the▁dog"
