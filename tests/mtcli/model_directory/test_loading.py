"""Model directories: written, read, and refused with a sentence when they are damaged."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mtcli.config import DecodingConfig, ModelConfig
from mtcli.data.conventions import TextConventions
from mtcli.data.normalisation import CURRENT, FIRST
from mtcli.data.tokenizer import Tokenizers, train_tokenizer
from mtcli.errors import CheckpointError, DataError
from mtcli.model.transformer import Transformer
from mtcli.model_directory.description import Architecture, write_description
from mtcli.model_directory.loading import load_model
from mtcli.model_directory.weights import parameters_of, weights_bytes

CPU = torch.device("cpu")
CONFIG = ModelConfig(encoder_layers=1, decoder_layers=1, d_model=8, ffn_dim=8, heads=2)


def write_model(directory: Path, shared: bool = True) -> Transformer:
    first, _ = train_tokenizer(["a b c d", "b c d e"] * 20, vocab_size=270)
    second = first if shared else train_tokenizer(["x y z", "z y w u"] * 20, vocab_size=272)[0]
    tokenizers = Tokenizers(first, second)
    config = CONFIG if shared else CONFIG.model_copy(update={"tied_embeddings": "target"})
    architecture = Architecture(config, tokenizers.sizes, DecodingConfig(beam_size=3))
    network = Transformer(config, architecture.vocabulary)
    write_description(directory, architecture, tokenizers)
    (directory / "model.safetensors").write_bytes(weights_bytes(parameters_of(network)))
    return network


@pytest.mark.parametrize("shared", [True, False])
def test_a_model_is_read_as_it_was_written(tmp_path: Path, shared: bool) -> None:
    network = write_model(tmp_path / "model", shared)
    loaded = load_model(tmp_path / "model", CPU)
    for name, parameter in network.named_parameters():
        assert dict(loaded.network.named_parameters())[name].equal(parameter)
    assert loaded.architecture.decoding.beam_size == 3
    assert loaded.tokenizers.shared == shared
    assert not loaded.network.training


def test_equal_weights_are_equal_bytes(tmp_path: Path) -> None:
    network = write_model(tmp_path / "model")
    again = weights_bytes(parameters_of(load_model(tmp_path / "model", CPU).network))
    assert again == weights_bytes(parameters_of(network)) == (tmp_path / "model" / "model.safetensors").read_bytes()


def test_what_format_1_can_say_is_said_in_it(tmp_path: Path) -> None:
    write_model(tmp_path / "plain")
    content = json.loads((tmp_path / "plain" / "config.json").read_text())
    assert content["format_version"] == 1
    assert not {"decoder_heads", "decoder_ffn_dim", "scale_embeddings", "output_bias"} & content["model"].keys()
    assert not {"stop", "free_end", "renormalize"} & content["decoding"].keys()


@pytest.mark.parametrize(
    ("model", "decoding"),
    [
        ({"scale_embeddings": False}, {}),
        ({"decoder_heads": 1, "decoder_ffn_dim": 12}, {}),
        ({"output_bias": True}, {}),
        ({}, {"stop": "certain"}),
        ({}, {"free_end": True}),
        ({}, {"renormalize": True}),
    ],
)
def test_what_format_1_cannot_say_is_in_format_2(
    tmp_path: Path, model: dict[str, object], decoding: dict[str, object]
) -> None:
    tokenizer, _ = train_tokenizer(["a b c d", "b c d e"] * 20, vocab_size=270)
    tokenizers = Tokenizers(tokenizer, tokenizer)
    config = ModelConfig(**{**CONFIG.model_dump(), **model})
    architecture = Architecture(config, tokenizers.sizes, DecodingConfig(**decoding))
    network = Transformer(config, architecture.vocabulary)
    write_description(tmp_path, architecture, tokenizers)
    (tmp_path / "model.safetensors").write_bytes(weights_bytes(parameters_of(network)))
    assert json.loads((tmp_path / "config.json").read_text())["format_version"] == 2
    loaded = load_model(tmp_path, CPU)
    assert loaded.architecture == architecture
    sizes = {layer.self_attention.heads: layer.feed_forward.up.out_features for layer in loaded.network.decoder.layers}
    assert sizes == {config.decoder_heads or config.heads: config.decoder_ffn_dim or config.ffn_dim}


def test_what_text_a_model_expects_is_in_format_3(tmp_path: Path) -> None:
    network = write_model(tmp_path)
    tokenizers = load_model(tmp_path, CPU).tokenizers
    architecture = Architecture(CONFIG, tokenizers.sizes, DecodingConfig(), text=TextConventions(normalisation=CURRENT))
    write_description(tmp_path, architecture, tokenizers)
    (tmp_path / "model.safetensors").write_bytes(weights_bytes(parameters_of(network)))
    content = json.loads((tmp_path / "config.json").read_text())
    assert (content["format_version"], content["text"]) == (3, {"normalisation": 2})
    loaded = load_model(tmp_path, CPU)
    assert loaded.architecture == architecture
    assert loaded.tokenizers.src.normalisation == loaded.tokenizers.tgt.normalisation == CURRENT


def test_a_model_that_does_not_say_how_it_reads_is_an_early_one(tmp_path: Path) -> None:
    write_model(tmp_path)
    content = json.loads((tmp_path / "config.json").read_text())
    assert "text" not in content
    assert load_model(tmp_path, CPU).tokenizers.src.normalisation == FIRST


def _edit(name: str, change: Callable[[dict[str, object]], None]) -> Callable[[Path], None]:
    def apply(directory: Path) -> None:
        content = json.loads((directory / name).read_text())
        del content["checksums"]  # as one does who edits it on purpose
        change(content)
        (directory / name).write_text(json.dumps(content))

    return apply


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no weights": (lambda d: (d / "model.safetensors").unlink(), "holds no model.safetensors"),
    "weights cut short": (
        lambda d: (d / "model.safetensors").write_bytes((d / "model.safetensors").read_bytes()[:-100]),
        "damaged or not a safetensors file",
    ),
    "weights that are text": (lambda d: (d / "model.safetensors").write_text("hello"), "damaged or not a safetensors"),
    "no configuration": (lambda d: (d / "config.json").unlink(), "holds no config.json"),
    "configuration that is no JSON": (lambda d: (d / "config.json").write_text("{"), "not valid JSON"),
    "configuration that is a list": (lambda d: (d / "config.json").write_text("[]"), "a JSON object was expected"),
    "a newer format": (_edit("config.json", lambda c: c.update(format_version=99)), "upgrade"),
    "no format": (_edit("config.json", lambda c: c.pop("format_version")), "format_version None"),
    "a foreign setting": (_edit("config.json", lambda c: c["model"].update(x=1)), "does not describe"),  # type: ignore[attr-defined]
    "another width": (_edit("config.json", lambda c: c["model"].update(d_model=16)), "has shape"),  # type: ignore[attr-defined]
    "more layers": (_edit("config.json", lambda c: c["model"].update(encoder_layers=2)), "lacks encoder.layers.1"),  # type: ignore[attr-defined]
    "another vocabulary": (_edit("config.json", lambda c: c["vocabulary"].update(source=9, target=9)), "pieces"),  # type: ignore[attr-defined]
    "no tokenizer": (lambda d: (d / "tokenizer.model").unlink(), "holds no tokenizer.model"),
    "a tokenizer that is text": (
        lambda d: (d / "tokenizer.model").write_text("hello"),
        "not the file that was written",
    ),
}


def test_each_side_has_a_checksum_of_its_own(tmp_path: Path) -> None:
    write_model(tmp_path, shared=False)
    source, target = (tmp_path / f"{side}.model" for side in ("source", "target"))
    (tmp_path / "tokenizer.model").write_bytes(source.read_bytes())  # a stray file is not taken for the model's
    assert not load_model(tmp_path, CPU).tokenizers.shared
    target.write_bytes(source.read_bytes())
    with pytest.raises(CheckpointError, match=r"target.model is not the file that was written with this model"):
        load_model(tmp_path, CPU)


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_named(tmp_path: Path, name: str) -> None:
    directory = tmp_path / "model"
    write_model(directory)
    damage, message = DAMAGES[name]
    damage(directory)
    with pytest.raises((CheckpointError, DataError), match=message):
        load_model(directory, CPU)


def test_what_is_no_directory_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CheckpointError, match="does not exist"):
        load_model(tmp_path / "nothing", CPU)
    with pytest.raises(CheckpointError, match="is a file"):
        load_model(tmp_path / "file", CPU)


def test_loading_a_model_does_not_import_torchs_compiler(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    probe = (
        "import sys, torch; from pathlib import Path; from mtcli.model_directory.loading import load_model; "
        f"load_model(Path({str(tmp_path / 'model')!r}), torch.device('cpu')); sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", probe]).returncode == 0
