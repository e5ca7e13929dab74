"""Lines before and after the model: blank, invisible and over-long ones, and parts rejoined."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sentences import sentences, small_tokenizer

from mtcli.data.normalisation import normalise
from mtcli.decoding.lines import Part, copied, has_words, is_blank, is_invisible, rejoin, split_line

# Text of many shapes: real sentences, punctuation of several scripts, and anything else.
fragments = st.one_of(
    st.sampled_from(sentences(30, seed=4)),
    st.sampled_from(
        ["3,000", "10:30", "e.g.", "Dr.", "너의 집,", "你好。世界！", "今日は、", "😀", "–", "؟", "\u0301", "word" * 20]
    ),
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.text(".,;:!?。、 \t\u2028\u00a0", max_size=6),
)
lines = st.tuples(st.lists(fragments, max_size=12), st.sampled_from(["", " "])).map(lambda case: case[1].join(case[0]))
# A character outside the vocabulary takes up to five tokens: a space and four bytes.
limits = st.integers(5, 40)


def parts_of(line: str, max_tokens: int) -> list[Part]:
    return split_line(line, small_tokenizer(), max_tokens)


def texts_of(line: str, max_tokens: int) -> list[str]:
    return [part.text for part in parts_of(line, max_tokens)]


def num_tokens(text: str) -> int:
    return len(small_tokenizer().encode(text))


def unspaced(text: str) -> str:
    return "".join(text.split())


@given(lines, limits)
def test_splitting_loses_no_character(line: str, max_tokens: int) -> None:
    assert unspaced("".join(texts_of(line, max_tokens))) == unspaced(normalise(line))


@given(lines, limits)
def test_every_part_fits_the_model(line: str, max_tokens: int) -> None:
    assert all(len(part.tokens) <= max_tokens for part in parts_of(line, max_tokens))


@given(lines, limits)
def test_a_part_has_its_own_tokens_and_text(line: str, max_tokens: int) -> None:
    for part in parts_of(line, max_tokens):
        assert part.tokens == small_tokenizer().encode(part.text)
        assert part.text == part.text.strip()
        assert part.text or not line.strip()


@given(lines, limits)
def test_a_line_that_fits_is_one_part(line: str, max_tokens: int) -> None:
    tokens = small_tokenizer().encode(line)
    parts = parts_of(line, max_tokens)
    assert (len(tokens) <= max_tokens) == (parts == [Part(normalise(line), tokens)])


def test_a_long_line_is_split_at_its_sentences() -> None:
    given_sentences = sentences(5, seed=4)
    longest = max(map(num_tokens, given_sentences))
    assert texts_of(" ".join(given_sentences), longest) == given_sentences


def test_sentences_do_not_share_a_part() -> None:
    short = ["The cat sleeps.", "The dog runs.", "A man walks."]
    assert texts_of(" ".join(short), num_tokens(" ".join(short)) - 1) == short


def test_a_long_sentence_is_split_at_its_clauses() -> None:
    clauses = ["The cat sleeps,", "the dog runs under the tree,", "and the man never goes"]
    assert texts_of(" ".join(clauses), num_tokens(clauses[1])) == clauses


def test_short_clauses_share_a_part() -> None:
    line = "a cat, a dog, a man, a tree"
    assert texts_of(line, num_tokens("a cat, a dog,")) == ["a cat, a dog,", "a man, a tree"]


def test_a_long_clause_is_split_between_words() -> None:
    line = "the cat and the dog and the man and the woman"
    parts = texts_of(line, num_tokens("the cat and"))
    assert " ".join(parts) == line
    assert len(parts) == 4


def test_a_long_word_is_split_between_characters() -> None:
    word = "😀나" * 20
    parts = texts_of(word, 9)
    assert "".join(parts) == word
    assert "\ufffd" not in "".join(parts)


def test_a_long_word_is_split_into_few_parts() -> None:
    word = "houses" * 40
    assert len(texts_of(word, 20)) <= num_tokens(word) // 20 + 2


@pytest.mark.parametrize("inside", ["3,000", "10:30", "http://a.b/c;d", "1.5"])
def test_punctuation_inside_a_word_ends_no_clause(inside: str) -> None:
    line = f"the cat sees {inside} and the dog"
    max_tokens = num_tokens(line) - 1
    assert any(inside in text for text in texts_of(line, max_tokens))


def test_a_part_keeps_the_spaces_of_its_line() -> None:
    line = "สวัสดี ครับ " * 12
    assert all(text in line for text in texts_of(line, 100))
    assert any(" " in text for text in texts_of(line, 100))


def test_scripts_without_spaces_are_split_at_their_sentences() -> None:
    assert texts_of("你好世界。今天很好。", num_tokens("今天很好。")) == ["你好世界。", "今天很好。"]


@pytest.mark.parametrize("line", ["", " ", "\t", "\u3000\u00a0\u2028\u0085\x0c\r"])
def test_white_space_is_blank(line: str) -> None:
    assert is_blank(line)


@pytest.mark.parametrize("line", ["a", " .", "\x00", "\u200b", "\ufeff"])
def test_anything_else_is_not_blank(line: str) -> None:
    assert not is_blank(line)


@pytest.mark.parametrize("line", ["\u200b", "\x00", " \u200b\t", "\ufeff\u2060", "\x07"])
def test_control_and_format_characters_are_invisible(line: str) -> None:
    assert is_invisible(line)


@pytest.mark.parametrize("line", ["\u200ba", ".", "😀", "\u0301", "나"])
def test_what_can_be_seen_is_not_invisible(line: str) -> None:
    assert not is_invisible(line)


@given(lines)
def test_a_line_that_reaches_the_model_has_text(line: str) -> None:
    if not is_blank(line) and not is_invisible(line):
        assert all(part.text for part in parts_of(line, 10))


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        ([], ""),
        (["one"], "one"),
        (["One.", "Two.", "Three."], "One. Two. Three."),
        (["집에 간다.", "나는"], "집에 간다. 나는"),
        (["你好。", "世界！", "再见"], "你好。世界！再见"),
        (["今日は、", "元気"], "今日は、元気"),
        (["カタカナ", "ひらがな"], "カタカナひらがな"),
        (["สวัสดี", "ครับ"], "สวัสดีครับ"),
        (["你好", "world", "世界"], "你好 world 世界"),
        (["one", "", "two"], "one two"),
        (["", "one"], "one"),
        (["one", ""], "one"),
    ],
)
def test_parts_are_rejoined_as_their_script_writes(parts: list[str], line: str) -> None:
    assert rejoin(parts) == line


@given(lines, limits)
def test_parts_by_sentence_lose_nothing_and_fit(line: str, max_tokens: int) -> None:
    parts = split_line(line, small_tokenizer(), max_tokens, by_sentence=True)
    assert unspaced("".join(part.text for part in parts)) == unspaced(normalise(line))
    assert all(len(part.tokens) <= max_tokens for part in parts)
    assert all(part.tokens == small_tokenizer().encode(part.text) for part in parts)


def test_each_sentence_is_a_part_where_that_is_wanted() -> None:
    line = "The cat sleeps. The dog runs!  A man walks.   "
    parts = split_line(line, small_tokenizer(), 500, by_sentence=True)
    assert [part.text for part in parts] == ["The cat sleeps.", "The dog runs!", "A man walks."]
    assert [part.gap for part in parts] == ["", "  ", ""]
    assert [part.text for part in split_line(line, small_tokenizer(), 500)] == [normalise(line)]


def test_gaps_are_those_of_the_line() -> None:
    line = "  A cat.\u200b A  dog.    Yes!\u00a0Maybe.\tSo?  "
    parts = split_line(line, small_tokenizer(), 500, by_sentence=True)
    assert [(part.text, part.gap) for part in parts] == [
        ("A cat.", ""),
        ("A dog.", "    "),
        ("Yes!", ""),
        ("Maybe.", ""),
        ("So?", ""),
    ]
    assert rejoin(["Eine Katze.", "Ein Hund.", "Ja!", "Nein.", "So?"], [part.gap for part in parts]) == (
        "Eine Katze. Ein Hund.    Ja! Nein. So?"
    )


@pytest.mark.parametrize("line", ["102", "---", "🎉", "->", "▁", "$1,299.99", "½ €", "  5  ", "1.\u00a02."])
def test_what_has_no_letter_is_copied(line: str) -> None:
    assert not has_words(line)
    assert copied(line) == line


@pytest.mark.parametrize("line", ["a", "5 km", "三", "가", "é", "٣ م"])
def test_what_has_a_letter_is_not(line: str) -> None:
    assert has_words(line)


def test_a_copy_is_one_line_without_tabs() -> None:
    assert copied("1\t2\u20283") == "1 2 3"
    assert copied(" \t ") == ""
