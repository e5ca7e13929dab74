"""Preparing a run's data: done once, keyed by content and settings, told in sentences."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.patience import PATIENCE, wait_until
from support.sentences import sentences, small_tokenizer

from mtcli.config import Config, load_config
from mtcli.data import prepare as prepare_module
from mtcli.data import survey as survey_module
from mtcli.data.arrays import TokenArray
from mtcli.data.batching import Share
from mtcli.data.cache_key import Contents, earlier_key
from mtcli.data.conventions import TextConventions
from mtcli.data.normalisation import CURRENT, FIRST, normalise
from mtcli.data.piped import refuse_pipes
from mtcli.data.prepare import PreparedData, prepare
from mtcli.data.sentences import split_sentences
from mtcli.data.tokenizer import Tokenizer
from mtcli.data.valid_set import ValidationText
from mtcli.errors import ConfigError, DataError

SRC = sentences(200, seed=1)
TGT = [sentence.upper() for sentence in SRC]


def write(path: Path, lines: list[str]) -> Path:
    path.write_bytes("".join(line + "\n" for line in lines).encode())
    return path


class Corpus:
    """A corpus and a validation set in a directory, and what `prepare` says of them."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.run, self.said = directory, directory / "run", list[str]()
        self.files = {
            "src": [write(directory / "train.src", SRC)],
            "tgt": [write(directory / "train.tgt", TGT)],
            "valid_src": [write(directory / "valid.src", SRC[:5])],
            "valid_tgt": [write(directory / "valid.tgt", TGT[:5])],
        }

    def config(self, valid: bool = True, **data: Any) -> Config:
        files = {key: value for key, value in self.files.items() if valid or not key.startswith("valid")}
        return load_config(options={"data": {**files, "vocab_size": 340, **data}, "model": {"max_length": 100}})

    def prepare(self, config: Config | None = None) -> PreparedData:
        return prepare(config or self.config(), self.run, self.said.append)

    @property
    def caches(self) -> list[str]:
        return sorted(path.name for path in (self.run / "cache").iterdir() if path.is_dir())


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path)


def text_of(array: TokenArray, tokenizer: Tokenizer) -> list[str]:
    return [tokenizer.decode(array[index].tolist()) for index in range(len(array))]


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("this work was done already")


def test_both_sides_are_tokenised_and_ended(corpus: Corpus) -> None:
    data = corpus.prepare()
    assert text_of(data.train.src, data.tokenizers.src) == SRC
    assert text_of(data.train.tgt, data.tokenizers.tgt) == TGT
    assert all(data.train.src[index][-1] == data.tokenizers.src.eos_id for index in range(len(SRC)))
    assert all(data.train.tgt[index].tolist().count(data.tokenizers.tgt.eos_id) == 1 for index in range(len(TGT)))
    assert (data.valid_src, data.valid_ref) == (SRC[:5], TGT[:5])
    assert text_of(data.valid.src, data.tokenizers.src) == SRC[:5]


def test_what_was_read_is_told(corpus: Corpus) -> None:
    data = corpus.prepare()
    tokens = data.train.src.lengths.sum(), data.train.tgt.lengths.sum()
    assert f"Training: 200 pairs, {tokens[0]:,} source and {tokens[1]:,} target tokens." in corpus.said
    assert any(line.startswith("Validation: 5 pairs") and "held out" not in line for line in corpus.said)
    assert not any("skipped" in line for line in corpus.said)


def test_a_second_call_finds_its_work_done(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    first = corpus.prepare()
    monkeypatch.setattr(prepare_module, "train_tokenizer", refuse)
    monkeypatch.setattr(Tokenizer, "encode_clean", refuse)
    second = corpus.prepare()
    assert second.facts == first.facts
    assert second.tokenizers.src.model == first.tokenizers.src.model
    assert text_of(second.train.tgt, second.tokenizers.tgt) == TGT


def test_the_same_corpus_is_prepared_alike_elsewhere(corpus: Corpus) -> None:
    first = corpus.prepare()
    second = prepare(corpus.config(), corpus.directory / "other", corpus.said.append)
    assert second.facts == first.facts
    assert second.tokenizers.src.model == first.tokenizers.src.model


def change_content(corpus: Corpus) -> Config:
    write(corpus.directory / "train.tgt", [*TGT[:-1], "CHANGED."])
    return corpus.config()


def change_validation(corpus: Corpus) -> Config:
    write(corpus.directory / "valid.tgt", TGT[1:6])
    return corpus.config()


def swap_sides(corpus: Corpus) -> Config:
    return corpus.config(src=corpus.files["tgt"], tgt=corpus.files["src"])


def give_a_file_twice(corpus: Corpus) -> Config:
    return corpus.config(src=corpus.files["src"] * 2, tgt=corpus.files["tgt"] * 2)


def hold_out(corpus: Corpus) -> Config:
    return corpus.config(valid=False)


@pytest.mark.parametrize(
    "change",
    [
        change_content,
        change_validation,
        swap_sides,
        give_a_file_twice,
        hold_out,
        lambda corpus: corpus.config(vocab_size=350),
        lambda corpus: corpus.config(tokenizer_type="bpe"),
        lambda corpus: corpus.config(joint=False),
        lambda corpus: corpus.config(tokenizer_lines=100),
        lambda corpus: corpus.config(sampling=0.1),
        lambda corpus: corpus.config(corpora=[{"src": corpus.files["tgt"], "tgt": corpus.files["src"]}]),
    ],
)
def test_changed_content_or_settings_are_prepared_anew(corpus: Corpus, change: Callable[[Corpus], Config]) -> None:
    before = corpus.prepare().facts["key"]
    after = corpus.prepare(change(corpus)).facts["key"]
    assert before != after
    assert corpus.caches == sorted([before, after])


def test_a_pair_of_tables_is_not_a_pair_of_sides(corpus: Corpus) -> None:
    lines = [f"{src}\t{tgt}" for src, tgt in zip(SRC, TGT, strict=True)]
    files = [write(corpus.directory / f"{name}.tsv", lines) for name in "ab"]
    as_sides = corpus.prepare(corpus.config(src=files[:1], tgt=files[1:]))
    as_tables = corpus.prepare(corpus.config(src=[], tgt=[], tsv=files))
    assert as_sides.facts["key"] != as_tables.facts["key"]
    assert len(as_tables.train.src) == 400


def test_a_file_given_twice_is_read_twice(corpus: Corpus) -> None:
    assert len(corpus.prepare(give_a_file_twice(corpus)).train.src) == 400


def test_a_moved_corpus_is_the_same_corpus(corpus: Corpus) -> None:
    key = corpus.prepare().facts["key"]
    moved = write(corpus.directory / "moved.src", SRC)
    assert corpus.prepare(corpus.config(src=[moved])).facts["key"] == key


def test_a_preparation_cut_short_is_done_again(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(ValidationText, "write", refuse)
        with pytest.raises(AssertionError):
            corpus.prepare()
    assert not any((corpus.run / "cache" / name / "facts.json").exists() for name in corpus.caches)
    data = corpus.prepare()
    assert len(data.train.src) == len(SRC)
    assert corpus.caches == [data.facts["key"]]


def test_pairs_empty_or_too_long_are_skipped_and_counted(corpus: Corpus) -> None:
    write(corpus.directory / "train.src", [*SRC, "", " \u3000", "x", "word " * 200, "b"])
    write(corpus.directory / "train.tgt", [*TGT, "a", "b", "", "short", "word " * 200])
    data = corpus.prepare()
    assert data.facts["train"]["pairs"] == len(data.train.src) == len(data.train.tgt) == 200
    assert data.facts["train"]["empty"] == 3
    assert data.facts["train"]["too_long"] == 2
    assert any(
        "Training: skipped 3 pairs empty on one side and 2 longer than 100 tokens (model.max_length)" in line
        for line in corpus.said
    )


def test_the_longest_pair_kept_has_exactly_the_longest_length(corpus: Corpus) -> None:
    longest = int(corpus.prepare().train.src.lengths.max())
    config = corpus.config()
    for limit, skipped in ((longest, False), (longest - 1, True)):
        model = config.model.model_copy(update={"max_length": limit})
        data = corpus.prepare(config.model_copy(update={"model": model}))
        assert (int(data.train.src.lengths.max()) < longest) is skipped


def test_a_held_out_part_is_told_and_kept_apart(corpus: Corpus) -> None:
    write(corpus.directory / "train.src", [*SRC, *SRC, *(f" {source}" for source in SRC)])
    write(corpus.directory / "train.tgt", [*TGT, *(f"{target} 2" for target in TGT), *TGT])
    data = corpus.prepare(corpus.config(valid=False, valid_size=20))
    assert data.facts["held_out"] is True
    assert any("held out of the corpus: no validation set was given" in line for line in corpus.said)
    held_out = {normalise(source) for source in data.valid_src}
    trained = set(text_of(data.train.src, data.tokenizers.src))
    assert len(held_out) == 20
    assert not held_out & trained
    assert held_out | trained == set(SRC)
    assert len(data.valid_src) == len(data.valid_ref) == len(data.valid.src) == 60


def test_what_is_held_out_follows_the_seed(corpus: Corpus) -> None:
    config = corpus.config(valid=False)
    other = config.model_copy(update={"training": config.training.model_copy(update={"seed": 2})})
    assert corpus.prepare(config).valid_src == corpus.prepare(config).valid_src != corpus.prepare(other).valid_src


def given_tokenizer(corpus: Corpus) -> Path:
    path = corpus.directory / "given.model"
    path.write_bytes(small_tokenizer().model)
    return path


def prepare_pairs(corpus: Corpus, src: list[str], tgt: list[str], **files: Any) -> PreparedData:
    write(corpus.directory / "train.src", src)
    write(corpus.directory / "train.tgt", tgt)
    return corpus.prepare(corpus.config(valid=False, tokenizer=given_tokenizer(corpus), **files))


@pytest.mark.parametrize(
    ("distinct", "times", "training", "validation"),
    [(1_500, 10, 13_500, 1_500), (900, 10, 8_100, 900), (50, 6, 270, 30), (300, 1, 270, 30)],
)
def test_a_tenth_of_the_sources_is_held_out_however_often_they_come(
    corpus: Corpus, distinct: int, times: int, training: int, validation: int
) -> None:
    src, tgt = ([f"{side} {number}" for number in range(distinct)] for side in ("source", "target"))
    data = prepare_pairs(corpus, src * times, tgt * times)
    assert (data.facts["train"]["pairs"], data.facts["valid"]["pairs"]) == (training, validation)
    assert len(data.valid_src) == validation
    assert sum(line.startswith("Warning: only") for line in corpus.said) == (validation < 50)


def test_blank_sources_are_not_drawn_into_validation(corpus: Corpus) -> None:
    src = [f"source {number}" if number % 3 else " " for number in range(6_000)]
    data = prepare_pairs(corpus, src, [f"target {number}" for number in range(6_000)])
    assert (data.facts["train"]["pairs"], data.facts["train"]["empty"]) == (3_600, 2_000)
    assert (data.facts["valid"]["pairs"], data.facts["valid"]["empty"]) == (400, 0)
    assert all(map(str.strip, data.valid_src))


def test_a_blank_target_of_a_held_out_source_is_not_validated_on(corpus: Corpus) -> None:
    data = prepare_pairs(corpus, SRC * 2, TGT + [""] * 200)
    assert (data.facts["valid"]["pairs"], data.facts["valid"]["empty"]) == (20, 0)
    assert data.facts["train"]["empty"] == 200


def test_pairs_empty_on_one_side_are_skipped_for_bleu_as_for_the_loss(corpus: Corpus) -> None:
    write(corpus.directory / "valid.src", [*SRC[:5], "", " \u200b", "x", "word " * 200])
    write(corpus.directory / "valid.tgt", [*TGT[:5], "a", "b", "\ufeff", "long"])
    data = corpus.prepare()
    assert (data.facts["valid"]["pairs"], data.facts["valid"]["empty"]) == (5, 3)
    assert data.valid_src == [*SRC[:5], " ".join(["word"] * 200)]
    assert data.valid_ref == [*TGT[:5], "long"]
    assert (
        "Validation: skipped 3 pairs empty on one side; 1 longer than 100 tokens (model.max_length) count for BLEU, "
        "and not for perplexity."
    ) in corpus.said


@pytest.mark.parametrize(("copied", "warns"), [(200, True), (11, True), (10, False), (0, False)])
def test_a_validation_set_that_is_trained_on_is_warned_of(corpus: Corpus, copied: int, warns: bool) -> None:
    src, tgt = [*SRC[:copied], *(f"new {source}" for source in SRC[copied:])], TGT
    write(corpus.directory / "valid.src", [f" \u200e{source}" for source in src])
    write(corpus.directory / "valid.tgt", tgt)
    data = corpus.prepare()
    assert data.facts["valid_trained_on"] == copied
    sentence = f"Warning: {copied} of the 200 validation pairs are training pairs, too"
    assert any(line.startswith(sentence) for line in corpus.said) == warns


@pytest.mark.parametrize(("size", "warns"), [(1, True), (49, True), (50, False)])
def test_few_pairs_to_validate_on_are_warned_of(corpus: Corpus, size: int, warns: bool) -> None:
    write(corpus.directory / "valid.src", [f"new {source}" for source in SRC[:size]])
    write(corpus.directory / "valid.tgt", TGT[:size])
    corpus.prepare()
    number = f"{size} pair{'s' if size > 1 else ''}"
    assert any(line.startswith(f"Warning: only {number} to validate on: ") for line in corpus.said) == warns


def test_what_cannot_be_seen_is_not_trained_on(corpus: Corpus) -> None:
    plain = prepare_pairs(corpus, SRC, TGT)
    marked = prepare_pairs(
        corpus, [f"\u2067{source}\u2069" for source in SRC], [f"{target[:3]}\u00ad{target[3:]}\0" for target in TGT]
    )
    for side in ("src", "tgt"):
        before, after = (getattr(data.train, side) for data in (plain, marked))
        assert [array.tolist() for array in before] == [array.tolist() for array in after]
    assert marked.valid_ref == plain.valid_ref


def test_how_text_is_read_is_part_of_the_key_and_the_facts(corpus: Corpus) -> None:
    config = corpus.config(tokenizer=given_tokenizer(corpus))
    keys = set()
    for version in (FIRST, CURRENT):
        data = prepare(config, corpus.run, corpus.said.append, normalisation=version)
        assert data.text.normalisation == version
        assert {data.tokenizers.src.normalisation, data.tokenizers.tgt.normalisation} == {version}
        keys.add(data.key)
    assert len(keys) == 2


def test_how_many_lines_hold_several_sentences_is_measured(corpus: Corpus) -> None:
    lines = [*SRC[:150], *(f"{source} {source}" for source in SRC[150:])]
    data = prepare_pairs(corpus, lines, TGT)
    trained_on = [line for line in lines if line not in data.valid_src]
    several = sum(len(split_sentences(line)) > 1 for line in trained_on)
    assert data.text.multi_sentence_share == round(several / len(trained_on), 4) > 0.2
    assert data.facts["text"] == {"normalisation": CURRENT, "multi_sentence_share": data.text.multi_sentence_share}


def as_an_earlier_version_left_it(corpus: Corpus, config: Config) -> str:
    """Rename what is prepared, and take from its facts what they had not then; the key it had."""
    data = corpus.prepare(config)
    cache = corpus.run / "cache"
    contents = Contents([[*data.facts["files"]["train"].values()]], [*data.facts["files"]["valid"].values()])
    key = earlier_key(config, contents)
    earlier = (cache / data.key).rename(cache / key)
    facts = {name: value for name, value in data.facts.items() if name not in ("text", "valid_trained_on")}
    (earlier / "facts.json").write_text(json.dumps({**facts, "key": key}))
    return key


def test_a_run_of_an_earlier_version_goes_on_with_what_that_prepared(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = corpus.config()
    key = as_an_earlier_version_left_it(corpus, config)
    monkeypatch.setattr(prepare_module, "train_tokenizer", refuse)
    data = prepare(config, corpus.run, corpus.said.append, key)
    assert data.key == key
    assert data.text == TextConventions(normalisation=FIRST)
    assert data.tokenizers.src.normalisation == FIRST
    assert text_of(data.train.src, data.tokenizers.src) == SRC


def test_a_run_of_an_earlier_version_without_its_corpus_cannot_go_on(corpus: Corpus) -> None:
    config = corpus.config()
    key = as_an_earlier_version_left_it(corpus, config)
    (corpus.run / "cache" / key / "facts.json").unlink()
    with pytest.raises(DataError, match=r"was begun by an earlier mtcli.*Give another -o"):
        prepare(config, corpus.run, corpus.said.append, key)


def test_blank_pairs_are_not_held_out(corpus: Corpus) -> None:
    for seed in range(1, 4):
        write(corpus.directory / "train.src", [*SRC[:10], "", " "])
        write(corpus.directory / "train.tgt", [*TGT[:10], f"{seed}", ""])
        data = corpus.prepare(corpus.config(valid=False))
        assert data.facts["valid"]["pairs"] >= 1
        assert all(data.valid_src)


def test_a_corpus_of_one_sentence_cannot_be_held_out(corpus: Corpus) -> None:
    write(corpus.directory / "train.src", SRC[:1])
    write(corpus.directory / "train.tgt", TGT[:1])
    with pytest.raises(DataError, match=r"train\.src, .*train\.tgt: too small to hold sentences out.*--valid-src"):
        corpus.prepare(corpus.config(valid=False))


def test_joint_vocabularies_are_one_object(corpus: Corpus) -> None:
    data = corpus.prepare()
    assert data.tokenizers.shared
    assert data.facts["vocabulary"] == {"source": 340, "target": 340}


def test_separate_vocabularies_are_learnt_from_their_sides(corpus: Corpus) -> None:
    data = corpus.prepare(corpus.config(joint=False, vocab_size=320))
    src, tgt = data.tokenizers.src, data.tokenizers.tgt
    assert not data.tokenizers.shared
    assert text_of(data.train.src, src) == SRC
    assert text_of(data.train.tgt, tgt) == TGT
    assert len(src.encode(SRC[0])) < len(src.encode(TGT[0]))
    assert len(tgt.encode(TGT[0])) < len(tgt.encode(SRC[0]))


def test_an_existing_tokenizer_is_used_as_it_is(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare_module, "train_tokenizer", refuse)
    path = corpus.directory / "given.model"
    path.write_bytes(small_tokenizer().model)
    data = corpus.prepare(corpus.config(tokenizer=path, vocab_size=5000))
    assert data.tokenizers.shared
    assert data.tokenizers.src.model == path.read_bytes()
    assert data.train.src[0].tolist()[:-1] == small_tokenizer().encode(SRC[0])


def test_two_existing_tokenizers_are_used_on_their_sides(corpus: Corpus) -> None:
    separate = corpus.prepare(corpus.config(joint=False, vocab_size=320)).tokenizers
    paths = [corpus.directory / "src.model", corpus.directory / "tgt.model"]
    for path, tokenizer in zip(paths, (separate.tgt, separate.src), strict=True):
        path.write_bytes(tokenizer.model)
    data = corpus.prepare(corpus.config(src_tokenizer=paths[0], tgt_tokenizer=paths[1]))
    assert (data.tokenizers.src.model, data.tokenizers.tgt.model) == (separate.tgt.model, separate.src.model)
    assert text_of(data.train.src, data.tokenizers.src) == SRC


def test_another_existing_tokenizer_is_another_preparation(corpus: Corpus) -> None:
    path = corpus.directory / "given.model"
    path.write_bytes(small_tokenizer().model)
    first = corpus.prepare(corpus.config(tokenizer=path)).facts["key"]
    path.write_bytes(corpus.prepare().tokenizers.src.model)
    assert corpus.prepare(corpus.config(tokenizer=path)).facts["key"] != first


def test_a_vocabulary_lowered_is_warned_of(corpus: Corpus) -> None:
    corpus.prepare(corpus.config(vocab_size=30_000))
    assert any(line.startswith("Warning: The corpus is too small for 30000 pieces") for line in corpus.said)


def test_a_vocabulary_too_small_is_an_error(corpus: Corpus) -> None:
    with pytest.raises(ConfigError, match=r"data\.vocab_size = 50 is too small"):
        corpus.prepare(corpus.config(vocab_size=50))


def test_a_table_on_stdin_is_prepared_and_found_again(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    config = corpus.config(src=[], tgt=[], tsv=["-"])
    table = "".join(f"{src}\t{tgt}\n" for src, tgt in zip(SRC, TGT, strict=True))
    for content in (table, "", table):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
        data = corpus.prepare(config)
        assert text_of(data.train.tgt, data.tokenizers.tgt) == TGT
        monkeypatch.setattr(prepare_module, "train_tokenizer", refuse)


def test_facts_tell_every_file_and_its_hash(corpus: Corpus) -> None:
    facts = corpus.prepare().facts
    assert list(facts["files"]["train"]) == [str(corpus.files["src"][0]), str(corpus.files["tgt"][0])]
    assert len(facts["files"]["valid"]) == 2
    json.dumps(facts)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("train", r"train\.src, .*train\.tgt: no sentence pair is left to train on. 0 were empty.*200 longer than 8"),
        ("valid", r"valid\.src, .*valid\.tgt: no sentence pair is left to validate on"),
    ],
)
def test_a_corpus_of_which_nothing_is_left_is_named(corpus: Corpus, name: str, message: str) -> None:
    config = corpus.config()
    if name == "train":
        config = config.model_copy(update={"model": config.model.model_copy(update={"max_length": 8})})
        write(corpus.directory / "train.src", [line + " and more" * 9 for line in SRC])
    else:
        write(corpus.directory / "valid.src", [])
        write(corpus.directory / "valid.tgt", [])
    with pytest.raises(DataError, match=message):
        corpus.prepare(config)
    assert not any((corpus.run / "cache" / cache / "facts.json").exists() for cache in corpus.caches)


def test_a_blank_corpus_is_an_error(corpus: Corpus) -> None:
    write(corpus.directory / "train.src", [""] * 5)
    write(corpus.directory / "train.tgt", [" "] * 5)
    for valid in (True, False):
        with pytest.raises(DataError, match="every line is blank"):
            corpus.prepare(corpus.config(valid=valid))


def test_uneven_sides_are_an_error_before_any_work(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare_module, "train_tokenizer", refuse)
    write(corpus.directory / "train.tgt", TGT[:-3])
    with pytest.raises(DataError, match=r"has 200 lines and .* has 197: line 198 has no partner"):
        corpus.prepare()


def other_corpus(corpus: Corpus) -> tuple[list[str], list[str]]:
    """Sixty other pairs, in a table beside the corpus's files."""
    src = sentences(60, seed=7)
    tgt = [sentence.lower() for sentence in src]
    write(
        corpus.directory / "other.tsv", [f"{src_line}\t{tgt_line}" for src_line, tgt_line in zip(src, tgt, strict=True)]
    )
    return src, tgt


def test_further_corpora_follow_the_first(corpus: Corpus) -> None:
    src, tgt = other_corpus(corpus)
    data = corpus.prepare(corpus.config(corpora=[{"tsv": [corpus.directory / "other.tsv"], "weight": 0.5}]))
    assert text_of(data.train.src, data.tokenizers.src) == SRC + src
    assert text_of(data.train.tgt, data.tokenizers.tgt) == TGT + tgt
    assert data.shares == (Share(0, 200, 1.0), Share(200, 260, 0.5))
    assert data.pairs is data.train
    assert list(data.facts["files"]["train"])[-1] == str(corpus.directory / "other.tsv")
    epochs = [np.concatenate(data.batches(200, 1).epoch(number)) for number in (0, 1)]
    assert [len(epoch) for epoch in epochs] == [230, 230]
    assert sorted(np.concatenate(epochs).tolist()) == sorted([*range(200), *range(260)])


def test_bounds_of_corpora_count_the_pairs_kept(corpus: Corpus) -> None:
    other_corpus(corpus)
    write(corpus.directory / "train.src", [*SRC[:9], "", *SRC[10:]])
    files = {key: corpus.files[key] * 2 for key in ("src", "tgt")}
    data = corpus.prepare(corpus.config(**files, corpora=[{"tsv": [corpus.directory / "other.tsv"], "weight": 2}]))
    assert data.shares == (Share(0, 398, 1.0), Share(398, 458, 2.0))


def test_a_weight_changes_no_preparation(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    other_corpus(corpus)
    keys = []
    for weight in (1, 3.5):
        data = corpus.prepare(corpus.config(corpora=[{"tsv": [corpus.directory / "other.tsv"], "weight": weight}]))
        keys.append(data.facts["key"])
        monkeypatch.setattr(prepare_module, "train_tokenizer", refuse)
    assert keys[0] == keys[1]
    assert [share.weight for share in data.shares] == [1.0, 3.5]


def test_where_one_corpus_ends_is_part_of_the_key(corpus: Corpus) -> None:
    files = {key: corpus.files[key] for key in ("src", "tgt")}
    apart = corpus.prepare(corpus.config(corpora=[files]))
    together = corpus.prepare(corpus.config(src=files["src"] * 2, tgt=files["tgt"] * 2))
    assert apart.facts["key"] != together.facts["key"]
    assert apart.shares == together.shares == ()


def test_all_weights_of_one_are_no_weights(corpus: Corpus) -> None:
    batches = [
        [batch.tolist() for batch in data.batches(200, 3).epoch(2)]
        for data in (
            corpus.prepare(),
            corpus.prepare(
                corpus.config(
                    src=[], tgt=[], corpora=[{"src": corpus.files["src"], "tgt": corpus.files["tgt"], "weight": 1.0}]
                )
            ),
        )
    ]
    assert batches[0] == batches[1]


def test_a_weight_that_leaves_nothing_is_refused(corpus: Corpus) -> None:
    other_corpus(corpus)
    config = corpus.config(corpora=[{"tsv": [corpus.directory / "other.tsv"], "weight": 0.01}])
    with pytest.raises(ConfigError, match=r"other\.tsv: of 60 pairs a weight of 0\.01 is less than one an epoch"):
        corpus.prepare(config)


def test_validation_pairs_are_held_out_of_all_corpora(corpus: Corpus) -> None:
    src, _ = other_corpus(corpus)
    data = corpus.prepare(
        corpus.config(valid=False, valid_size=26, corpora=[{"tsv": [corpus.directory / "other.tsv"]}])
    )
    assert len(data.valid_src) == 26
    assert set(data.valid_src) & set(src)
    assert set(data.valid_src) & set(SRC)
    trained = text_of(data.train.src, data.tokenizers.src)
    assert sorted([*data.valid_src, *trained]) == sorted([*SRC, *src])


def test_the_place_of_a_pair_is_its_line(corpus: Corpus) -> None:
    src, _ = other_corpus(corpus)
    write(corpus.directory / "train.src", ["", *SRC[:-1]])
    data = corpus.prepare(corpus.config(corpora=[{"tsv": [corpus.directory / "other.tsv"]}]))
    lines = text_of(data.train.src, data.tokenizers.src)
    files = {str(corpus.directory / "train.src"): ["", *SRC[:-1]], str(corpus.directory / "other.tsv"): src}
    for index, line in enumerate(lines):
        name, _, number = data.place(index).rpartition(":")
        assert files[name][int(number) - 1] == line
    assert data.place(0) == f"{corpus.directory / 'train.src'}:2"
    assert data.place(len(lines) - 1) == f"{corpus.directory / 'other.tsv'}:60"


def test_places_bear_the_names_given_last(corpus: Corpus) -> None:
    corpus.prepare()
    moved = write(corpus.directory / "moved.src", SRC)
    assert corpus.prepare(corpus.config(src=[moved])).place(4) == f"{moved}:5"


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_sampling_cuts_the_same_text_anew(corpus: Corpus, model_type: str) -> None:
    write(corpus.directory / "train.src", [*SRC[:5], "", *SRC[6:-1], "e\u0301  x"])
    config = corpus.config(sampling=0.2, tokenizer_type=model_type, joint=False, vocab_size=320)
    data = corpus.prepare(config)
    texts = [*SRC[:5], *SRC[6:-1], "é x"]
    indices = np.arange(len(texts))
    first, second = (data.pairs.gather(indices, seed) for seed in (1, 2))
    for gathered in (first, second):
        tokens = np.split(gathered.src, np.cumsum(gathered.src_lengths)[:-1])
        assert [data.tokenizers.src.decode(part.tolist()) for part in tokens] == texts
    assert first.src.tolist() != second.src.tolist()
    assert first.tgt.tolist() != second.tgt.tolist()
    usual = data.train.gather(indices, 1)
    assert usual.src.tolist() == data.train.src.gather(indices)[0].tolist()
    assert len(first.src) > len(usual.src)
    stronger = corpus.prepare(config.model_copy(update={"data": config.data.model_copy(update={"sampling": 0.5})}))
    assert stronger.facts == data.facts  # only whether text is kept is part of the cache
    assert stronger.pairs.gather(indices, 1).src.tolist() != first.src.tolist()


def test_without_sampling_no_text_is_kept(corpus: Corpus) -> None:
    cache = corpus.run / "cache" / corpus.prepare().facts["key"]
    assert not list(cache.glob("*.text.*"))


def test_any_number_of_processes_prepares_the_same(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    write(corpus.directory / "train.src", [*SRC[:5], "", *SRC[6:-1], "word " * 200])
    path = corpus.directory / "given.model"  # training one rounds differently with another number of threads
    path.write_bytes(small_tokenizer().model)
    config = corpus.config(valid=False, sampling=0.1, tokenizer=path)
    made = []
    for processes in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", processes)
        run = corpus.directory / processes
        made.append(prepare(config, run, corpus.said.append).facts)
        monkeypatch.setattr(survey_module, "CHUNK", 30)
        for module in (survey_module, prepare_module):
            monkeypatch.setattr(module, "ALONE", 0)
    assert made[0] == made[1]
    for file in (corpus.directory / "1" / "cache" / made[0]["key"]).iterdir():
        assert file.read_bytes() == (corpus.directory / "3" / "cache" / made[0]["key"] / file.name).read_bytes()


# The directory of the prepared data gets its name last: the interrupt comes before, however late it comes.
INTERRUPTED = """
import signal, sys
from pathlib import Path
from mtcli.config import load_config
from mtcli.data import prepare, survey

def wait_at_the_end(event, arguments):
    if event == "os.rename" and Path(arguments[1]).parent.name == "cache":
        signal.pause()

if __name__ == "__main__":
    sys.addaudithook(wait_at_the_end)
    prepare.ALONE, survey.ALONE, survey.CHUNK = 0, 0, 10
    directory = Path(sys.argv[1])
    files = {"src": [directory / "train.src"], "tgt": [directory / "train.tgt"]}
    config = load_config(options={"data": {**files, "vocab_size": 340, "valid_size": 20}})
    prepare.prepare(config, directory / "run", lambda sentence: print(sentence, flush=True))
"""


def test_an_interrupt_leaves_no_process_and_nothing_half_done(corpus: Corpus) -> None:
    for name, lines in (("train.src", SRC), ("train.tgt", TGT)):
        write(corpus.directory / name, lines * 30)
    script = corpus.directory / "script.py"
    script.write_text(INTERRUPTED)
    process = subprocess.Popen(
        [sys.executable, script, corpus.directory],
        env={**os.environ, "OMP_NUM_THREADS": "2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Tokenising"):
            break
    wait_until(lambda: any((corpus.run / "cache").glob("*.partial/train.src.tokens")))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert errors.count("Traceback") == errors.count("KeyboardInterrupt") == 1
    wait_until(lambda: not is_alive(process.pid))
    assert all(name.endswith(".partial") for name in corpus.caches)
    config = load_config(options={"data": {**corpus.config(valid=False).data.model_dump(), "valid_size": 20}})
    data = corpus.prepare(config)
    assert corpus.caches == [data.facts["key"]]


def is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_comes_through_pipes_is_read_once_and_kept(corpus: Corpus) -> None:
    plain = corpus.prepare()
    contents = {name: paths[0].read_bytes() for name, paths in corpus.files.items()}
    for _ in range(2):  # the same command again finds its work done
        writers = []
        for name, content in contents.items():
            pipe = corpus.directory / f"{name}.pipe"
            pipe.unlink(missing_ok=True)
            os.mkfifo(pipe)
            corpus.files[name] = [pipe]
            writers.append(threading.Thread(target=pipe.write_bytes, args=(content,)))
        for writer in writers:
            writer.start()
        assert corpus.prepare().key == plain.key
        for writer in writers:
            writer.join()


def test_processes_of_their_own_cannot_read_pipes(corpus: Corpus) -> None:
    refuse_pipes(corpus.config().data)
    pipe = corpus.directory / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(DataError, match=rf"{pipe} is a pipe, and the processes of --nproc cannot"):
        refuse_pipes(corpus.config(valid_tgt=[pipe]).data)


@pytest.mark.parametrize("name", ["src", "tgt", "valid_src"])
def test_markup_is_not_trained_on(corpus: Corpus, name: str) -> None:
    corpus.files[name][0].write_text('<?xml version="1.0"?>\n<tmx version="1.4">\n' + "<seg>a</seg>\n" * 198)
    with pytest.raises(DataError, match=rf"{corpus.files[name][0]} is a translation memory \(TMX\), and plain text"):
        corpus.prepare()


@pytest.mark.parametrize(("size", "warns"), [(400, True), (None, False)])
def test_the_size_of_a_vocabulary_that_is_given_has_no_use(corpus: Corpus, size: int | None, warns: bool) -> None:
    tokenizer = given_tokenizer(corpus)
    given = {"vocab_size": size} if size else {}
    files = {**corpus.files, "tokenizer": tokenizer, **given}
    corpus.prepare(load_config(options={"data": files, "model": {"max_length": 100}}))
    warnings = [said for said in corpus.said if "data.vocab_size = 400 is not used: the tokenizer given has" in said]
    assert bool(warnings) == warns
    assert not [said for said in corpus.said if "vocab_size = 32000" in said]
