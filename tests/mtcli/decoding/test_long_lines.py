"""Over-long lines: split where it hurts least, never cut, joined again."""

from hypothesis import example, given
from hypothesis import strategies as st
from support.examples import examples
from support.hostile import line_text
from support.sentences import sentences, small_tokenizer

from mtcli.data.normalisation import normalise
from mtcli.decoding.lines import is_blank, is_invisible, one_line, split_line

text = st.one_of(
    line_text, st.lists(st.sampled_from([*sentences(20, seed=3), "a,", "b;", "。", "، ", "…"])).map(" ".join)
)


@examples(60, 800)
@given(text, st.integers(6, 40))  # a character may take four bytes and a space
@example("▁ \x00\x00 \x00", 6)  # more tokens together than its words have apart
def test_parts_fit_and_hold_the_whole_line(line: str, longest: int) -> None:
    parts = split_line(line, small_tokenizer(), longest)
    whole = normalise(line.lstrip("\ufeff"))
    assert "".join(part.text for part in parts).replace(" ", "") == whole.replace(" ", "")
    for part in parts:
        assert len(part.tokens) <= longest
        assert part.tokens == small_tokenizer().encode(part.text)
        assert part.text == one_line(part.text)


@given(line_text)
def test_one_line_has_no_break_and_no_tab(line: str) -> None:
    cleaned = one_line(line)
    assert not set(cleaned) & set("\n\r\t\v\f\x1c\x1d\x1e\x85\u2028\u2029")
    assert is_blank(cleaned) == is_blank(line)
    assert is_invisible(cleaned) == is_invisible(line)


def test_four_hundred_sentences_are_four_hundred_parts() -> None:
    assert [part.text for part in split_line("A dog. " * 400, small_tokenizer(), 20)] == ["A dog."] * 400


def test_a_word_of_twenty_thousand_characters_comes_through() -> None:
    word = "abcdefghij" * 2000
    parts = split_line(word, small_tokenizer(), 50)
    assert "".join(part.text for part in parts) == word
    assert max(len(part.tokens) for part in parts) <= 50


def test_clauses_are_split_before_words() -> None:
    line = "the small cat walks under the house, the big dog runs behind the blue street, and then sleeps slowly"
    longest = len(small_tokenizer().encode("the big dog runs behind the blue street,")) + 2
    parts = split_line(line, small_tokenizer(), longest)
    assert [part.text for part in parts] == [
        "the small cat walks under the house,",
        "the big dog runs behind the blue street,",
        "and then sleeps slowly",
    ]


def test_a_byte_order_mark_is_not_read() -> None:
    assert split_line("\ufeffthe cat", small_tokenizer(), 20)[0].text == "the cat"
    assert is_invisible("\ufeff")
