"""How many lines hold several sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.data import sentences as sentences_module
from mtcli.data.sentences import multi_sentence_share, split_sentences

ONE, TWO = "The dog runs.", "The dog runs. The cat sees it."


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("  ", 0),
        ("the dog", 1),
        (ONE, 1),
        (TWO, 2),
        ("Dr. Smith saw Mr. Jones.", 1),
        ("你好世界。今天很好。", 2),
    ],
)
def test_sentences_are_counted(text: str, count: int) -> None:
    assert len(split_sentences(text)) == count


@pytest.mark.parametrize(
    "sentences",
    [
        ["Dr. Smith arrived at 5 p.m.", "He was late."],
        ["We meet at 5 p.m. on Monday.", "Bring a pen."],
        ["Mr. and Mrs. Brown live at 5 St. James St. in London.", "They moved."],
        ["J. R. R. Tolkien wrote it.", "It is long."],
        ["Wait... what?", "I see.", "“Really?” he asked.", "Yes."],
        ['He said, "Go away."', "Then he left."],
        ["It costs $3.50.", "Version 2.0 is out.", "See www.example.com.", "Bye."],
        ["Don't!", "Stop!", "No!"],
        ["Das gilt z. B. für Hunde.", "Katzen nicht."],
        ["Rot bzw. Blau ist gut.", "Er kam am 3. Oktober.", "Nr. 3 fehlt."],
        ["Er wohnt in der Goethestr. 5 in Köln.", "Ruf an.", "Tel. 030 123."],
        ["M. Dupont et Mme. Durand.", "Oui.", "El Sr. García y la Sra. López."],
        ["1. Eat.", "2. Drink.", "(3) Sleep."],
        ["나는 집에 간다.", "너는 학교에 간다.", "밥 먹었어?", "고마워!"],
        ["hello.", "how are you?", "fine."],
    ],
)
def test_sentences_end_where_they_end(sentences: list[str]) -> None:
    assert split_sentences(" ".join(sentences)) == sentences
    assert split_sentences("  ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sentences",
    [["私は家に帰る。", "「本当？」と言った。", "彼は学校に行く。"], ["我回家。", "他去学校！", "你呢？"]],
)
def test_sentences_without_spaces_between_them(sentences: list[str]) -> None:
    assert split_sentences("".join(sentences)) == sentences


@pytest.mark.parametrize("line", ["3. 4. 5.", "...", "Hello 😀. 🎉!", "Am 3. 10. 2020.", "Stop! ... !", "5. "])
def test_what_has_no_letter_is_no_sentence_of_its_own(line: str) -> None:
    assert split_sentences(line) == [line.strip()]


@given(st.text(st.sampled_from("aB1. !?。「」と()\"'\n"), max_size=30))
def test_sentences_hold_all_of_the_line(line: str) -> None:
    assert "".join("".join(split_sentences(line)).split()) == "".join(line.split())


@pytest.mark.parametrize(
    ("lines", "share"),
    [([], None), (["", " "], None), ([ONE] * 3, 0.0), ([ONE, TWO, "", ONE, ONE], 0.25), ([TWO] * 2, 1.0)],
)
def test_the_share_is_of_lines_with_text(lines: list[str], share: float | None) -> None:
    assert multi_sentence_share(lines) == share


def test_of_many_lines_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences_module, "_MEASURED", 10)
    assert multi_sentence_share([TWO, *[ONE] * 9] * 100) == 1.0  # every hundredth
    assert multi_sentence_share([TWO] * 300 + [ONE] * 700) == 0.3
