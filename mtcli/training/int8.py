"""Whether the trained model may decode in int8: checked once, at the end of a training on a CPU.

Nothing here touches what is learnt: it reads the finished model and the validation set. What it found is in the model's
provenance, so that a run that is finished does not check again, and one that was killed before it does.
"""

from pathlib import Path
from typing import Any

from mtcli.data.prepare import PreparedData
from mtcli.decoding.int8_check import FEWEST_LINES, Int8Comparison, compare_int8
from mtcli.errors import BackendUnavailableError
from mtcli.model_directory.card import PROVENANCE, write_card
from mtcli.model_directory.files import read_json
from mtcli.model_directory.int8_mark import write_int8_mark
from mtcli.training.journal import Journal

_TEXT = "its validation set"


def check_int8(
    run_dir: Path, data: PreparedData, journal: Journal, *, step: int, num_lines: int, tokenizer: str
) -> None:
    """Compare int8 with float32 on the validation set and mark the model where int8 loses nothing.

    Args:
        step: whose weights the model has; where provenance.json tells of a check of these, nothing is done.
        num_lines: of the validation set, at most; with too few to tell nothing is done.
        tokenizer: BLEU's.
    """
    provenance = read_json(run_dir, PROVENANCE)
    sources, references = data.valid_src[:num_lines], data.valid_ref[:num_lines]
    if len(sources) < FEWEST_LINES or provenance.get("int8", {}).get("step") == step:
        return
    try:
        found = compare_int8(run_dir, sources, references, text=_TEXT, tokenize=tokenizer)
    except BackendUnavailableError:
        return  # nobody asked for int8, and it cannot be had here
    if found.obstacle is None:
        write_int8_mark(run_dir, found.mark())
    record = _record(found, step)
    write_card(run_dir, {**provenance, "int8": record})
    journal.int8(record, found.obstacle)


def _record(found: Int8Comparison, step: int) -> dict[str, Any]:
    """What provenance.json and log.jsonl hold of it."""
    assert found.scores is not None
    scores = {
        name: {dtype: round(getattr(one, name), 2) for dtype, one in found.scores.items()} for name in ("bleu", "chrf")
    }
    return {
        "step": step,
        "lines": found.num_lines,
        "beam": found.beam,
        **scores,
        "signatures": found.signatures,
        "passed": found.obstacle is None,
    }
