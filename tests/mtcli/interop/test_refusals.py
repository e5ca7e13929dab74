"""What cannot be imported is refused in a sentence, before anything is computed with it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.marian import make_marian

from mtcli.errors import BackendUnavailableError, CheckpointError, DataError
from mtcli.interop import fetching, originals
from mtcli.interop.fetching import Original, find
from mtcli.interop.importing import read_marian

pytest.importorskip("transformers")
pytestmark = pytest.mark.usefixtures("one_thread")
Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_marian(tmp_path_factory.mktemp("whole") / "original", encoder_layers=1, decoder_layers=1)


def _json(name: str, **changes: Any) -> Damage:
    def apply(directory: Path) -> None:
        path = directory / name
        content = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**content, **changes}))

    return apply


def _pieces(change: Callable[[dict[str, int]], object]) -> Damage:
    def apply(directory: Path) -> None:
        content = json.loads((directory / "vocab.json").read_text())
        change(content)
        (directory / "vocab.json").write_text(json.dumps(content))

    return apply


def _weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Damage:
    def apply(directory: Path) -> None:
        tensors = load_file(directory / "model.safetensors")
        change(tensors)
        save_file(tensors, directory / "model.safetensors", {"format": "pt"})

    return apply


def _pickled(directory: Path) -> None:
    (directory / "model.safetensors").rename(directory / "pytorch_model.bin")


def _cut(directory: Path) -> None:
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


UP = "model.encoder.layers.0.fc1.weight"
DAMAGES: dict[str, tuple[Damage, str]] = {
    "cut short": (_cut, "model.safetensors is damaged or not a safetensors file"),
    "no safetensors": (lambda d: (d / "model.safetensors").write_text("x"), "damaged or not a safetensors file"),
    "no weights": (lambda d: (d / "model.safetensors").unlink(), "holds no model.safetensors"),
    "a pickle": (_pickled, r"as a pickle \(pytorch_model.bin\), which can run any code.*--revision.*save_pretrained"),
    "several files": (
        lambda d: (d / "model.safetensors").rename(d / "model.safetensors.index.json"),
        "several files.*max_shard_size",
    ),
    "a tensor missing": (_weights(lambda t: t.pop(UP)), f"lacks {UP}"),
    "a tensor too many": (_weights(lambda t: t.update(x=torch.zeros(1))), "unknown tensor x"),
    "another shape": (
        _weights(lambda t: t.update({UP: t[UP][:-1].clone()})),
        r"has shape \[39, 24\].* makes it \[40, 24\]",
    ),
    "another width": (_json("config.json", d_model=48), "has shape"),
    "no number": (_weights(lambda t: t[UP].fill_(float("nan"))), "no finite number"),
    "integers": (_weights(lambda t: t.update({UP: t[UP].to(torch.int8)})), "floating-point weights were expected"),
    "embeddings that differ": (
        _weights(lambda t: t.update({"lm_head.weight": 2 * t["model.shared.weight"]})),
        "model.shared.weight and lm_head.weight differ",
    ),
    "positions of its own": (
        _weights(lambda t: t.update({"model.encoder.embed_positions.weight": torch.zeros(64, 24)})),
        "not the table of sines and cosines",
    ),
    "an unknown architecture": (_json("config.json", model_type="bart"), "model_type 'bart'.*\"marian\""),
    "no architecture": (lambda d: (d / "config.json").write_text("{}"), "no model_type"),
    "our own model": (
        lambda d: (d / "config.json").write_text('{"format_version": 1}'),
        "mtcli's own: translate with it as it is",
    ),
    "no configuration": (
        lambda d: (d / "config.json").unlink(),
        "holds no config.json. Expected the files",
    ),
    "no JSON": (lambda d: (d / "config.json").write_text("{"), "not valid JSON"),
    "a list": (lambda d: (d / "vocab.json").write_text("[]"), "a JSON object was expected"),
    "pre-norm": (_json("config.json", normalize_before=True), "normalize_before = True"),
    "quantized": (_json("config.json", quantization_config={"bits": 8}), "quantized"),
    "an unknown activation": (_json("config.json", activation_function="tanh"), "'tanh'; mtcli has relu, gelu, swish"),
    "heads that do not fit": (_json("config.json", decoder_attention_heads=5), "decoder_heads = 5 does not divide"),
    "a word for a number": (_json("config.json", encoder_layers="two"), "encoder_layers = 'two' does not fit"),
    "sides of unlike sizes": (_json("config.json", decoder_vocab_size=50), "decoder_vocab_size = 50"),
    "sampling": (_json("generation_config.json", do_sample=True), "do_sample = True asks for a search"),
    "a repetition penalty": (_json("generation_config.json", repetition_penalty=1.2), "repetition_penalty = 1.2"),
    "forbidden phrases": (_json("generation_config.json", bad_words_ids=[[1, 2]]), r"bad_words_ids has \[1, 2\]"),
    "another forced end": (_json("generation_config.json", forced_eos_token_id=3), "forced_eos_token_id = 3"),
    "several ends": (_json("generation_config.json", eos_token_id=[0, 3]), "exactly one token that ends"),
    "a negative penalty": (_json("generation_config.json", length_penalty=-1.0), "length_penalty = -1.0"),
    "an unknown way to stop": (_json("generation_config.json", early_stopping="soon"), "early_stopping = 'soon'"),
    "a piece too few": (_pieces(lambda v: v.popitem()), r"98 pieces with ids from 0 to 97; the embedding has 99 rows"),
    "an id twice": (_pieces(lambda v: v.update({"▁the": 5})), "one for each id from 0 to 98"),
    "no unknown piece": (_pieces(lambda v: v.update({"x": v.pop("<unk>")})), "lacks the unk_token '<unk>'"),
    "another end": (_json("tokenizer_config.json", eos_token="<pad>"), "in the tokenizer's files, and with id 0"),
    "a start that is no piece": (_json("generation_config.json", decoder_start_token_id=99), "no target piece 99"),
    "a special token without embedding": (
        _json("tokenizer_config.json", extra_special_tokens=["<eop>"]),
        "special token '<eop>' is not in vocab.json",
    ),
    "an added token that takes spaces": (
        _json("tokenizer_config.json", added_tokens_decoder={"0": {"content": "</s>", "lstrip": True}}),
        "takes spaces or whole words",
    ),
    "an added token with another's id": (
        _json("tokenizer_config.json", added_tokens_decoder={"7": {"content": "</s>"}}),
        "has the id 7",
    ),
    "another tokenizer": (_json("tokenizer_config.json", tokenizer_class="T5Tokenizer"), "of a T5Tokenizer"),
    "sampled pieces": (_json("tokenizer_config.json", sp_model_kwargs={"enable_sampling": True}), "sp_model_kwargs"),
    "no list for the target": (_json("tokenizer_config.json", separate_vocabs=True), "holds no target_vocab.json"),
    "no source.spm": (lambda d: (d / "source.spm").unlink(), "holds no source.spm"),
    "no SentencePiece": (lambda d: (d / "target.spm").write_text("x"), "target.spm is damaged or not a SentencePiece"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_named(name: str, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(originals, "is_installed", lambda: False)  # it is mtcli that refuses
    directory = tmp_path / "model"
    shutil.copytree(whole, directory)
    damage, message = DAMAGES[name]
    damage(directory)
    with pytest.raises((CheckpointError, DataError), match=message) as raised:
        read_marian(Original(directory, "model"))
    assert str(raised.value).endswith(".")


def test_the_undamaged_model_is_taken(whole: Path) -> None:
    assert read_marian(Original(whole, "model")).difference is not None


def test_what_is_no_model_has_no_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CheckpointError, match="file is a file"):
        find(str(tmp_path / "file"))
    with pytest.raises(CheckpointError, match=r"does not exist. Expected the directory of a Marian model, or its name"):
        find(str(tmp_path / "nothing"))


def test_a_name_needs_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(BackendUnavailableError, match=r"pip install 'mtcli-nmt\[hub\]'"):
        find("nobody/nothing")


def test_a_name_without_a_network_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointError, match=r"no model of that name at revision x could be .*directory of a copy"):
        find("nobody/nothing", "x")


def test_a_name_is_fetched(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")
    asked = {}

    def snapshot_download(name: str, **options: Any) -> str:
        asked.update(options, name=name)
        return str(whole)

    monkeypatch.setattr(hub, "snapshot_download", snapshot_download)
    assert find("some/model", "v1") == Original(whole, "some/model", whole.name)
    assert asked == {"name": "some/model", "revision": "v1", "allow_patterns": fetching._FILES}
