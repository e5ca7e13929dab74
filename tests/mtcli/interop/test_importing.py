"""Imported Marian models do what transformers does with them: ids, log-probabilities, searches, text."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from support.accuracy import assert_as_exact_as_eager
from support.marian import ENGLISH, GERMAN, NASTY, make_marian
from support.slow import slow

from mtcli.config import DecodingConfig
from mtcli.data.listed import ListedTokenizer
from mtcli.data.normalisation import without_invisible
from mtcli.decoding.translator import Translator
from mtcli.errors import CheckpointError, UsageError
from mtcli.interop import originals
from mtcli.interop.fetching import Original
from mtcli.interop.importing import Imported, read_marian, write_imported
from mtcli.interop.reference import CLOSE, Ours, largest_difference, stored
from mtcli.model_directory.card import direction_of
from mtcli.model_directory.description import load_architecture
from mtcli.model_directory.loading import load_model
from mtcli.translation import Translation

transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
SHAPES: dict[str, dict[str, Any]] = {
    "plain": {"end_bias": 2.0},
    "base's widths": {
        "d_model": 512,
        "encoder_attention_heads": 8,
        "decoder_attention_heads": 8,
        "encoder_ffn_dim": 2048,
        "decoder_ffn_dim": 2048,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "end_bias": 2.0,
    },
    "odd sizes": {
        "d_model": 42,
        "encoder_attention_heads": 7,
        "decoder_attention_heads": 2,
        "decoder_ffn_dim": 33,
        "encoder_layers": 1,
        "decoder_layers": 3,
        "activation_function": "gelu",
        "scale_embedding": False,
        "bias": 1.0,
    },
    "two vocabularies": {"separate": True, "end_bias": 2.0},
    "two vocabularies, nothing tied": {
        "separate": True,
        "end_bias": 2.0,
        "tie_word_embeddings": False,
        "activation_function": "relu",
    },
    "two vocabularies, one matrix": {"separate": True, "share_encoder_decoder_embeddings": True, "left_out": 5},
    "an output matrix of its own": {"tie_word_embeddings": False, "end_bias": 2.0},
    "a source matrix of its own": {"share_encoder_decoder_embeddings": False, "end_bias": 2.0},
    "forbidden pieces without a share": {
        "end_bias": -3.0,  # no empty output, which transformers may write and mtcli does not
        "generation": {"bad_words_ids": [[98], [5], [6], [7], [8], [9]], "renormalize_logits": True},
    },
    "BPE, and nothing forbidden": {"kind": "bpe", "generation": {"bad_words_ids": None}},
}
COMMON_SHAPES = ("plain", "two vocabularies", "odd sizes")
RULES: tuple[tuple[str, Any], ...] = (("full", True), ("estimate", False), ("certain", "never"))


def of_shape(directory: Path, name: str) -> Path:
    settings = dict(SHAPES[name])
    tokenizer = {key: settings.pop(key) for key in ("kind", "left_out") if key in settings}
    if name == "two vocabularies, one matrix":  # both lists have to be as long
        tokenizer["equal"] = True
    return make_marian(directory / "original", tokenizer=tokenizer, **settings)


def original_of(directory: Path) -> Original:
    return Original(directory, str(directory))


class Theirs:
    """The original in transformers."""

    def __init__(self, directory: Path, dtype: torch.dtype = torch.float32) -> None:
        self.tokenizer = transformers.MarianTokenizer.from_pretrained(directory)
        self.network = transformers.MarianMTModel.from_pretrained(directory).to(dtype).eval()

    def ids(self, line: str, **target: str) -> list[int]:
        return list(self.tokenizer(**target)["input_ids"] if target else self.tokenizer(line)["input_ids"])

    @torch.inference_mode()
    def translate(
        self, lines: list[str], beam: int, early_stopping: bool | str = False
    ) -> list[tuple[list[int], str, float]]:
        """Tokens without the end token, text, and score (of a beam above 1) of each line."""
        found = self.network.generate(
            **self.tokenizer(lines, return_tensors="pt", padding=True),
            num_beams=beam,
            do_sample=False,
            length_penalty=1.0,
            early_stopping=early_stopping,
            # As ours; but renormalised, that changes every score
            min_new_tokens=None if self.network.generation_config.renormalize_logits else 1,
            return_dict_in_generate=True,
            output_scores=True,
        )
        rows = [row[1:] for row in found.sequences.tolist()]
        tokens = [row[: row.index(0)] if 0 in row else row for row in rows]
        texts = self.tokenizer.batch_decode(found.sequences, skip_special_tokens=True)
        scores = found.sequences_scores.tolist() if beam > 1 else [0.0] * len(lines)
        return list(zip(tokens, texts, scores, strict=True))


def search(translator: Translator, lines: list[str], **options: Any) -> list[Translation]:
    chosen = DecodingConfig.model_validate({**translator.options.model_dump(), **options})
    fresh = Translator(translator.model, chosen, device="cpu", dtype="float32")
    return fresh.translate(lines, sentences="keep", repair=False)  # as the original reads them


@pytest.mark.parametrize("name", [*COMMON_SHAPES, *slow(*(name for name in SHAPES if name not in COMMON_SHAPES))])
def test_an_imported_model_does_what_the_original_does(name: str, tmp_path: Path) -> None:
    directory = of_shape(tmp_path, name)
    imported = read_marian(original_of(directory))
    assert imported.difference is not None and imported.difference < CLOSE
    write_imported(imported, tmp_path / "model")
    translator = Translator(tmp_path / "model", device="cpu", dtype="float32")
    theirs, exact = Theirs(directory), Theirs(directory, torch.float64)
    src, tgt = translator.model.tokenizers.src, translator.model.tokenizers.tgt
    for line in (*NASTY, *ENGLISH, *GERMAN):
        visible = without_invisible(line)
        assert [*src.encode(line), src.eos_id] == theirs.ids(visible)
        assert [*tgt.encode(line), tgt.eos_id] == theirs.ids(visible, text_target=visible)

    several = map(without_invisible, (*ENGLISH, *NASTY[2:8], *GERMAN[:2]))
    lines = [line for line in several if len(src.encode(line)) < 60]
    for beam, stop, early_stopping in ((1, "full", False), *((4, *rule) for rule in RULES)):
        expected, rounded_less = (one.translate(lines, beam, early_stopping) for one in (theirs, exact))
        found = search(translator, lines, beam_size=beam, stop=stop)
        for line, ours, (tokens, text, _), (same, _, _) in zip(lines, found, expected, rounded_less, strict=True):
            assert list(ours.tokens) == tokens == same, (beam, stop, line)
            assert ours.text == text
        if beam > 1:
            scores = torch.tensor([ours.score for ours in found])
            eager, best = (
                torch.tensor([score for _, _, score in rows], dtype=torch.float64) for rows in (expected, rounded_less)
            )
            assert_as_exact_as_eager(scores, eager, best)


def test_the_rules_to_stop_by_make_a_difference(tmp_path: Path) -> None:
    """Else the test above would show little."""
    directory = make_marian(tmp_path / "original", end_bias=2.0)
    translator = Translator(read_marian(original_of(directory)).model)
    found = {stop: [t.tokens for t in search(translator, [*ENGLISH, *GERMAN], stop=stop)] for stop, _ in RULES}
    assert len({str(tokens) for tokens in found.values()}) == 3
    assert min(len(tokens) for tokens in found["full"]) < 10


def test_a_forced_end_costs_nothing_where_the_original_says_so(tmp_path: Path) -> None:
    directory = make_marian(tmp_path / "original")
    model = read_marian(original_of(directory)).model
    assert model.architecture.decoding.free_end
    free, charged = (search(Translator(model), [*ENGLISH], free_end=free) for free in (True, False))
    assert [t.score for t in free] > [t.score for t in charged]


def test_defaults_of_generation_become_those_of_decoding(tmp_path: Path) -> None:
    generation = {"num_beams": 6, "max_length": 30, "length_penalty": 0.5, "early_stopping": True}
    directory = make_marian(tmp_path / "original", generation=generation)
    decoding = read_marian(original_of(directory)).model.architecture.decoding
    assert (decoding.beam_size, decoding.length_penalty, decoding.stop) == (6, 0.5, "full")
    assert (decoding.max_length_ratio, decoding.max_length_extra) == (0.0, 29)


def test_a_model_that_says_nothing_of_generation_has_our_defaults(tmp_path: Path) -> None:
    directory = make_marian(tmp_path / "original", generation={"max_length": None, "num_beams": None})
    decoding = read_marian(original_of(directory)).model.architecture.decoding
    assert (decoding.beam_size, decoding.max_length_ratio, decoding.stop) == (4, 2.0, "estimate")


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of several target languages."""
    directory = tmp_path_factory.mktemp("several") / "original"
    return make_marian(directory, tokenizer={"languages": [">>de<<", ">>nds<<"]})


def test_a_target_language_begins_every_line(several: Path) -> None:
    imported, theirs = read_marian(original_of(several), "de"), Theirs(several)
    assert imported.languages == []
    translator = Translator(imported.model)
    src = translator.model.tokenizers.src
    for line in map(without_invisible, (*ENGLISH, *NASTY[1:6], ">>xx<< of no language")):
        assert [*src.encode(line), src.eos_id] == theirs.ids(f">>de<< {line}")
    assert src.encode(f">>nds<< {ENGLISH[0]}") == theirs.ids(f">>nds<< {ENGLISH[0]}")[:-1], "a line's own one wins"
    [(tokens, text, _)] = theirs.translate([f">>de<< {ENGLISH[0]}"], 4)
    [ours] = translator.translate([ENGLISH[0]], sentences="keep", repair=False)
    assert (list(ours.tokens), ours.text) == (tokens, text)


def test_each_part_of_a_long_line_begins_with_its_language(several: Path) -> None:
    plain, german = (read_marian(original_of(several), target).model for target in (None, "de"))
    code = plain.tokenizers.src.encode(">>nds<<")
    assert len(code) == 1
    line = " ".join(f"{sentence}." for sentence in ENGLISH * 4)
    for model, text, expected in (
        (plain, f">>nds<< {line}", code),
        (german, line, german.tokenizers.src.encode(">>de<<")),
    ):
        translator = Translator(model)
        [(prepared, found)] = translator.prepare([text], translator._way(None, {}))
        sources = [sentence.source for sentence in found]
        assert len(sources) > 4
        assert all(list(source[:1]) == expected and len(source) <= 64 for source in sources)
        assert " ".join(part.text for part in prepared.parts) == line


def test_languages_are_named(several: Path, tmp_path: Path) -> None:
    assert read_marian(original_of(several)).languages == [">>de<<", ">>nds<<"]
    with pytest.raises(UsageError, match=r"no piece >>fr<<; it has >>de<<, >>nds<<"):
        read_marian(original_of(several), "fr")
    with pytest.raises(UsageError, match="one language alone: leave it out"):
        read_marian(original_of(make_marian(tmp_path / "single")), "de")


def test_spaces_before_marks_are_taken_out_where_the_original_does(tmp_path: Path) -> None:
    directory = make_marian(tmp_path / "original", tokenizer={"clean_up_tokenization_spaces": True})
    tgt, theirs = read_marian(original_of(directory)).model.tokenizers.tgt, Theirs(directory)
    assert isinstance(tgt, ListedTokenizer)
    pieces = [piece for mark in ".,!?" for piece in ("▁", mark, "▁der", "▁", "'", "▁", "s")]
    tokens = [tgt._ids.get(piece, 5) for piece in pieces]
    assert tgt.decode(tokens) == theirs.tokenizer.decode(tokens, skip_special_tokens=True)
    assert " ," not in tgt.decode(tokens)


def test_special_tokens_may_be_plain_text(tmp_path: Path) -> None:
    directory = make_marian(tmp_path / "original", tokenizer={"split_special_tokens": True})
    src, theirs = read_marian(original_of(directory)).model.tokenizers.src, Theirs(directory)
    for line in map(without_invisible, NASTY):
        assert [*src.encode(line), src.eos_id] == theirs.ids(line)


def test_other_numbers_are_made_float32(tmp_path: Path) -> None:
    directory = make_marian(tmp_path / "original")
    transformers.MarianMTModel.from_pretrained(directory).half().save_pretrained(directory)
    imported = read_marian(original_of(directory))
    assert imported.difference is not None and imported.difference < CLOSE
    assert {parameter.dtype for parameter in imported.model.network.parameters()} == {torch.float32}


def test_without_transformers_the_reference_is_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = make_marian(tmp_path / "original")
    theirs = read_marian(original_of(directory)).reference
    monkeypatch.setattr(originals, "is_installed", lambda: False)
    imported = read_marian(original_of(directory))
    assert imported.difference is None and imported.reference.made_by.startswith("mtcli ")
    assert [s.ids for s in imported.reference.sentences] == [s.ids for s in theirs.sentences]
    assert [s.target for s in imported.reference.sentences] == [s.target for s in theirs.sentences]
    torch.testing.assert_close(imported.reference.logits, theirs.logits, atol=1e-4, rtol=1e-4)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("written")
    write_imported(read_marian(original_of(make_marian(directory / "original"))), directory / "model")
    return directory / "model"


def test_the_reference_is_compared_with(written: Path) -> None:
    reference = stored(written, load_architecture(written).checksums)
    model = load_model(written, CPU)
    assert reference.made_by.startswith("transformers ")
    assert len(reference.sentences) == 6
    assert largest_difference(reference, Ours(model, "padded")) < CLOSE
    model.network.decoder.layers[0].feed_forward.up.bias.data[3] += 0.01
    with pytest.raises(CheckpointError, match=r"does not compute what transformers .* computed: mtcli .* is off by"):
        largest_difference(reference, Ours(model))


def test_a_tokenizer_that_cuts_otherwise_is_found(written: Path) -> None:
    reference, model = stored(written, {}), load_model(written, CPU)
    src = model.tokenizers.src
    assert isinstance(src, ListedTokenizer)
    src._cut = None
    with pytest.raises(CheckpointError, match=r"cuts '</s> & <unk>"):
        largest_difference(reference, Ours(model))


@pytest.mark.parametrize("name", ["reference.json", "reference.safetensors", "vocabulary.json", "source.model"])
def test_a_changed_file_is_found(name: str, written: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(written, copy)
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(
        content.replace(b"e", b"f", 1) if name.endswith("json") else content[:-1] + bytes([content[-1] ^ 1])
    )
    with pytest.raises(CheckpointError, match=name):
        stored(copy, load_architecture(copy).checksums)
        load_model(copy, CPU)


def test_the_direction_is_that_of_the_original(written: Path, several: Path, tmp_path: Path) -> None:
    assert direction_of(written) == ("en", "de")
    for target, direction in (("nds", ("en", "nds")), (None, None)):
        model = tmp_path / str(target)
        write_imported(read_marian(original_of(several), target), model)
        assert direction_of(model) == direction


def test_where_the_original_is_silent_its_name_says_the_direction(tmp_path: Path) -> None:
    directory = make_marian(tmp_path / "opus-mt-ko-en", tokenizer={"source_lang": None, "target_lang": ""})
    write_imported(read_marian(original_of(directory)), tmp_path / "named")
    assert direction_of(tmp_path / "named") == ("ko", "en")
    directory.rename(tmp_path / "opus")
    write_imported(read_marian(original_of(tmp_path / "opus")), tmp_path / "silent")
    assert direction_of(tmp_path / "silent") is None


def test_writing_replaces_whole_directories(written: Path, tmp_path: Path) -> None:
    imported: Imported = read_marian(original_of(written.parent / "original"))
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").write_text("x")
    write_imported(imported, out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert not (out / "old").exists()
    for path in written.iterdir():
        if path.name not in ("provenance.json", "README.md"):
            assert (out / path.name).read_bytes() == path.read_bytes()
