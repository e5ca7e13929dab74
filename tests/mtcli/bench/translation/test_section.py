"""The section that decodes whole sentences, at its smallest sizes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support.bench_sections import CEILINGS, asked, whole
from support.tiny import write_untrained

from mtcli.bench.record.schema import Translate
from mtcli.bench.translation import rows
from mtcli.bench.translation.checks import Checker, failed
from mtcli.bench.translation.rows import Contestant, Entry, Sizes, entries
from mtcli.bench.translation.section import measure_translate
from mtcli.bench.workload.model import Subject, random_subject
from mtcli.bench.workload.sentences import random_sentences
from mtcli.decoding.search import Hypothesis
from mtcli.errors import MtcliError
from mtcli.model.transformer import Transformer
from mtcli_kernels.self_attention_decode import api as self_attention

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")


def measure(**changes: Any) -> tuple[Translate, list[str]]:
    left_out: list[str] = []
    return measure_translate(asked(**changes), CEILINGS, left_out), left_out


@pytest.fixture(scope="module")
def random() -> tuple[Translate, list[str]]:
    before = torch.get_num_threads()
    try:
        return measure()
    finally:
        torch.set_num_threads(before)


def test_a_random_model_is_measured(random: tuple[Translate, list[str]]) -> None:
    found, left_out = random
    assert left_out == []
    assert Translate.model_validate_json(found.model_dump_json()) == found
    assert (found.model.name, found.model.random, found.dtype) == ("tiny", True, "float32")
    assert "6 target tokens forced" in found.sources
    assert len(found.checks) == 4 and all(check.passed for check in found.checks)


def test_rows_have_figures(random: tuple[Translate, list[str]]) -> None:
    found, _ = random
    assert {row.beam for row in found.rows} == {4, 1}
    assert len({(row.beam, row.slots) for row in found.rows}) == len(found.rows)
    for row in found.rows:
        assert row.status == "right"
        assert row.tgt_tokens == 6 * row.sentences >= 6 * row.slots
        assert row.seconds and row.tgt_tokens_per_second and row.src_tokens_per_second and row.sentences_per_second
        assert row.seconds.median > 0
        assert row.tgt_tokens_per_second.low <= row.tgt_tokens / row.seconds.median * 1.0001
        assert row.peak_gib and row.peak_gib > 0
        assert row.fraction == pytest.approx(max(row.bytes / 1e10, row.flops / 1e11) / row.seconds.median)


def test_the_time_goes_somewhere(random: tuple[Translate, list[str]]) -> None:
    found, _ = random
    for row in found.rows:
        assert [phase.name for phase in row.phases] == ["encoder", "decoder", "search", "host"]
        assert whole(row.phases)
        encoder, decoder, search, host = row.phases
        assert min(encoder.seconds, decoder.seconds, search.seconds) > 0
        assert encoder.bytes + decoder.bytes + search.bytes == row.bytes
        assert encoder.flops + decoder.flops == row.flops
        assert host.fraction is None and (host.bytes, host.flops) == (0, 0)


def test_single_lines_are_waited_for(random: tuple[Translate, list[str]]) -> None:
    found, _ = random
    assert [(one.beam, one.sentences) for one in found.latency] == [(4, 3), (1, 3)]
    assert all(0 < one.p50_ms <= one.p95_ms <= one.p99_ms for one in found.latency)


def test_a_model_directory_decodes_a_files_lines(tmp_path: Path) -> None:
    model, source = write_untrained(tmp_path / "model"), tmp_path / "source.txt"
    source.write_text("The cat sees a dog.\n\nThe dog runs.\nThe cat sees a dog.\n" + "A long way. " * 9 + "\n")
    found, left_out = measure(model=model, input=source)
    assert left_out == []
    assert (found.model.name, found.model.random) == ("model", False)
    assert "source.txt" in found.sources
    assert all(check.passed for check in found.checks)
    assert {row.beam for row in found.rows} == {2, 1}, "the model's own beam, and greedy search"
    assert all(row.status == "right" and row.tgt_tokens >= row.sentences for row in found.rows)
    assert len(found.latency) == 2


def test_a_model_directory_without_lines_decodes_random_sentences(tmp_path: Path) -> None:
    found, _ = measure(model=write_untrained(tmp_path / "model"))
    assert "random tokens" in found.sources
    assert all(row.status == "right" and row.tgt_tokens == 6 * row.sentences for row in found.rows)
    assert max(row.src_tokens / row.sentences for row in found.rows) <= 16, "as long as the model can read"


def test_without_time_everything_is_left_out() -> None:
    found, left_out = measure(seconds=-1.0)
    assert {row.status for row in found.rows} == {"left out"}
    assert found.checks == found.latency == ()
    assert len(left_out) == len(found.rows) + 1
    assert left_out[-1] == "translate: single lines"


def test_what_would_take_too_long_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    warm_up = Contestant.warm_up

    def slow(self: Contestant, network_bytes: int) -> None:
        warm_up(self, network_bytes)
        self.cost = 1000.0

    monkeypatch.setattr(Contestant, "warm_up", slow)
    found, left_out = measure()
    [first] = [row for row in found.rows if row.status == "right"]
    assert first.beam == 4, "the first is timed all the same"
    others = [row for row in found.rows if row.status == "left out"]
    assert [(row.beam, row.slots) for row in others[:1]] == [(1, 2)]
    assert "translate: beam 1, 2 at once" in left_out


Tamper = Callable[..., torch.Tensor]


def tampered(function: Tamper) -> Tamper:
    return lambda *arguments, **keywords: 1.5 * function(*arguments, **keywords)


def test_wrong_attention_gets_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = self_attention._FORMS
    monkeypatch.setitem(forms, "padded", tampered(forms["padded"]))
    found, _ = measure()
    assert [check.passed for check in found.checks] == [True, False, True, False]
    assert found.rows and found.latency == ()
    for row in found.rows:
        assert row.status == "wrong" and row.seconds is None and row.tgt_tokens_per_second is None
        assert row.why is not None and "scores differ by up to" in row.why


@pytest.fixture(scope="module")
def subject() -> Subject:
    return random_subject("tiny", 100, 1, CPU, torch.float32)


def contestant(subject: Subject, beam: int = 1, slots: int = 2) -> Contestant:
    pool = random_sentences(8, subject.src, 1, longest_source=9, longest_output=5)
    return Contestant(
        entry=Entry(beam, slots), subject=subject, pool=pool, sizes=Sizes(slots=(2, 1), refills=1, fewest=2)
    )


def test_what_depends_on_company_is_wrong(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = Transformer.encode

    def hasty(self: Transformer, src: torch.Tensor, packing: Any) -> torch.Tensor:
        return encode(self, src, packing) + 0.01 * packing.num_sentences

    pool = random_sentences(8, subject.src, 1, longest_source=40, longest_output=12)
    checker = Checker(subject, pool)
    assert failed(checker.check(2)) is None
    monkeypatch.setattr(Transformer, "encode", hasty)
    why = failed(checker.check(2))
    assert why is not None and "alone and in company: 0 of 2 are the same" in why


def test_what_breaks_did_not_pass(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> None:
        raise MtcliError("The network's output is not a number.")

    checker = Checker(subject, random_sentences(8, subject.src, 1, longest_source=9, longest_output=5))
    monkeypatch.setattr(Transformer, "step", broken)
    checks = checker.check(1)
    assert not any(check.passed for check in checks)
    assert "not a number" in checks[0].detail


def test_other_work_than_was_counted_is_wrong(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    one = contestant(subject)
    monkeypatch.setattr(rows, "best_of", lambda decoder, sentences: [Hypothesis([5], -1.0, -0.5)] * 2)
    one.sentences = one.sentences.first(2)
    one.warm_up(0)
    row = one.row(CEILINGS)
    assert (row.status, row.seconds) == ("wrong", None)
    assert row.why == "it decoded 4 target tokens where 10 were forced: the work is not the same"


def test_memory_that_does_not_suffice_is_told(subject: Subject) -> None:
    one = contestant(subject)
    one.at_once *= 2  # as after running out of memory
    one.warm_up(0)
    assert one.row(CEILINGS).status == "out of memory"


def test_sentences_fill_the_slots(subject: Subject) -> None:
    one = contestant(subject, slots=2)
    assert len(one.sentences.sources) == one.at_once >= 2
    more = contestant(subject, slots=8)
    assert more.at_once >= one.at_once


def test_everything_is_measured_once() -> None:
    for sizes in (Sizes.of(asked()), Sizes.of(asked(toy=False)), Sizes.of(asked(toy=False, torch_device="cuda"))):
        found = entries(sizes, (4, 1))
        assert len(set(found)) == len(found) == 2 * len(sizes.slots)
        assert found[0].beam == 4
