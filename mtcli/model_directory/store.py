"""The model directory: what `mtcli train` leaves and everything else loads. No file in it can run code.

model.safetensors (weights alone, so equal weights are equal bytes), config.json, tokenizer.model (or
source.model and target.model, and with them vocabulary.json where a model was imported), provenance.json,
README.md. The first three are written with checksums (mtcli/model_directory/integrity.py) and checked against them; a
directory without any, made by hand, loads too.

What needs nothing that format_version 1 lacks is written as that, so that older versions of mtcli read it.
"""

import json
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mtcli.config import DecodingConfig, ModelConfig
from mtcli.data.listed import ListedTokenizer, Vocabulary
from mtcli.data.tokenizer import Tokenizer, Tokenizers
from mtcli.errors import CheckpointError, ConfigError
from mtcli.files import file_error, write_atomically
from mtcli.model.implementations import Implementations
from mtcli.model.transformer import Transformer, VocabularySizes
from mtcli.model_directory.integrity import DESCRIPTION, broken_seal, checksum, seal, tensors_checksum

FORMAT_VERSION = 2
WEIGHTS = "model.safetensors"
_SHARED, _SOURCE, _TARGET, _LISTS = "tokenizer.model", "source.model", "target.model", "vocabulary.json"
_CHECKSUM = "blake2b"  # in the weights' metadata, alone: safetensors writes several keys in no fixed order
_KEYS = {"format_version", "model", "vocabulary", "decoding", "checksums"}
_LARGEST_JSON = 1 << 26  # bytes
_ATTEMPTS = 5
_MADE_BY = "Expected a directory that mtcli train or mtcli import made."
_COPY_AGAIN = "Copy the model again from where it was made."


@dataclass(frozen=True)
class Architecture:
    """What config.json holds: enough to build the network the weights fit.

    Attributes:
        checksums: of the tokenizer files by name, as read from config.json; empty where it holds none.
    """

    model: ModelConfig
    vocabulary: VocabularySizes
    decoding: DecodingConfig
    checksums: Mapping[str, str] = field(default_factory=dict, compare=False)

    def to_json(self, files: Mapping[str, bytes]) -> str:
        """config.json, with the checksums of `files`: those of the tokenizers, and others that should not change."""
        is_of_format_1 = self.model.is_of_format_1 and self.decoding.is_of_format_1 and _LISTS not in files
        content = {
            "format_version": 1 if is_of_format_1 else FORMAT_VERSION,
            "model": self.model.model_dump(),
            "vocabulary": asdict(self.vocabulary),
            "decoding": self.decoding.model_dump(),
        }
        return json.dumps(seal(content, files), indent=2) + "\n"


@dataclass(frozen=True)
class LoadedModel:
    """A model directory in memory, ready to translate."""

    network: Transformer
    tokenizers: Tokenizers
    architecture: Architecture

    def implementations(self, beam: int = 1) -> Implementations:
        """What runs to translate with it.

        Raises:
            BackendUnavailableError: the form of attention that was asked for cannot run here.
        """
        weight, head_dim = self.network.output.weight, self.architecture.model.largest_head_dim
        return Implementations.resolve(
            self.network.attention, weight.device, weight.dtype, head_dim=head_dim, beam=beam
        )


def sizes_of(tokenizers: Tokenizers) -> VocabularySizes:
    return VocabularySizes(source=tokenizers.src.vocab_size, target=tokenizers.tgt.vocab_size, shared=tokenizers.shared)


def weights_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Tensors as a safetensors file; the only metadata is their checksum."""
    on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save(on_cpu, {_CHECKSUM: tensors_checksum(on_cpu)})


def parameters_of(network: Transformer) -> dict[str, Tensor]:
    """The network's parameters by name, shared matrices once."""
    return {name: parameter.detach() for name, parameter in network.named_parameters()}


def write_description(
    directory: Path,
    architecture: Architecture,
    tokenizers: Tokenizers,
    others: Mapping[str, bytes] | None = None,
) -> None:
    """Write everything but the weights and the provenance.

    Args:
        others: further files by name; they get checksums too.

    Raises:
        DataError: the directory cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise file_error(directory, error, "write") from error
    files = {**_contents_of(tokenizers), **(others or {})}
    for name, content in files.items():
        write_atomically(directory / name, content)
    write_atomically(directory / DESCRIPTION, architecture.to_json(files))


def _contents_of(tokenizers: Tokenizers) -> dict[str, bytes]:
    """The tokenizers' files, by name."""
    src, tgt = tokenizers.src, tokenizers.tgt
    if src is tgt:
        return {_SHARED: src.model}
    lists = {_LISTS: src.vocabulary.to_json()} if isinstance(src, ListedTokenizer) else {}
    return {_SOURCE: src.model, _TARGET: tgt.model, **lists}


def load_model(directory: Path, device: torch.device, dtype: torch.dtype = torch.float32) -> LoadedModel:
    """Load a model directory for translation.

    Raises:
        CheckpointError: the directory is no model, a file of it is missing or damaged, or they do not fit together.
        DataError: a tokenizer file is no SentencePiece model.
    """
    architecture = load_architecture(directory)
    tokenizers = load_tokenizers(directory, architecture.checksums)
    if sizes_of(tokenizers) != architecture.vocabulary:
        raise CheckpointError(
            f"{directory}: the tokenizer has {tokenizers.src.vocab_size} source and {tokenizers.tgt.vocab_size} target "
            f"pieces, {DESCRIPTION} says {architecture.vocabulary.source} and {architecture.vocabulary.target}. "
            "Put back the tokenizer that the model was trained with."
        )
    weights = directory / WEIGHTS
    if not weights.exists():
        hint = " The training run has saved nothing yet." if (directory / "cache").is_dir() else ""
        raise CheckpointError(f"{directory} holds no {WEIGHTS}.{hint} {_MADE_BY}")
    try:
        network = Transformer.skeleton(architecture.model, sizes_of(tokenizers))
    except ConfigError as error:
        raise CheckpointError(f"{directory / DESCRIPTION} does not describe an mtcli model: {error}") from None
    _refuse_misfit(weights, network, _shapes(weights))  # before any memory is asked for
    network.allocate(device)
    load_weights(network, weights)
    return LoadedModel(network.to(dtype).eval(), tokenizers, architecture)


def load_architecture(directory: Path) -> Architecture:
    """Read config.json.

    Raises:
        CheckpointError: it is missing, damaged, changed since it was written, or of a newer format.
    """
    path = directory / DESCRIPTION
    content = read_json(directory, DESCRIPTION)
    version = content.get("format_version")
    if type(version) is int and version > FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has format_version {version}; this mtcli reads up to {FORMAT_VERSION}. "
            "A newer mtcli wrote it: upgrade (pip install --upgrade mtcli-nmt)."
        )
    if broken_seal(content):
        raise CheckpointError(
            f"{path} was damaged or edited since it was written: its checksum does not fit. {_COPY_AGAIN} "
            'If you meant to edit it, delete its "checksums".'
        )
    if type(version) is not int or version < 1:
        raise CheckpointError(
            f"{path} has format_version {version!r}; a number from 1 to {FORMAT_VERSION} was expected. {_MADE_BY}"
        )
    if foreign := sorted(content.keys() - _KEYS):
        raise CheckpointError(
            f"{path} has an unknown key {foreign[0]!r}. Valid: {', '.join(sorted(_KEYS))}. {_COPY_AGAIN}"
        )
    try:
        return Architecture(
            ModelConfig.model_validate(content["model"]),
            VocabularySizes(**content["vocabulary"]),
            DecodingConfig.model_validate(content["decoding"]),
            {name: value for name, value in content.get("checksums", {}).items() if name != DESCRIPTION},
        )
    except KeyError as error:
        detail = f"it has no {error}"
    except TypeError:
        detail = f'"vocabulary" is {content["vocabulary"]!r}'[:200] + ', expected {"source", "target", "shared"}'
    except ValidationError as error:
        detail = "; ".join(f"{'.'.join(map(str, issue['loc']))}: {issue['msg']}" for issue in error.errors()[:3])
    raise CheckpointError(f"{path} does not describe an mtcli model: {detail}. {_MADE_BY}")


def read_json(directory: Path, name: str) -> dict[str, Any]:
    """Read one of a model directory's JSON files.

    Raises:
        CheckpointError: it is missing, unreadable, or not a JSON object.
    """
    path = directory / name
    try:
        content = json.loads(_read(path, _LARGEST_JSON).decode("utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged: not valid JSON ({error}). {_COPY_AGAIN}") from None
    except RecursionError:
        raise CheckpointError(f"{path} is damaged: its JSON is nested too deeply. {_COPY_AGAIN}") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} is damaged: a JSON object was expected. {_COPY_AGAIN}")
    return content


def load_tokenizers(directory: Path, checksums: Mapping[str, str] | None = None) -> Tokenizers:
    """Read tokenizer.model, or source.model and target.model, and compare them with `checksums` where they have one.

    Raises:
        CheckpointError: none is there, or one is unreadable or not the file that was written with the model.
        DataError: a file is no SentencePiece model, or vocabulary.json is damaged.
    """
    known = checksums or {}
    if has_lists(directory, known):
        source, target, lists = (directory / name for name in (_SOURCE, _TARGET, _LISTS))
        vocabulary = Vocabulary.from_json(_checked(lists, known.get(_LISTS)), str(lists))
        source_model, target_model = (_checked(file, known.get(file.name)) for file in (source, target))
        return listed_tokenizers(vocabulary, source_model, target_model, names=(str(source), str(target)))
    files = tokenizer_files(directory, known)
    loaded = [Tokenizer(_checked(file, known.get(file.name)), str(file)) for file in files]
    return Tokenizers(loaded[0], loaded[-1])


def has_lists(directory: Path, checksums: Mapping[str, str]) -> bool:
    """Whether the model's pieces have their ids from vocabulary.json: it was imported."""
    return _LISTS in checksums if checksums else (directory / _LISTS).exists()


def listed_tokenizers(
    vocabulary: Vocabulary, source: bytes, target: bytes, *, names: tuple[str, str] = ("source.spm", "target.spm")
) -> Tokenizers:
    """Both sides of an imported model, from their SentencePiece models; `names` are what messages call these.

    Raises:
        DataError: one is no SentencePiece model.
    """
    writer = source if vocabulary.target is None else None  # as transformers does it
    return Tokenizers(
        ListedTokenizer(source, vocabulary, "source", name=names[0]),
        ListedTokenizer(target, vocabulary, "target", name=names[1], writer=writer),
    )


def tokenizer_files(directory: Path, checksums: Mapping[str, str]) -> list[Path]:
    """The one of a shared vocabulary, or the source's and the target's; whether they exist is not looked at."""
    shared = (directory / _SHARED).exists() or not (directory / _SOURCE).exists()
    if checksums:
        shared = _SHARED in checksums
    return [directory / name for name in ([_SHARED] if shared else [_SOURCE, _TARGET])]


def _checked(path: Path, expected: str | None) -> bytes:
    content = _read(path)
    if expected is not None and checksum(content) != expected:
        raise CheckpointError(
            f"{path} is not the file that was written with this model: its checksum is not the one in {DESCRIPTION}. "
            f"{_COPY_AGAIN}"
        )
    return content


def _read(path: Path, largest: int | None = None) -> bytes:
    """The bytes of a model directory's file.

    Raises:
        CheckpointError: it is missing, unreadable, larger than `largest` bytes, or no plain file.
    """
    size = _size(path)
    if largest is not None and size > largest:
        raise CheckpointError(f"{path} is damaged: {size} bytes are more than a {path.name} ever has. {_COPY_AGAIN}")
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None


def _size(path: Path) -> int:
    """Bytes of a file that may be read, to its end: a pipe in its place would be waited for for ever.

    Raises:
        CheckpointError: it is missing, out of reach, or no plain file.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        if path.parent.is_dir():
            raise CheckpointError(f"{path.parent} holds no {path.name}. {_MADE_BY}") from None
        raise CheckpointError(f"The model {path.parent} does not exist. {_MADE_BY}") from None
    except NotADirectoryError:
        raise CheckpointError(f"The model {path.parent} is a file. {_MADE_BY}") from None
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None
    if not stat.S_ISREG(status.st_mode):
        raise CheckpointError(f"{path} is not a plain file. {_MADE_BY}")
    try:
        path.open("rb").close()  # safetensors calls a file without permission a missing one
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None
    return status.st_size


def read_tensors(path: Path, device: torch.device) -> dict[str, Tensor]:
    """Read a safetensors file and compare its tensors with the checksum in its metadata, where it has one.

    Raises:
        CheckpointError: it is missing, unreadable or damaged.
    """
    for _ in range(_ATTEMPTS):
        before = _identity(path)
        tensors, metadata = _open(path)
        expected = metadata.get(_CHECKSUM)
        if expected is None or tensors_checksum(tensors) == expected:
            return {name: tensor.to(device) for name, tensor in tensors.items()}
        if _identity(path) == before:  # else training has just replaced it, and we saw both
            break
    raise CheckpointError(f"{path} is damaged: its weights do not fit its checksum. {_COPY_AGAIN}")


def _identity(path: Path) -> tuple[int, int, int]:
    _size(path)
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _open(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = _known_metadata(path, file.metadata())
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged or not a safetensors file ({error}). {_COPY_AGAIN}") from None
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The tensors' shapes, by name; reads no more than the header."""
    _size(path)
    try:
        with safe_open(path, framework="pt") as file:
            _known_metadata(path, file.metadata())
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged or not a safetensors file ({error}). {_COPY_AGAIN}") from None
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None


def _known_metadata(path: Path, metadata: dict[str, str] | None) -> dict[str, str]:
    """The metadata, unless it has a key that mtcli never writes: the checksum's own name may be what is damaged."""
    found = metadata or {}
    if foreign := sorted(found.keys() - {_CHECKSUM, "format"}):
        raise CheckpointError(
            f"{path} is damaged or not mtcli's: its metadata has an unknown key {foreign[0]!r}. {_COPY_AGAIN}"
        )
    return found


def load_weights(network: Transformer, path: Path) -> None:
    """Fill the network's parameters from a safetensors file.

    Raises:
        CheckpointError: the file is damaged, its tensors' names or shapes are not the network's, or a weight is
            not a finite number.
    """
    tensors = read_tensors(path, torch.device("cpu"))
    _refuse_misfit(path, network, {name: tuple(tensor.shape) for name, tensor in tensors.items()})
    for name, parameter in network.named_parameters():
        parameter.data.copy_(tensors[name])
        if not torch.isfinite(torch.stack(torch.aminmax(parameter.data))).all():
            raise CheckpointError(
                f"{path}: {name} holds a weight that is no finite number (NaN or infinity). {_COPY_AGAIN}"
            )


def _refuse_misfit(path: Path, network: Transformer, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Compare a file's tensors with the network's parameters.

    Raises:
        CheckpointError: a name or a shape differs.
    """
    expected = {name: tuple(parameter.shape) for name, parameter in network.named_parameters()}
    missing, foreign = sorted(expected.keys() - shapes.keys()), sorted(shapes.keys() - expected.keys())
    if missing or foreign:
        found = f"lacks {missing[0]}" if missing else f"has an unknown tensor {foreign[0]}"
        raise CheckpointError(
            f"{path} {found} ({len(missing)} missing, {len(foreign)} unknown): it does not fit {DESCRIPTION}. "
            "Put back the file that was written with it."
        )
    for name, shape in expected.items():
        if shapes[name] != shape:
            raise CheckpointError(
                f"{path}: {name} has shape {list(shapes[name])}, {DESCRIPTION} makes it {list(shape)}. "
                "Put back the file that was written with it."
            )
