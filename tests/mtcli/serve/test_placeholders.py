"""Placeholders of a client come back, whatever the model makes of them."""

import re

import pytest
from support.serving import RunningServer

from mtcli.serve.placeholders import AroundPlaceholders


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a [X1X] b", ["a", "b"]),
        ("[X1X][X2X]", []),
        ("  [X1X]\n a\nb[X22X]. ", ["a\nb", "."]),
        ("[x1x] [X X]", ["[x1x] [X X]"]),
        ("", []),
    ],
)
def test_a_text_is_what_stands_between(text: str, pieces: list[str]) -> None:
    apart = AroundPlaceholders.of(text)
    assert apart.texts == pieces
    assert apart.filled(apart.texts) == text
    assert len(apart.kept) == len(apart.texts) + 1


def test_placeholders_come_back(server: RunningServer) -> None:
    texts = ["Good morning, [X12X]!", "You have [X0X] new messages and [X1X] files.", "[X7X]", "Good morning."]
    found = server.translate(texts)
    for text, translation in zip(texts, found, strict=True):
        assert sorted(re.findall(r"\[X\d+X\]", translation)) == sorted(re.findall(r"\[X\d+X\]", text))
    assert found[2] == "[X7X]"
    assert found[3] == server.translate("Good morning.")
