"""int8.json: what int8 costs a model's translations, as `mtcli quantize` or the end of a training found it.

It is a file of its own and no part of config.json, because a model can do without: an earlier mtcli reads the directory
as before. It is of weights of one checksum, and says nothing of others that a training has published since. Written in
one step, with a checksum of its own. No tensors here.
"""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from mtcli.errors import CheckpointError
from mtcli.files import write_atomically
from mtcli.model_directory.files import WEIGHTS, read_json
from mtcli.model_directory.integrity import content_checksum, stored_checksum

INT8_MARK = "int8.json"
FORMAT_VERSION = 1
_DELETE = "Delete it, and run mtcli quantize DIR to check int8 again; without it, --dtype auto is float32 on a CPU."


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ScorePair(_Record):
    """One score, 0 to 100, of the same text translated in float32 and in int8."""

    float32: float
    int8: float

    @property
    def loss(self) -> float:
        """What int8 loses; below zero where it gains."""
        return self.float32 - self.int8

    def __str__(self) -> str:
        return f"{self.float32:.2f} -> {self.int8:.2f}"


class Int8Mark(_Record):
    """That int8 was compared with float32, on what, and with what result.

    Attributes:
        weights: checksum of the weights that were compared.
        text: name of the text, such as its references' file.
        lines: how many of it.
        beam: live hypotheses a sentence.
        bleu, chrf: scores of both.
        signatures: sacreBLEU's descriptions of these, by `bleu` and `chrf`.
        mtcli: the version that compared.
    """

    weights: str
    text: str
    lines: int
    beam: int
    bleu: ScorePair
    chrf: ScorePair
    signatures: dict[str, str]
    mtcli: str

    @property
    def sentence(self) -> str:
        """The result in a phrase, for people."""
        return f"BLEU {self.bleu}, chrF {self.chrf} on {self.lines:,} lines of {self.text}, beam {self.beam}"


def write_int8_mark(directory: Path, mark: Int8Mark) -> None:
    """Write that int8 was checked, in one step.

    Raises:
        DataError: the directory cannot be written.
    """
    content = {"format_version": FORMAT_VERSION, **mark.model_dump()}
    sealed = {**content, "checksum": content_checksum(content)}
    write_atomically(directory / INT8_MARK, json.dumps(sealed, indent=2, ensure_ascii=False) + "\n")


def load_int8_mark(directory: Path) -> Int8Mark | None:
    """Read whether int8 was checked with the weights that are there; None where nobody says so of these.

    Raises:
        CheckpointError: int8.json is damaged or was edited.
    """
    path = directory / INT8_MARK
    if not path.exists():
        return None
    content = read_json(directory, INT8_MARK)
    if content.pop("checksum", None) != content_checksum(content):
        raise CheckpointError(
            f"{path} was damaged or edited since it was written: its checksum does not fit. {_DELETE}"
        )
    version = content.pop("format_version", None)
    if type(version) is int and version > FORMAT_VERSION:
        return None  # whatever a newer mtcli says there, float32 is right
    try:
        mark = Int8Mark.model_validate(content)
    except ValidationError as error:
        issue = error.errors()[0]
        where = ".".join(map(str, issue["loc"]))
        raise CheckpointError(f"{path} is damaged: {where}: {issue['msg']}. {_DELETE}") from None
    return mark if mark.weights == stored_checksum(directory / WEIGHTS) else None
