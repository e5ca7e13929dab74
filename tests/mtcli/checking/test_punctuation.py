"""Marks that stand alone or changed."""

import pytest
from support.checking import EN_DE, EN_JA, EN_KO, findings_of, marked

from mtcli.checking import CheckSettings, check


@pytest.mark.parametrize(
    ("name", "pair", "source", "target", "where"),
    [
        ("bracket", EN_DE, "a (b) c", "a (b c", ["("]),
        ("bracket", EN_DE, "a (b) c", "a b) c", [")"]),
        ("bracket", EN_DE, "a [b] {c}", "a [b} c", ["[", "}"]),
        ("bracket", EN_JA, "a (b) c", "あ（い", ["（"]),
        ("quote", EN_DE, 'a "b" c', "a „b c", ["„"]),
        ("quote", EN_DE, "a b c", 'a "b c', ['"']),
        ("quote", EN_KO, 'a "b" c', "가 “나 다", ["“"]),
        ("end-punctuation", EN_DE, "Is it far?", "Es ist weit.", ["."]),
        ("end-punctuation", EN_DE, "It is far.", "Ist es weit?", ["?"]),
        ("end-punctuation", EN_JA, "Is it far?", "遠いです。", ["。"]),
        ("end-punctuation", EN_DE, "Name:", "Name", []),
        ("end-punctuation", EN_DE, "Stop!", "Halt", []),
        ("end-punctuation", EN_DE, "It rains. We go home.", "Es regnet. Wir gehen heim", []),
    ],
)
def test_it_is_found(name: str, pair: tuple[str, str], source: str, target: str, where: list[str]) -> None:
    [finding] = findings_of(name, pair, source, target)
    assert marked(target, finding, "target") == where


@pytest.mark.parametrize(
    ("name", "pair", "source", "target"),
    [
        ("bracket", EN_DE, "a) first", "a) erstens"),
        ("bracket", EN_JA, "a (b) c", "あ（い）う"),
        ("bracket", EN_DE, "fine :)", "gut :)"),
        ("bracket", EN_DE, "a b", "a (b)"),
        ("quote", EN_DE, 'a "b" c', "a „b“ c"),
        ("quote", EN_DE, "a 'b' c", "a „b“ c"),
        ("quote", EN_DE, 'a 5" pipe', 'ein 5" Rohr'),
        ("quote", EN_JA, 'a "b" c', "あ「い」う"),
        ("end-punctuation", EN_JA, "It is far.", "遠いです。"),
        ("end-punctuation", EN_JA, "Is it far?", "遠いですか？"),
        ("end-punctuation", EN_JA, "Is it far?", "遠いですか?"),
        ("end-punctuation", EN_DE, "Stop it.", "Hör auf!"),
        ("end-punctuation", EN_DE, "A man in the park", "Ein Mann im Park."),
        ("end-punctuation", EN_DE, 'He said: "No."', "Er sagte: „Nein“."),
        ("end-punctuation", EN_DE, "Wait...", "Warte …"),
        ("end-punctuation", EN_DE, "?", "."),
        ("end-punctuation", ("en", "th"), "It rains. We go.", "ฝนตก. เราไป"),
    ],
)
def test_it_may_be_so(name: str, pair: tuple[str, str], source: str, target: str) -> None:
    assert findings_of(name, pair, source, target) == []


def test_full_stops_are_compared_where_they_are_usual() -> None:
    settings = CheckSettings(full_stops=True)
    [finding] = check("A man in the park.", "Ein Mann im Park", pair=EN_DE, settings=settings)
    assert finding.message == "the source ends with full stop, the translation with no mark"
