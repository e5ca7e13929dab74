"""How many lines hold several sentences."""

import pytest

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
    ("lines", "share"),
    [([], None), (["", " "], None), ([ONE] * 3, 0.0), ([ONE, TWO, "", ONE, ONE], 0.25), ([TWO] * 2, 1.0)],
)
def test_the_share_is_of_lines_with_text(lines: list[str], share: float | None) -> None:
    assert multi_sentence_share(lines) == share


def test_of_many_lines_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences_module, "_MEASURED", 10)
    assert multi_sentence_share([TWO, *[ONE] * 9] * 100) == 1.0  # every hundredth
    assert multi_sentence_share([TWO] * 300 + [ONE] * 700) == 0.3
