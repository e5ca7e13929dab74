"""Lines through a real network that learnt nothing, whose output is as wild as output can be."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.hostile import line_text
from support.sentences import sentences
from support.tiny import untrained_model

from mtcli.decoding.alignment import Aligner
from mtcli.decoding.lines import is_blank, is_invisible, one_line
from mtcli.decoding.translator import Translator
from mtcli.decoding.window import Window

pytestmark = pytest.mark.usefixtures("one_thread")
BREAKS = set("\n\r\t\v\f\x1c\x1d\x1e\x85\u2028\u2029")


@settings(max_examples=250)
@given(st.lists(st.one_of(line_text, st.sampled_from(sentences(8, seed=2))), max_size=4))
def test_every_line_has_one_line(lines: list[str]) -> None:
    model = untrained_model()
    translations = list(Translator(model, n_best=2).translate(lines))
    assert [translation.source for translation in translations] == lines
    for line, translation, links in zip(lines, translations, Aligner(model)(translations), strict=True):
        assert is_blank(translation.text) == is_blank(line)
        assert is_invisible(translation.text) == is_invisible(line)
        assert not any(BREAKS & set(candidate.text) for candidate in translation.n_best)
        assert len(translation.source_parts) == len(translation.n_best[0].parts)
        pairs = [tuple(map(int, link.split("-"))) for link in links.split()]
        assert pairs == sorted(set(pairs))
        assert all(src < len(line.split()) and tgt < len(translation.text.split()) for src, tgt in pairs)


def test_blank_lines_never_reach_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtcli.decoding.translator.beam_search", None)
    lines = ["", " ", "\t\x0b", "\u3000", "\x00", "\u200b\ufeff"]
    texts = [translation.text for translation in Translator(untrained_model()).translate(lines)]
    assert texts == ["", "", "", "", "\x00", "\u200b\ufeff"]


def test_an_overlong_line_keeps_its_parts() -> None:
    translator = Translator(untrained_model())
    alone = next(translator.translate(["A dog."])).text
    many = next(translator.translate(["A dog. " * 400]))
    assert many.n_best[0].parts == (alone,) * 400
    assert translator.work.parts == 401
    assert translator.work.decoded == 2
    assert translator.work.split_lines == 1
    assert not is_blank(next(translator.translate(["x" * 20_000])).text)


def test_what_has_no_text_falls_back_to_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    model = untrained_model()
    monkeypatch.setattr(type(model.tokenizers.tgt), "decode", lambda self, tokens: " \u200b\r\n")
    assert next(Translator(model).translate(["the  cat"])).text == "the cat"


def test_memory_that_runs_out_halves_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    from mtcli.decoding import translator as module

    search, sizes = module.beam_search, []

    def narrow(network: object, sources: list[list[int]], *rest: object) -> object:
        sizes.append(len(sources))
        if len(sources) > 2:
            raise torch.OutOfMemoryError("no room")
        return search(network, sources, *rest)  # type: ignore[arg-type]

    lines = sentences(5, seed=4)
    expected = [translation.text for translation in Translator(untrained_model(24)).translate(lines)]
    monkeypatch.setattr(module, "beam_search", narrow)
    assert [translation.text for translation in Translator(untrained_model(24)).translate(lines)] == expected
    assert max(sizes) > 2


def test_lines_come_out_as_soon_as_they_and_those_before_are_whole() -> None:
    model = untrained_model(64)
    window: Window[str] = Window(["", "the cat", "a dog", "the cat", "\x00"], model.tokenizers.src, 30)
    assert len(window.sources) == 2
    assert [line for line, _, _ in window.ready()] == [""]
    window.finish(1, "ein Hund")
    assert list(window.ready()) == []
    window.finish(0, "die Katze")
    assert [(line, results) for line, _, results in window.ready()] == [
        ("the cat", ["die Katze"]),
        ("a dog", ["ein Hund"]),
        ("the cat", ["die Katze"]),
        ("\x00", []),
    ]
    assert list(window.ready()) == []


def test_one_line_is_what_text_is_written_as() -> None:
    assert one_line("a\r\nb\u2028 c\t") == "a b c"
