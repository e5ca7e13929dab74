"""The weights of the validations that may still be called the best: checkpoints/validated-STEP.safetensors.

A setting that says what is the best may change when a run goes on. So the best by each measure stay, and none goes
before a checkpoint that knows of it no more is whole.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from mtcli.errors import CheckpointError
from mtcli.files import write_atomically
from mtcli.model_directory.card import PROVENANCE
from mtcli.model_directory.files import WEIGHTS, read_json
from mtcli.model_directory.integrity import stored_checksum

_NAME = re.compile(r"validated-(\d+)\.safetensors")
_EARLIER = "best.safetensors"  # of runs that kept the best by one measure alone


class KeptWeights:
    """Weights by the step that they are of."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, step: int) -> Path:
        return self._directory / f"validated-{step:08d}.safetensors"

    def write(self, step: int, content: bytes) -> None:
        """Keep weights.

        Raises:
            DataError: they cannot be written.
        """
        write_atomically(self.path(step), content)

    def steps(self) -> set[int]:
        """The steps whose weights are there."""
        found = (_NAME.fullmatch(path.name) for path in self._directory.glob("validated-*"))
        return {int(match[1]) for match in found if match}

    def is_published(self, step: int, run_dir: Path) -> bool:
        """Whether a run's model has the weights kept of this step, and its provenance is of them."""
        try:
            checksum = stored_checksum(self.path(step))
            told = read_json(run_dir, PROVENANCE).get("weights")
            return stored_checksum(run_dir / WEIGHTS) == checksum and told == {"step": step, "blake2b": checksum}
        except CheckpointError:
            return False

    def adopt(self, checkpoint: Path, step: int) -> None:
        """Take in what a run of an earlier mtcli kept, as of the best step that its checkpoint knows.

        Weights that are newer than the checkpoint are of a step that it does not know, and are left out.
        """
        earlier = self._directory / _EARLIER
        if not step or not earlier.exists():
            return
        if earlier.stat().st_mtime_ns <= (checkpoint / "state.json").stat().st_mtime_ns:
            earlier.rename(self.path(step))
        else:
            earlier.unlink()

    def tidy(self, needed: Iterable[int]) -> None:
        """Delete the weights of all steps that neither are `needed` nor named in a checkpoint."""
        named = set(needed)
        for state in self._directory.glob("step-*/state.json"):
            named.update(_kept_in(state))
        for step in self.steps() - named:
            self.path(step).unlink(missing_ok=True)


def _kept_in(state: Path) -> list[int]:
    try:
        return [int(step) for step in json.loads(state.read_text(encoding="utf-8")).get("kept", [])]
    except (OSError, ValueError, TypeError, AttributeError):  # a damaged checkpoint is not gone on from
        return []
