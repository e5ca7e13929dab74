"""Exported models do elsewhere what they do here; what a form cannot express is refused."""

from pathlib import Path
from typing import Any

import pytest
import sentencepiece as spm
import torch
from support.forced import score_targets
from support.marian import ENGLISH, GERMAN, make_marian
from support.sentences import small_tokenizer

from mtcli.config import DecodingConfig, ModelConfig
from mtcli.data.tokenizer import Tokenizers, train_tokenizer
from mtcli.decoding.translator import Translator
from mtcli.errors import BackendUnavailableError, ConfigError
from mtcli.interop import exporting_ct2, originals
from mtcli.interop.exporting_ct2 import export_ctranslate2
from mtcli.interop.exporting_hf import export_hf
from mtcli.interop.fetching import Original
from mtcli.interop.importing import read_marian, write_imported
from mtcli.model.transformer import Transformer
from mtcli.model_directory.description import Architecture, write_description
from mtcli.model_directory.loading import load_model
from mtcli.model_directory.weights import parameters_of, weights_bytes

transformers = pytest.importorskip("transformers")
ctranslate2 = pytest.importorskip("ctranslate2")
pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")


def export(form: Any, model: Path, out: Path) -> Path:
    out.mkdir()
    form(model, out)
    return out


def write_random(directory: Path, *, separate: bool = False, **settings: Any) -> Path:
    """A model of mtcli's own kind that learnt nothing."""
    first = small_tokenizer()
    second = train_tokenizer([*GERMAN] * 20, vocab_size=300)[0] if separate else first
    tokenizers = Tokenizers(first, second)
    config = ModelConfig(
        **{"encoder_layers": 2, "decoder_layers": 1, "d_model": 16, "ffn_dim": 24, "heads": 2} | settings
    )
    architecture = Architecture(config, tokenizers.sizes, DecodingConfig(max_length_ratio=1.0, max_length_extra=8))
    torch.manual_seed(3)
    network = Transformer(config, architecture.vocabulary)
    for parameter in network.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    write_description(directory, architecture, tokenizers)
    (directory / "model.safetensors").write_bytes(weights_bytes(parameters_of(network)))
    return directory


def lines_of_transformers(directory: Path, lines: list[str], **options: Any) -> list[str]:
    tokenizer = transformers.MarianTokenizer.from_pretrained(directory)
    network = transformers.MarianMTModel.from_pretrained(directory).eval()
    found = []
    for line in lines:
        encoded = tokenizer(line, return_tensors="pt")
        [output] = network.generate(**encoded, do_sample=False, **options)
        found.append(tokenizer.decode(output, skip_special_tokens=True))
    return found


def lines_of_ctranslate2(directory: Path, lines: list[str], **options: Any) -> list[str]:
    source, target = spm.SentencePieceProcessor(), spm.SentencePieceProcessor()
    source.Load(str(directory / "source.spm"))
    target.Load(str(directory / "target.spm"))
    translator = ctranslate2.Translator(str(directory), device="cpu", compute_type="float32", intra_threads=1)
    results = translator.translate_batch([source.encode(line, out_type=str) for line in lines], **options)
    return [target.decode(result.hypotheses[0]) for result in results]


@pytest.mark.slow
@pytest.mark.parametrize("beam", [1, 4])
def test_a_trained_model_gives_the_same_lines_everywhere(beam: int, reverse_model: Path, tmp_path: Path) -> None:
    lines = (reverse_model.parent / "test.src").read_text().splitlines()[:12]
    ours = [
        translation.text for translation in Translator(reverse_model).translate(lines, beam_size=beam, repair=False)
    ]
    hf = export(export_hf, reverse_model, tmp_path / "hf")
    assert lines_of_transformers(hf, lines, num_beams=beam) == ours
    ct2 = export(export_ctranslate2, reverse_model, tmp_path / "ct2")
    assert lines_of_ctranslate2(ct2, lines, beam_size=beam) == ours


def test_generation_needs_no_options(tmp_path: Path) -> None:
    """The defaults that an export writes are the search that mtcli does."""
    original = make_marian(tmp_path / "original", end_bias=2.0, generation={"num_beams": 3, "early_stopping": "never"})
    model = read_marian(Original(original, "original")).model
    expected = [
        translation.text for translation in Translator(model).translate([*ENGLISH], sentences="keep", repair=False)
    ]
    write_imported(read_marian(Original(original, "original")), tmp_path / "model")
    hf = export(export_hf, tmp_path / "model", tmp_path / "hf")
    assert lines_of_transformers(hf, [*ENGLISH]) == expected


@pytest.mark.parametrize(
    "settings",
    [
        {"end_bias": 2.0},
        {"separate": True},
        {"separate": True, "tie_word_embeddings": False, "bias": 1.0, "decoder_attention_heads": 2},
        {"tokenizer": {"languages": [">>de<<"], "split_special_tokens": True}, "scale_embedding": False},
        {
            "tokenizer": {"clean_up_tokenization_spaces": True, "extra_special_tokens": ["e"]},
            "tie_word_embeddings": False,
        },
    ],
    ids=["plain", "two vocabularies", "nothing tied", "languages", "tidy"],
)
def test_import_export_import_is_exact(settings: dict[str, Any], tmp_path: Path) -> None:
    original = make_marian(tmp_path / "original", **settings)
    write_imported(read_marian(Original(original, "original")), tmp_path / "first")
    export(export_hf, tmp_path / "first", tmp_path / "hf")
    again = read_marian(Original(tmp_path / "hf", "hf"))
    assert again.difference is not None
    write_imported(again, tmp_path / "second")
    names = sorted(
        path.name for path in (tmp_path / "first").iterdir() if path.name not in ("README.md", "provenance.json")
    )
    assert "reference.safetensors" in names
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name


ARCHITECTURES: dict[str, dict[str, Any]] = {
    "post-norm": {},
    "pre-norm": {"norm": "pre", "activation": "gelu"},
    "learned positions": {"positions": "learned", "max_length": 64, "activation": "silu"},
    "two vocabularies": {"separate": True, "tied_embeddings": "target"},
    "nothing tied": {"tied_embeddings": "none", "scale_embeddings": False},
    "unlike sides": {"decoder_heads": 4, "decoder_ffn_dim": 20, "decoder_layers": 3},
    "pre-norm with learned positions": {"norm": "pre", "positions": "learned", "max_length": 64},
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_ctranslate2_computes_every_architecture(name: str, tmp_path: Path) -> None:
    directory = write_random(tmp_path / "model", **ARCHITECTURES[name])
    ct2 = export(export_ctranslate2, directory, tmp_path / "ct2")
    model = load_model(directory, CPU)
    src, tgt = model.tokenizers.src, model.tokenizers.tgt
    pairs = [(src.encode(source), tgt.encode(target)) for source, target in zip(ENGLISH, GERMAN, strict=True)]
    pairs = [(source[:40], target[:40]) for source, target in pairs]
    # What is never written has no share of the probability there.
    network = model.network
    never = torch.zeros(tgt.vocab_size).index_fill_(0, torch.tensor(tgt.never_generated), -1e4)
    network.output.register_forward_hook(lambda module, inputs, logits: logits + never)
    expected = score_targets(
        network, [[*s, src.eos_id] for s, _ in pairs], [[*t, tgt.eos_id] for _, t in pairs], tgt.start_id
    )
    translator = ctranslate2.Translator(str(ct2), device="cpu", compute_type="float32", intra_threads=1)
    found = translator.score_batch([src.pieces(s) for s, _ in pairs], [tgt.pieces(t) for _, t in pairs])
    for ours, theirs in zip(expected, found, strict=True):
        assert len(theirs.log_probs) == ours.num_tokens
        assert abs(sum(theirs.log_probs) - ours.log_prob) < 1e-3


@pytest.mark.parametrize("name", [name for name, settings in ARCHITECTURES.items() if "norm" not in settings])
def test_transformers_computes_what_marian_can_express(name: str, tmp_path: Path) -> None:
    directory = write_random(tmp_path / "model", **ARCHITECTURES[name])
    if "learned" in name:
        with pytest.raises(ConfigError, match="learned positions, and transformers' Marian has sinusoidal"):
            export(export_hf, directory, tmp_path / "hf")
        return
    hf, model = export(export_hf, directory, tmp_path / "hf"), load_model(directory, CPU)
    theirs, src = originals.Transformers(hf), model.tokenizers.src
    for line in (*ENGLISH, "cafe\u0301 \u00a0 </s> <unk> 漢字", " two  spaces\u3000"):
        ids = theirs.ids(line)
        assert ids == [*src.encode(src.clean(line)), src.eos_id]
    target = [5, 9, 11, model.tokenizers.tgt.eos_id]
    expected = score_targets(model.network, [ids], [target], model.tokenizers.tgt.start_id)
    log_probs = theirs.logits(ids, target).log_softmax(-1).gather(1, torch.tensor(target)[:, None])
    assert abs(float(log_probs.sum()) - expected[0].log_prob) < 1e-4


def test_pre_norm_has_no_place_in_marian(tmp_path: Path) -> None:
    directory = write_random(tmp_path / "model", norm="pre")
    with pytest.raises(ConfigError, match=r"pre-norm layers, .* post-norm layers alone. Export it as ctranslate2"):
        export(export_hf, directory, tmp_path / "hf")


def test_ctranslate2_has_to_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting_ct2.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BackendUnavailableError, match=r"pip install 'mtcli-nmt\[ct2\]'"):
        export_ctranslate2(tmp_path, tmp_path)


def test_an_imported_model_gives_the_same_lines_in_ctranslate2(tmp_path: Path) -> None:
    original = make_marian(tmp_path / "original", end_bias=2.0)
    write_imported(read_marian(Original(original, "original")), tmp_path / "model")
    ct2 = export(export_ctranslate2, tmp_path / "model", tmp_path / "ct2")
    translator = Translator(tmp_path / "model", dtype="float32")
    src, tgt = translator.model.tokenizers.src, translator.model.tokenizers.tgt
    lines = translator.translate([*ENGLISH], beam_size=1, sentences="keep", repair=False)
    ours = [tgt.pieces(translation.tokens) for translation in lines]
    theirs = ctranslate2.Translator(str(ct2), device="cpu", compute_type="float32", intra_threads=1)
    sources = [src.pieces(src.encode(line)) for line in ENGLISH]
    found = theirs.translate_batch(sources, beam_size=1, max_decoding_length=22)  # and an end, which ours counts
    assert [result.hypotheses[0] for result in found] == ours
