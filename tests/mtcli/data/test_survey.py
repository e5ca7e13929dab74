"""The first pass: everything checked, an even sample for the tokenizer."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.config import DataConfig
from mtcli.data import survey as survey_module
from mtcli.data.corpus import ParallelCorpus
from mtcli.data.normalisation import normalise
from mtcli.data.survey import EvenSample, Survey, survey
from mtcli.errors import DataError

SRC = [f"Source  line\u00a0{number} {'x' * (number % 7)}" for number in range(40)]
TGT = [f"Target line {number}" for number in range(40)]


@given(
    st.integers(0, 60),
    st.integers(1, 20),
    st.integers(1, 200),
    st.lists(st.integers(1, 12), min_size=60, max_size=60),
    st.integers(0, 3),
)
def test_a_sample_is_even_however_its_stream_is_cut(
    count: int, max_pairs: int, max_characters: int, sizes: list[int], delay: int
) -> None:
    lines = [f"{place}" * (1 + place % 3) for place in range(count)]
    sample, first, strides = EvenSample(max_pairs, max_characters), 0, [1] * delay
    for size in sizes:
        strides.append(sample.stride)
        stride = strides.pop(0)  # the stride of some parts ago
        part = lines[first : first + size]
        begin = -first % stride
        sample.add(first + begin, stride, part[begin::stride], part[begin::stride])
        first += size
    assert sample.src == sample.tgt == lines[:: sample.stride]
    fits = [
        stride
        for stride in (2**power for power in range(7))
        if len(lines[::stride]) <= max_pairs and 2 * sum(map(len, lines[::stride])) <= max_characters
    ]
    if fits:
        assert sample.stride == fits[0]


def write(path: Path, lines: list[str]) -> Path:
    path.write_bytes("".join(line + "\n" for line in lines).encode())
    return path


def look(directory: Path, *, hold_out: bool = False, num_processes: int = 1, **data: int) -> Survey:
    sides = write(directory / "src", SRC), write(directory / "tgt", TGT)
    table = write(directory / "table", [f"{src}\t{tgt}" for src, tgt in zip(SRC, TGT, strict=True)])
    corpora = [ParallelCorpus((sides,), (), 2.0), ParallelCorpus((), (table,))]
    config = DataConfig(**data)  # type: ignore[arg-type]
    return survey(corpora, config, 1, hold_out=hold_out, num_processes=num_processes, report=lambda _: None)


def test_all_corpora_are_counted_and_every_line_sampled_once(tmp_path: Path) -> None:
    found = look(tmp_path)
    assert (found.num_pairs, found.held_out) == (80, None)
    assert found.sample == (list(map(normalise, SRC)) * 2, TGT * 2)


def test_a_smaller_sample_comes_from_all_corpora_alike(tmp_path: Path) -> None:
    found = look(tmp_path, tokenizer_lines=25)
    assert found.sample[1] == (TGT * 2)[::4]


def test_long_lines_count_for_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey_module, "LINE_LENGTH", 3)
    src, tgt = look(tmp_path, tokenizer_lines=80).sample
    assert tgt == (TGT * 2)[:: len(TGT * 2) // len(tgt)]
    assert 3 * 80 / 2 < sum(map(len, [*src, *tgt])) <= 2 * 3 * 80


def test_what_is_held_out_trains_no_tokenizer(tmp_path: Path) -> None:
    found = look(tmp_path, hold_out=True, valid_size=5)
    assert found.held_out is not None
    left_out = [source for source in map(normalise, SRC) if source in found.held_out]
    assert len(left_out) == 4, "a tenth of them"
    assert found.sample[0] == [source for source in map(normalise, SRC * 2) if source not in left_out]
    assert len(found.sample[1]) == 72


def test_any_number_of_processes_finds_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey_module, "CHUNK", 7)
    monkeypatch.setattr(survey_module, "ALONE", 2)
    alone, shared = (
        look(tmp_path, hold_out=True, num_processes=number, tokenizer_lines=30, valid_size=5) for number in (1, 3)
    )
    assert alone == shared


def test_an_empty_corpus_names_its_files(tmp_path: Path) -> None:
    src, tgt = write(tmp_path / "src", []), write(tmp_path / "tgt", [])
    with pytest.raises(DataError, match=rf"{src} and {tgt}: the corpus is empty"):
        survey(
            [ParallelCorpus(((src, tgt),))],
            DataConfig(),
            1,
            hold_out=True,
            num_processes=1,
            report=lambda _: None,
        )
