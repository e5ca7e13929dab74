"""Models that say of themselves that int8 was checked."""

from pathlib import Path

from mtcli.model_directory.int8_mark import Int8Mark, ScorePair, write_int8_mark
from mtcli.model_directory.integrity import stored_checksum


def marked(directory: Path) -> Path:
    """Mark a model directory as if int8 had lost next to nothing; returns it."""
    weights = stored_checksum(directory / "model.safetensors")
    assert weights
    mark = Int8Mark(
        weights=weights,
        text="dev.de",
        lines=2000,
        beam=4,
        bleu=ScorePair(float32=30.0, int8=29.9),
        chrf=ScorePair(float32=55.0, int8=55.1),
        signatures={"bleu": "bleu|x", "chrf": "chrf|x"},
        mtcli="0.1.0",
    )
    write_int8_mark(directory, mark)
    return directory
