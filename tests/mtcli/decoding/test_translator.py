"""Lines through a real network that learnt nothing, whose output is as wild as output can be."""

import itertools
import random
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.hostile import line_text
from support.patience import PATIENCE
from support.sentences import sentences
from support.tiny import untrained_model, write_untrained

import mtcli
from mtcli.data.conventions import TextConventions
from mtcli.decoding.alignment import Aligner
from mtcli.decoding.engines import Outcome
from mtcli.decoding.engines.torch import TorchEngine
from mtcli.decoding.frame import Frame
from mtcli.decoding.lines import is_blank, is_invisible, one_line
from mtcli.decoding.translator import Translator
from mtcli.errors import MtcliError, UsageError
from mtcli.model_directory.loading import LoadedModel
from mtcli.translation import Translation

pytestmark = pytest.mark.usefixtures("one_thread")
BREAKS = set("\n\r\t\v\f\x1c\x1d\x1e\x85\u2028\u2029")


@cache
def shared_translator() -> Translator:
    """One for all examples: a translator keeps its memory."""
    return Translator(untrained_model())


@examples(25, 250)
@given(st.lists(st.one_of(line_text, st.sampled_from(sentences(8, seed=2))), max_size=4))
def test_every_line_has_one_line(lines: list[str]) -> None:
    translator = shared_translator()
    translations = translator.translate(lines, n_best=2)
    assert [translation.source for translation in translations] == lines
    for line, translation, links in zip(lines, translations, Aligner(translator.backend)(translations), strict=True):
        assert is_blank(translation.text) == is_blank(line)
        assert is_invisible(translation.text) == is_invisible(line)
        soft_end = Frame.of(line).behind
        assert not any(BREAKS & set(candidate.text.removesuffix(soft_end)) for candidate in translation.n_best)
        assert len(translation.source_parts) == len(translation.n_best[0].parts)
        pairs = [tuple(map(int, link.split("-"))) for link in links.split()]
        assert pairs == sorted(set(pairs))
        assert all(src < len(line.split()) and tgt < len(translation.text.split()) for src, tgt in pairs)


def assert_same(translator: Translator, found: Sequence[Translation], expected: Sequence[Translation]) -> None:
    """As far as the engine promises: to the last bit, or with PyTorch on a CPU up to rounding."""
    if translator.backend.choice.is_independent:
        assert found == expected
        return
    texts, others = ([[one.text for one in each.n_best] for each in lines] for lines in (found, expected))
    assert texts == others
    scores, others_scores = ([one.score for each in lines for one in each.n_best] for lines in (found, expected))
    assert scores == pytest.approx(others_scores, abs=1e-5)


def test_blank_lines_never_reach_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtcli.decoding.pool.Worker", None)
    lines = ["", " ", "\t\x0b", "\u3000", "\x00", "\u200b\ufeff"]
    texts = [translation.text for translation in Translator(untrained_model()).translate(lines)]
    assert texts == ["", "", "", "", "\x00", "\u200b\ufeff"]


def test_lines_without_letters_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtcli.decoding.pool.Worker", None)
    lines = ["102", "---", "🎉 🎉", "->", "▁", "5,00 €", " (1) "]
    translations = Translator(untrained_model()).translate(lines, beam_size=2, n_best=2)
    assert [translation.text for translation in translations] == lines


@pytest.mark.parametrize(
    ("sentences", "share", "parts"),
    [
        ("auto", None, 2),
        ("auto", 0.01, 2),
        ("auto", 0.5, 1),
        ("split", 0.5, 2),
        ("keep", None, 1),
    ],
)
def test_lines_are_translated_by_sentence_where_the_model_learnt_so(
    sentences: str, share: float | None, parts: int
) -> None:
    model = untrained_model()
    text = TextConventions(multi_sentence_share=share)
    architecture = replace(
        model.architecture,
        text=text,
        decoding=model.architecture.decoding.model_copy(update={"sentences": sentences}),
    )
    [alone, together] = Translator(replace(model, architecture=architecture)).translate(["A dog.", "A dog.  A dog."])
    assert len(together.source_parts) == parts
    if parts == 2:
        assert together.text == f"{alone.text}  {alone.text}"


def test_an_overlong_line_keeps_its_parts() -> None:
    translator = Translator(untrained_model())
    [alone, many] = translator.translate(["A dog.", "A dog. " * 400])
    assert many.n_best[0].parts == (alone.text,) * 400
    assert translator.work.parts == 401
    assert translator.work.decoded == 1
    assert translator.work.split_lines == 1
    assert not is_blank(translator.translate(["x" * 20_000])[0].text)


def test_no_two_translations_of_a_line_are_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    model = untrained_model(24)
    tgt = type(model.tokenizers.tgt)
    decode = tgt.decode
    # Hypotheses that differ in their last token alone become one text, as two ways to cut a word do
    monkeypatch.setattr(tgt, "decode", lambda self, tokens: decode(self, tokens[:1]) or "x")
    for translation in Translator(model).translate(sentences(20, seed=13), beam_size=6, n_best=3, repair=False):
        texts = [candidate.text for candidate in translation.n_best]
        assert len(texts) == len(set(texts)) <= 3
        assert [c.score for c in translation.n_best] == sorted((c.score for c in translation.n_best), reverse=True)


def test_what_has_no_text_falls_back_to_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    model = untrained_model()
    monkeypatch.setattr(type(model.tokenizers.tgt), "decode", lambda self, tokens: " \u200b\r\n")
    assert Translator(model).translate(["the  cat"])[0].text == "the cat"


def test_a_sequence_gives_a_list_and_an_iterator_an_iterator() -> None:
    translator, lines = Translator(untrained_model(24)), sentences(40, seed=4)
    expected = translator.translate(lines)
    assert isinstance(expected, list)
    found = translator.translate(line for line in lines)
    assert iter(found) is found
    assert list(found) == expected


@pytest.mark.parametrize("hurry", [True, False])
def test_company_and_order_change_nothing(hurry: bool) -> None:
    translator, lines = Translator(untrained_model(24)), sentences(60, seed=5)
    how = {"beam_size": 3, "n_best": 3, "hurry": hurry}
    together = dict(zip(lines, translator.translate(lines, **how), strict=True))
    shuffled = random.Random(1).sample(lines, len(lines))
    assert_same(translator, translator.translate(shuffled, **how), [together[line] for line in shuffled])
    for line in lines[:6]:
        assert_same(translator, translator.translate([line], **how), [together[line]])


def test_results_come_while_lines_are_still_to_come() -> None:
    translator = Translator(untrained_model(24))
    answered = threading.Semaphore(0)

    def typing() -> Iterator[str]:
        for line in sentences(3, seed=6):
            yield line
            answered.acquire()

    for translation in translator.translate(typing(), hurry=True):
        assert translation.text
        answered.release()


def test_closing_the_iterator_stops_all_work() -> None:
    translator, before = Translator(untrained_model(24)), set(threading.enumerate())
    results = translator.translate(itertools.cycle(sentences(50, seed=7)))
    next(results)
    results.close()  # type: ignore[attr-defined]
    for thread in set(threading.enumerate()) - before:
        thread.join()  # which ends soon


def test_threads_may_share_a_translator() -> None:
    translator, lines = Translator(untrained_model(24)), sentences(20, seed=8)
    expected, found = translator.translate(lines, repair=False), {}
    threads = [
        threading.Thread(target=lambda n=n: found.update({n: translator.translate(lines, repair=False)}))  # type: ignore[misc]
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 1, 2]
    for one in found.values():
        assert_same(translator, one, expected)
    assert translator.work.parts == 4 * len(lines)


def test_futures_hold_what_a_call_gives() -> None:
    translator, lines = Translator(untrained_model(24)), ["", *sentences(20, seed=9), " "]
    expected = translator.translate(lines, beam_size=3, n_best=2)
    futures = translator.submit(lines, beam_size=3, n_best=2)
    assert [future.result() for future in futures] == expected


def test_many_small_calls_at_once_give_what_one_call_gives() -> None:
    translator, lines = Translator(untrained_model(24)), sentences(100, seed=10)
    expected = translator.translate(lines)
    futures = [translator.submit([line])[0] for line in lines]
    assert_same(translator, [future.result() for future in futures], expected)


@pytest.mark.parametrize("engine", ["native", "torch"])
def test_futures_of_a_call_that_fails_say_why(engine: str) -> None:
    sound = untrained_model(24)
    model = LoadedModel(deepcopy(sound.network), sound.tokenizers, sound.architecture)
    model.network.output.weight.data[...] = float("nan")
    for future in Translator(model, engine=engine).submit(sentences(3, seed=11)):
        with pytest.raises(MtcliError, match="not a number"):
            future.result()


def test_futures_that_are_cancelled_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    advance = TorchEngine.advance

    def slow(self: TorchEngine) -> list[Outcome]:
        go_on.wait()
        return advance(self)

    monkeypatch.setattr(TorchEngine, "advance", slow)
    translator = Translator(untrained_model(24), engine="torch")
    futures = translator.submit(sentences(5, seed=12))
    assert all(future.cancel() for future in futures)
    go_on.set()
    [pool] = translator._pools.values()
    assert not pool.stream._calls
    assert [future.cancelled() for future in futures] == [True] * 5


@pytest.mark.parametrize("lines", ["['A dog.']", "iter(['A dog.'] * 3)", "['A dog.', 'A cat.'] * 9"])
def test_a_thread_goes_on_when_the_main_thread_is_through(tmp_path: Path, lines: str) -> None:
    code = (
        "import threading, mtcli\n"
        "def work():\n"
        "    threading.main_thread().join()\n"
        f"    print(len(list(translator.translate({lines}))))\n"
        f"translator = mtcli.Translator({str(write_untrained(tmp_path / 'model'))!r}, device='cpu')\n"
        "threading.Thread(target=work).start()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() in ("1", "3", "18")


def test_the_public_name_loads_a_directory(tmp_path: Path) -> None:
    directory = write_untrained(tmp_path / "model")
    [result] = mtcli.Translator(directory, device="cpu").translate(["A dog."], beam_size=3, n_best=2)
    assert 1 <= len(result.n_best) <= 2
    assert result.text == result.n_best[0].text
    assert result.score == result.n_best[0].score >= result.n_best[-1].score
    assert len(result.tokens) + 1 == result.n_best[0].num_tokens


def test_a_string_in_place_of_lines_is_refused() -> None:
    with pytest.raises(UsageError, match="given one string"):
        Translator(untrained_model()).translate("A dog.")


def test_more_translations_than_hypotheses_are_refused() -> None:
    with pytest.raises(UsageError, match="--n-best 3 needs a beam of at least 3"):
        Translator(untrained_model()).translate(["A dog."], beam_size=2, n_best=3)


def test_one_line_is_what_text_is_written_as() -> None:
    assert one_line("a\r\nb\u2028 c\t") == "a b c"


def test_a_string_in_place_of_lines_is_not_submitted() -> None:
    with pytest.raises(UsageError, match="given one string"):
        Translator(untrained_model()).submit("A dog.")
