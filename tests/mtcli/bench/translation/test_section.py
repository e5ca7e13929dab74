"""The section that decodes whole sentences, at its smallest sizes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support.bench_records import findings, recorded, settings
from support.tiny import write_untrained

from mtcli.bench.contest import ContestantError
from mtcli.bench.record.schema import MEMORY, BenchRecord, BenchRow
from mtcli.bench.translation import decoding, section
from mtcli.bench.translation.checks import Checker
from mtcli.bench.translation.decoding import DecodingContestant
from mtcli.bench.translation.section import measure_translate
from mtcli.bench.workload.model import BenchModel
from mtcli.bench.workload.sentences import random_sentences
from mtcli.decoding.search import Hypothesis
from mtcli.errors import MtcliError
from mtcli.model.transformer import Transformer
from mtcli_kernels.self_attention_decode import api as self_attention

pytestmark = pytest.mark.usefixtures("one_thread")


def measure(**changes: Any) -> BenchRecord:
    found = findings()
    measure_translate(settings(**changes), found)
    return recorded(found)


def rows_of(record: BenchRecord, name: str = "decoding") -> list[BenchRow]:
    return [row for row in record.rows if row.name == name]


@pytest.fixture(scope="module")
def random() -> BenchRecord:
    before = torch.get_num_threads()
    try:
        return measure()
    finally:
        torch.set_num_threads(before)


def test_a_random_model_is_measured(random: BenchRecord) -> None:
    work = random.workloads["translate"]
    assert random.left_out == ()
    assert work.model.startswith("tiny, 4+4 layers of width 128, 100 pieces") and "random weights" in work.model
    assert work.dtype == "float32" and "6 target tokens forced" in work.sentences
    assert len(work.checks) == 4 and all(check.passed for check in work.checks)
    assert {row.case.split(",")[0] for row in rows_of(random)} == {"beam 4", "beam 1"}


def test_rows_have_figures_and_phases(random: BenchRecord) -> None:
    for row in rows_of(random):
        assert row.status == "right"
        assert list(row.figures) == ["target tokens/s", "source tokens/s", "sentences/s", MEMORY]
        tokens, sentences = (row.figures[name].median for name in ("target tokens/s", "sentences/s"))
        assert tokens == pytest.approx(6 * sentences, rel=1e-3)
        assert [phase.name for phase in row.phases] == ["encoder", "decoder", "search", "host"]
        assert sum(phase.share for phase in row.phases) == pytest.approx(1.0, rel=1e-3)
        encoder, decoder, search, host = row.phases
        assert min(encoder.seconds, decoder.seconds, search.seconds) > 0
        assert encoder.bytes + decoder.bytes + search.bytes == row.bytes
        assert encoder.flops + decoder.flops == row.flops
        assert host.fraction is None and row.fraction


def test_single_lines_are_waited_for(random: BenchRecord) -> None:
    latency = rows_of(random, "single sentences")
    assert [row.case for row in latency] == ["beam 4", "beam 1"]
    for row in latency:
        p50, p95, p99, count = (figure.median for figure in row.figures.values())
        assert 0 < p50 <= p95 <= p99 and count == 3


def test_a_model_directory_decodes_a_files_lines(tmp_path: Path) -> None:
    model, source = write_untrained(tmp_path / "model"), tmp_path / "source.txt"
    source.write_text("The cat sees a dog.\n\nThe dog runs.\nThe cat sees a dog.\n" + "A long way. " * 9 + "\n")
    found = measure(model=model, input=source)
    work = found.workloads["translate"]
    assert found.left_out == () and all(check.passed for check in work.checks)
    assert work.model.startswith("model, ") and "random" not in work.model and "source.txt" in work.sentences
    assert {row.case.split(",")[0] for row in rows_of(found)} == {"beam 2", "beam 1"}, "the model's own, and greedy"
    assert all(row.status == "right" for row in rows_of(found))
    assert len(rows_of(found, "single sentences")) == 2


def test_a_model_directory_without_lines_decodes_random_sentences(tmp_path: Path) -> None:
    found = measure(model=write_untrained(tmp_path / "model"))
    assert "random tokens" in found.workloads["translate"].sentences
    assert all(row.status == "right" for row in rows_of(found))


def test_without_time_everything_is_left_out() -> None:
    found = measure(seconds=-1.0)
    assert {row.status for row in found.rows} == {"left out"}
    assert found.workloads["translate"].checks == ()
    assert len(found.left_out) == len(found.rows) + 1
    assert found.left_out[-1] == "translate: single lines"


def test_what_would_take_too_long_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    made = DecodingContestant.__init__

    def sized(one: DecodingContestant, *arguments: Any) -> None:
        made(one, *arguments)
        one.size = 1.0 if one.beam == 4 else 1e9

    monkeypatch.setattr(DecodingContestant, "__init__", sized)
    found = {row.case: row.status for row in rows_of(measure())}
    assert found["beam 4, 2 at once"] == "right"
    assert found["beam 1, 2 at once"] == "left out"


def test_the_same_number_of_slots_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DecodingContestant, "at_once", 2)
    monkeypatch.setattr(section, "TOY", ((2, 1), 1, 2))
    found = measure()
    assert [row.case for row in rows_of(found)] == ["beam 4, 2 at once", "beam 1, 2 at once"]
    assert found.left_out == ()


def tampered(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    return lambda *arguments, **keywords: 1.5 * function(*arguments, **keywords)


def test_wrong_attention_gets_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = self_attention._FORMS
    monkeypatch.setitem(forms, "padded", tampered(forms["padded"]))
    found = measure()
    assert [check.passed for check in found.workloads["translate"].checks] == [True, False, True, False]
    assert rows_of(found) and not rows_of(found, "single sentences")
    for row in rows_of(found):
        assert row.status == "wrong" and not row.figures and "scores differ by up to" in (row.why or "")
    assert found.faults()


@pytest.fixture(scope="module")
def model() -> BenchModel:
    return BenchModel.random("tiny", 100, 1, torch.device("cpu"), torch.float32)


def checker(model: BenchModel) -> Checker:
    return Checker(model, random_sentences(8, model.src, 1, longest_source=40, longest_output=12))


def test_what_depends_on_company_is_wrong(model: BenchModel, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = Transformer.encode

    def hasty(self: Transformer, src: torch.Tensor, packing: Any) -> torch.Tensor:
        return encode(self, src, packing) + 0.01 * packing.num_sentences

    one = checker(model)
    assert all(check.passed for check in one.check(2))
    monkeypatch.setattr(Transformer, "encode", hasty)
    wrong = next(check.sentence for check in one.check(2) if not check.passed)
    assert wrong.startswith("beam 2: alone and in company: the scores differ by up to ")


def test_a_gpu_is_held_to_the_last_bit(model: BenchModel, monkeypatch: pytest.MonkeyPatch) -> None:
    one, hypothesis = checker(model), Hypothesis([5], -1.0, -0.5)
    close = Hypothesis([5], -1.0000001, -0.5)
    assert one._company([(hypothesis, close)]).passed
    monkeypatch.setattr(BenchModel, "device", torch.device("cuda"))
    assert one._company([(hypothesis, hypothesis)]).passed
    assert not one._company([(hypothesis, close)]).passed


def test_a_check_that_fails_on_the_way_did_not_pass(model: BenchModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise MtcliError("a score is not a number")

    monkeypatch.setattr("mtcli.bench.translation.checks.best_of", fail)
    [check] = checker(model).check(1)
    assert check.passed is False and "not a number" in check.detail


def contestant(model: BenchModel, slots: int = 2) -> DecodingContestant:
    pool = random_sentences(8, model.src, 1, longest_source=9, longest_output=5)
    return DecodingContestant(model, pool, beam=1, slots=slots, refills=1)


def test_other_work_than_was_counted_is_wrong(model: BenchModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "best_of", lambda decoder, sentences: [Hypothesis([5], -1.0, -0.5)] * 2)
    one = contestant(model)
    one.sentences = one.sentences.first(2)
    with pytest.raises(ContestantError, match="it decoded 4 target tokens where 10 were forced") as caught:
        one.warm_up(0)
    assert caught.value.status == "wrong"


def test_memory_that_does_not_suffice_is_told(model: BenchModel) -> None:
    one = contestant(model)
    one.at_once *= 2  # as after running out of memory
    with pytest.raises(ContestantError) as caught:
        one.warm_up(0)
    assert caught.value.status == "out of memory"


def test_sentences_fill_the_slots(model: BenchModel) -> None:
    one, more = contestant(model), contestant(model, slots=8)
    assert len(one.sentences.sources) == one.at_once >= 2
    assert more.at_once >= one.at_once
