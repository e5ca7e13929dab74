"""What is usual in a finished model's translations, measured once, at the end of a training: checking.json.

Lengths are of the validation set's own translations, which are right; how probable a translation usually is, the model
says of its own. Nothing here touches what is learnt.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from mtcli.checking.calibration import CALIBRATION_FILE, measure
from mtcli.checking.lengths import FEWEST_PAIRS
from mtcli.checking.pairs import TranslatedLine
from mtcli.data.prepare import PreparedData
from mtcli.decoding.translator import Translator
from mtcli.files import write_atomically
from mtcli.model_directory.card import PROVENANCE, write_card
from mtcli.model_directory.files import read_json
from mtcli.training.journal import Journal

_MOST_LINES = 1000


def calibrate(run_dir: Path, data: PreparedData, journal: Journal, *, step: int, device: str) -> None:
    """Measure it on the validation set, where that has pairs enough.

    Args:
        step: whose weights the model has; where provenance.json tells of a measurement of these, nothing is done.
        device: what translates.
    """
    provenance = read_json(run_dir, PROVENANCE)
    pairs = [pair for pair in zip(data.valid_src, data.valid_ref, strict=True) if all(pair)][:_MOST_LINES]
    if len(pairs) < FEWEST_PAIRS or provenance.get("calibrated", {}).get("step") == step:
        return
    translator = Translator(run_dir, device=device)
    found = translator.translate([source for source, _ in pairs], repair=False)

    def lines() -> Iterator[TranslatedLine]:
        for (source, reference), translation in zip(pairs, found, strict=True):
            best = translation.n_best[0]
            yield TranslatedLine(source, reference, best.log_prob, best.num_tokens)

    write_atomically(run_dir / CALIBRATION_FILE, json.dumps(measure(lines()).to_json(), indent=1) + "\n")
    write_card(run_dir, {**provenance, "calibrated": {"step": step, "lines": len(pairs)}})
    journal.say(
        f"Measured what is usual in {len(pairs):,} validation pairs, for checks and repairs: {CALIBRATION_FILE}"
    )
