"""config.json: what a network's weights are to be read as. No tensors here.

What needs nothing that an earlier format_version lacks is written as that, so that older versions of mtcli read it:
version 2 can say more of networks and decoding than 1, and version 3 also what text a model expects.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import ValidationError

from mtcli.config import DecodingConfig, ModelConfig, VocabularySizes
from mtcli.data.conventions import TextConventions
from mtcli.data.normalisation import CURRENT
from mtcli.data.tokenizer import Tokenizers
from mtcli.errors import CheckpointError
from mtcli.files import file_error, write_atomically
from mtcli.model_directory.files import COPY_AGAIN, DESCRIPTION, MADE_BY, read_json
from mtcli.model_directory.integrity import broken_seal, seal
from mtcli.model_directory.tokenizers import LISTS, tokenizer_contents

FORMAT_VERSION = 3
_KEYS = {"format_version", "model", "vocabulary", "decoding", "text", "checksums"}
_UPGRADE = "A newer mtcli wrote it: upgrade (pip install --upgrade mtcli-nmt)."


@dataclass(frozen=True)
class Architecture:
    """What config.json holds: enough to build the network the weights fit.

    Attributes:
        checksums: of the tokenizer files by name, as read from config.json; empty where it holds none.
        text: what the model expects of the text it is given.
    """

    model: ModelConfig
    vocabulary: VocabularySizes
    decoding: DecodingConfig
    checksums: Mapping[str, str] = field(default_factory=dict, compare=False)
    text: TextConventions = field(default_factory=TextConventions)

    def to_json(self, files: Mapping[str, bytes]) -> str:
        """config.json, with the checksums of `files`: those of the tokenizers, and others that should not change."""
        is_of_format_1 = self.model.is_of_format_1 and self.decoding.is_of_format_1 and LISTS not in files
        text = {} if self.text.is_of_format_1 else {"text": self.text.model_dump()}
        content = {
            "format_version": 3 if text else 1 if is_of_format_1 else 2,
            "model": self.model.model_dump(),
            "vocabulary": asdict(self.vocabulary),
            "decoding": self.decoding.model_dump(),
            **text,
        }
        return json.dumps(seal(content, files), indent=2) + "\n"


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
    files = {**tokenizer_contents(tokenizers), **(others or {})}
    for name, content in files.items():
        write_atomically(directory / name, content)
    write_atomically(directory / DESCRIPTION, architecture.to_json(files))


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
            f"{path} has format_version {version}; this mtcli reads up to {FORMAT_VERSION}. {_UPGRADE}"
        )
    if broken_seal(content):
        raise CheckpointError(
            f"{path} was damaged or edited since it was written: its checksum does not fit. {COPY_AGAIN} "
            'If you meant to edit it, delete its "checksums".'
        )
    if type(version) is not int or version < 1:
        raise CheckpointError(
            f"{path} has format_version {version!r}; a number from 1 to {FORMAT_VERSION} was expected. {MADE_BY}"
        )
    if foreign := sorted(content.keys() - _KEYS):
        raise CheckpointError(
            f"{path} has an unknown key {foreign[0]!r}. Valid: {', '.join(sorted(_KEYS))}. {COPY_AGAIN}"
        )
    try:
        text = TextConventions.model_validate(content.get("text", {}))
        if text.normalisation > CURRENT:
            raise CheckpointError(
                f"{path} has text.normalisation {text.normalisation}; this mtcli knows up to {CURRENT}. {_UPGRADE}"
            )
        return Architecture(
            ModelConfig.model_validate(content["model"]),
            VocabularySizes(**content["vocabulary"]),
            DecodingConfig.model_validate(content["decoding"]),
            {name: value for name, value in content.get("checksums", {}).items() if name != DESCRIPTION},
            text,
        )
    except KeyError as error:
        detail = f"it has no {error}"
    except TypeError:
        detail = f'"vocabulary" is {content["vocabulary"]!r}'[:200] + ', expected {"source", "target", "shared"}'
    except ValidationError as error:
        detail = "; ".join(f"{'.'.join(map(str, issue['loc']))}: {issue['msg']}" for issue in error.errors()[:3])
    raise CheckpointError(f"{path} does not describe an mtcli model: {detail}. {MADE_BY}")
