"""Damaged model directories: a sentence, or the very same translation; never a crash, a hang or other words."""

import json
import os
import random
import shutil
import struct
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from support.command import mtcli

from mtcli.config import DecodingConfig, ModelConfig
from mtcli.data.tokenizer import Tokenizer, Tokenizers, train_tokenizer
from mtcli.decoding.translator import Translator
from mtcli.errors import MtcliError
from mtcli.model.transformer import Transformer
from mtcli.model_directory.description import Architecture, write_description
from mtcli.model_directory.integrity import seal
from mtcli.model_directory.loading import load_model
from mtcli.model_directory.weights import parameters_of, weights_bytes

CPU = torch.device("cpu")
LINE = "a b c d e"
CASES = 300  # a file; each is one damage
WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.model"
FILES = (WEIGHTS, CONFIG, TOKENIZER)
Files = dict[str, bytes]


@cache
def tokenizer() -> Tokenizer:
    return train_tokenizer(["a b c d", "b c d e"] * 20, vocab_size=270)[0]


def network_of(seed: int, config: ModelConfig) -> Transformer:
    torch.manual_seed(seed)
    return Transformer(config, Tokenizers(tokenizer(), tokenizer()).sizes)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory as training writes it, with a model that learnt nothing."""
    directory = tmp_path_factory.mktemp("made")
    tokenizers = Tokenizers(tokenizer(), tokenizer())
    config = ModelConfig(encoder_layers=1, decoder_layers=1, d_model=8, ffn_dim=8, heads=2, max_length=32)
    decoding = DecodingConfig(beam_size=2, max_length_ratio=1.0, max_length_extra=3)
    write_description(directory, Architecture(config, tokenizers.sizes, decoding), tokenizers)
    (directory / WEIGHTS).write_bytes(weights_bytes(parameters_of(network_of(1, config))))
    (directory / "provenance.json").write_text('{"training": {}}\n')
    (directory / "README.md").write_text("# A model\n")
    return directory


@pytest.fixture
def model(made: Path, tmp_path: Path) -> Path:
    """A copy of it to damage."""
    return Path(shutil.copytree(made, tmp_path / "model"))


def translation(directory: Path) -> tuple[str, float]:
    [line] = Translator(load_model(directory, CPU)).translate([LINE])
    return line.text, line.score


def unsealed(directory: Path) -> Path:
    """Take the checksums away, as if the directory had been made by hand."""
    edit(directory, lambda content: content.pop("checksums"))
    weights = parameters_of(load_model(directory, CPU).network)
    (directory / WEIGHTS).write_bytes(save(dict(weights), {"format": "pt"}))
    return directory


def edit(directory: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((directory / CONFIG).read_text())
    change(content)
    (directory / CONFIG).write_text(json.dumps(content))


def damaged(content: bytes, rng: random.Random) -> bytes:
    """One random damage; half of them near the beginning, where headers are."""
    data = bytearray(content)
    span = min(len(data), 64) if rng.random() < 0.5 else len(data)
    place = rng.randrange(span)
    match rng.randrange(8):
        case 0:
            data[place] ^= 1 << rng.randrange(8)
        case 1:
            data[place] = rng.randrange(256)
        case 2:
            other = rng.randrange(len(data))
            data[place], data[other] = data[other], data[place]
        case 3:
            del data[place:]
        case 4:
            del data[place : place + rng.randint(1, 9)]
        case 5:
            data[place:place] = rng.randbytes(rng.randint(1, 9))
        case 6:
            data[place : place + 512] = bytes(len(data[place : place + 512]))
        case _:
            data += rng.randbytes(rng.randint(1, 99))
    return bytes(data)


@pytest.mark.parametrize("name", FILES)
def test_damage_is_found_or_changes_nothing(name: str, model: Path) -> None:
    whole, expected = (model / name).read_bytes(), translation(model)
    refused = 0
    for case in range(CASES):
        content = damaged(whole, random.Random(f"{name} {case}"))
        (model / name).write_bytes(content)
        try:
            assert translation(model) == expected, f"case {case} of {name}"
        except MtcliError as error:
            assert str(model) in str(error), f"case {case} of {name}"
            refused += 1
    assert refused > CASES // 2


@pytest.mark.parametrize("name", FILES)
def test_damage_without_checksums_crashes_nothing(name: str, model: Path) -> None:
    unsealed(model)
    whole = (model / name).read_bytes()
    for case in range(CASES // 5):
        (model / name).write_bytes(damaged(whole, random.Random(f"{name} {case}")))
        try:
            text, _ = translation(model)
            assert text.strip() and "\n" not in text, f"case {case} of {name}"
        except MtcliError as error:
            assert str(error)


@pytest.mark.parametrize("name", ["provenance.json", "README.md"])
def test_what_translating_does_not_read_may_be_anything(name: str, model: Path) -> None:
    expected = translation(model)
    (model / name).write_bytes(b"\xff\x00")
    assert translation(model) == expected


def test_files_swapped_for_one_another(model: Path) -> None:
    whole = {name: (model / name).read_bytes() for name in FILES}
    for name in FILES:
        for other in set(FILES) - {name}:
            (model / name).write_bytes(whole[other])
            with pytest.raises(MtcliError):
                translation(model)
        (model / name).write_bytes(whole[name])


def test_the_files_of_another_model(model: Path, tmp_path: Path) -> None:
    """Weights of another network and another tokenizer of the same size: all fits, and only one of them is found."""
    config = load_model(model, CPU).architecture.model
    other = train_tokenizer(["v w x y", "w x y z"] * 20, vocab_size=270)[0]
    assert other.vocab_size == tokenizer().vocab_size
    (model / TOKENIZER).write_bytes(other.model)
    with pytest.raises(MtcliError, match="not the file that was written with this model"):
        translation(model)
    (model / TOKENIZER).write_bytes(tokenizer().model)
    (model / WEIGHTS).write_bytes(weights_bytes(parameters_of(network_of(2, config))))
    translation(model)  # as after another step of training


def test_a_directory_without_checksums_is_taken_as_it_is(model: Path) -> None:
    expected = translation(model)
    assert translation(unsealed(model)) == expected


def _sealed(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """A change to config.json by someone who knows about checksums."""

    def apply(model: Path) -> None:
        def change_and_seal(content: dict[str, Any]) -> None:
            del content["checksums"]
            change(content)
            content |= seal(content, {TOKENIZER: tokenizer().model})

        edit(model, change_and_seal)

    return apply


def _config(text: str) -> Callable[[Path], object]:
    return lambda model: (model / CONFIG).write_text(text)


def _header(header: str | bytes, data: bytes = b"", length: int | None = None) -> Callable[[Path], object]:
    raw = header.encode() if isinstance(header, str) else header
    size = struct.pack("<Q", len(raw) if length is None else length)
    return lambda model: (model / WEIGHTS).write_bytes(size + raw + data)


def _weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    """A change to the weights by someone who writes a fitting checksum."""

    def apply(model: Path) -> None:
        tensors = {name: tensor.clone() for name, tensor in parameters_of(load_model(model, CPU).network).items()}
        change(tensors)
        (model / WEIGHTS).write_bytes(weights_bytes(tensors))

    return apply


def _replaced(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    def apply(model: Path) -> None:
        (model / name).unlink()
        make(model / name)

    return apply


NORM = "encoder.layers.0.feed_forward_residual.norm.weight"
ATTACKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "an edited setting": (lambda m: edit(m, lambda c: c["decoding"].update(beam_size=7)), 'delete its "checksums"'),
    "an edited checksum": (lambda m: edit(m, lambda c: c["checksums"].update(x="")), "damaged or edited"),
    "no checksums but the key": (lambda m: edit(m, lambda c: c.update(checksums=None)), "damaged or edited"),
    "a newer format": (lambda m: edit(m, lambda c: c.update(format_version=99)), "newer mtcli wrote it: upgrade"),
    "format zero": (_sealed(lambda c: c.update(format_version=0)), "format_version 0; a number from 1"),
    "text that is a number": (_sealed(lambda c: c.update(text=3)), "does not describe an mtcli model"),
    "text of an unknown kind": (_sealed(lambda c: c.update(text={"spelling": 1})), "spelling"),
    "a normalisation to come": (
        _sealed(lambda c: c.update(text={"normalisation": 7})),
        "normalisation 7; this",
    ),
    "no normalisation": (_sealed(lambda c: c.update(text={"normalisation": 0})), "normalisation"),
    "a true format": (_sealed(lambda c: c.update(format_version=True)), "format_version True"),
    "a key too many": (_sealed(lambda c: c.update(extra=1)), "unknown key 'extra'"),
    "a section too few": (_sealed(lambda c: c.pop("decoding")), "it has no 'decoding'"),
    "a vocabulary that is a number": (_sealed(lambda c: c.update(vocabulary=3)), '"vocabulary" is 3'),
    "a vocabulary of other keys": (_sealed(lambda c: c["vocabulary"].pop("shared")), "expected {"),
    "a vocabulary of text": (_sealed(lambda c: c["vocabulary"].update(source="many")), "config.json says many and"),
    "a width of a billion": (_sealed(lambda c: c["model"].update(d_model=10**9)), "less than or equal to 65536"),
    "a billion layers": (_sealed(lambda c: c["model"].update(encoder_layers=10**9)), "encoder_layers"),
    "a billion positions": (_sealed(lambda c: c["model"].update(max_length=10**9)), "max_length"),
    "a large network": (_sealed(lambda c: c["model"].update(d_model=65536, ffn_dim=10**6)), "makes it"),
    "many layers": (_sealed(lambda c: c["model"].update(decoder_layers=50)), "lacks decoder.layers.1"),
    "heads that do not divide": (_sealed(lambda c: c["model"].update(heads=3)), "does not divide"),
    "two vocabularies in one matrix": (_sealed(lambda c: c["vocabulary"].update(shared=False)), "config.json says"),
    "another activation": (_sealed(lambda c: c["model"].update(activation="tanh")), "activation"),
    "a bomb of brackets": (_config("[" * 100_000), "nested too deeply"),
    "a bomb of objects": (_config('{"a":' * 100_000), "nested too deeply"),
    "a number of many digits": (_config('{"format_version": ' + "9" * 10_000 + "}"), "not valid JSON"),
    "a format of many digits": (_config('{"format_version": ' + "9" * 4_000 + "}"), "upgrade"),
    "a JSON number": (_config("7"), "a JSON object was expected"),
    "JSON that is not finite": (_sealed(lambda c: c["decoding"].update(length_penalty=float("nan"))), "length_penalty"),
    "UTF-16": (lambda m: (m / CONFIG).write_bytes('{"a": 1}'.encode("utf-16")), "not valid JSON"),
    "an empty config.json": (_config(""), "not valid JSON"),
    "a huge config.json": (lambda m: os.truncate(m / CONFIG, 1 << 40), "more than a config.json ever has"),
    "a pipe for config.json": (_replaced(CONFIG, os.mkfifo), "not a plain file"),
    "a pipe for the weights": (_replaced(WEIGHTS, os.mkfifo), "not a plain file"),
    "a pipe for the tokenizer": (_replaced(TOKENIZER, os.mkfifo), "not a plain file"),
    "a directory for the weights": (_replaced(WEIGHTS, Path.mkdir), "not a plain file"),
    "a device for the tokenizer": (_replaced(TOKENIZER, lambda p: p.symlink_to("/dev/zero")), "not a plain file"),
    "a link to itself": (_replaced(CONFIG, lambda p: p.symlink_to(p)), "Cannot read"),
    "a link to nothing": (_replaced(TOKENIZER, lambda p: p.symlink_to("gone")), "holds no tokenizer.model"),
    "an empty tokenizer": (lambda m: (m / TOKENIZER).write_bytes(b""), "not the file that was written"),
    "a pickle": (lambda m: (m / WEIGHTS).write_bytes(b"\x80\x04\x95\x10\x00" * 20), "not a safetensors file"),
    "a zip of pickles": (lambda m: torch.save({"a": torch.ones(2)}, m / WEIGHTS), "not a safetensors file"),
    "a large-file pointer": (
        lambda m: (m / WEIGHTS).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"),
        "not a safetensors file",
    ),
    "no weights at all": (lambda m: (m / WEIGHTS).write_bytes(b""), "not a safetensors file"),
    "a header of 2^64 bytes": (_header("{}", length=2**64 - 1), "not a safetensors file"),
    "a header longer than the file": (_header("{}", length=1000), "not a safetensors file"),
    "a header that is no JSON": (_header("hello"), "not a safetensors file"),
    "a header that nests": (_header('{"a":' * 50_000), "not a safetensors file"),
    "a header of no UTF-8": (_header(b'{"\xff": 1}'), "not a safetensors file"),
    "tensors that overlap": (
        _header(
            '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}',
            bytes(12),
        ),
        "not a safetensors file",
    ),
    "a tensor beyond the end": (
        _header('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(4)),
        "not a safetensors file",
    ),
    "a shape that does not fill its bytes": (
        _header('{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}', bytes(8)),
        "not a safetensors file",
    ),
    "a shape that overflows": (
        _header('{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}', bytes(8)),
        "not a safetensors file",
    ),
    "a negative shape": (
        _header('{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}', bytes(8)),
        "not a safetensors file",
    ),
    "no tensors": (_header("{}"), "lacks decoder"),
    "foreign metadata": (_header('{"__metadata__":{"by":"them"}}'), "unknown key 'by'"),
    "a false checksum": (
        lambda m: (m / WEIGHTS).write_bytes(
            save(dict(parameters_of(load_model(m, CPU).network)), {"blake2b": "0" * 32})
        ),
        "weights do not fit its checksum",
    ),
    "a weight that is no number": (_weights(lambda t: t[NORM].fill_(float("nan"))), "no finite number"),
    "an infinite weight": (_weights(lambda t: t[NORM].fill_(float("-inf"))), "no finite number"),
    "a weight too large for float32": (_weights(lambda t: t.update({NORM: t[NORM].double() * 1e300})), "no finite"),
    "a tensor too many": (_weights(lambda t: t.update(extra=torch.ones(1))), "unknown tensor extra"),
    "a tensor too few": (_weights(lambda t: t.pop(NORM)), f"lacks {NORM}"),
    "a tensor turned round": (
        _weights(lambda t: t.update({"tgt_embedding.tokens.weight": t["tgt_embedding.tokens.weight"].T.contiguous()})),
        "has shape",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_sentences(name: str, model: Path) -> None:
    attack, gist = ATTACKS[name]
    attack(model)
    with pytest.raises(MtcliError) as refused:
        translation(model)
    message = str(refused.value)
    assert gist in message
    assert str(model) in message
    assert len(message) < 6000


def test_weights_that_overflow_are_a_sentence(model: Path) -> None:
    _weights(lambda tensors: tensors[NORM].fill_(3e38))(model)
    with pytest.raises(MtcliError, match="output is not a number"):
        translation(model)


def test_weights_may_be_replaced_while_others_read_them(model: Path) -> None:
    """What training does: each reader finds the old weights or the new ones."""
    config = load_model(model, CPU).architecture.model
    versions = [weights_bytes(parameters_of(network_of(seed, config))) for seed in (1, 2)]
    stop = threading.Event()

    def replace() -> None:
        turn = 0
        while not stop.is_set():
            (model / "next").write_bytes(versions[turn % 2])
            (model / "next").replace(model / WEIGHTS)
            turn += 1

    writer = threading.Thread(target=replace)
    writer.start()
    try:
        for _ in range(100):
            assert weights_bytes(parameters_of(load_model(model, CPU).network)) in versions
    finally:
        stop.set()
        writer.join()


PROCESSES: dict[str, Callable[[Path], object]] = {
    "a flipped weight": lambda m: (m / WEIGHTS).write_bytes((m / WEIGHTS).read_bytes()[:-1] + b"\x7f"),
    "weights cut short": lambda m: os.truncate(m / WEIGHTS, 700),
    "garbage for a tokenizer": lambda m: (m / TOKENIZER).write_bytes(random.Random(1).randbytes(5000)),
    "a pipe for the weights": _replaced(WEIGHTS, os.mkfifo),
    "a bomb of brackets": _config("[" * 100_000),
}


@pytest.mark.parametrize("name", PROCESSES)
def test_damage_ends_a_process_with_a_sentence(name: str, model: Path) -> None:
    PROCESSES[name](model)
    finished = mtcli("translate", "-m", model, "--device", "cpu", stdin=b"a b\n")
    assert (finished.returncode, finished.stdout) == (1, b"")
    [message] = finished.stderr.decode().splitlines()
    assert message.startswith("Error: ") and str(model) in message


def test_info_of_a_damaged_history_is_a_sentence(model: Path) -> None:
    (model / "provenance.json").write_text('{"training": [1], "scores": 3}')
    finished = mtcli("info", model)
    assert finished.returncode == 1
    assert b"provenance.json is damaged" in finished.stderr
