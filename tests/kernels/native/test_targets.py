"""Every target of this processor writes the same scores, to the last bit."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtcli_native import objects, processor, targets

_ROOT = Path(__file__).parents[3]
_HERE = [
    target
    for target in targets.ALL
    if processor.machine() in target.machine and processor.plain(*target.needs) <= processor.flags()
]


def _scores(target: targets.Target, dtype: str, lines: str) -> str:
    paths = os.pathsep.join([str(_ROOT), str(objects.SOURCES.parent)])
    done = subprocess.run(
        [sys.executable, "-m", "mtcli", "translate", "--engine", "native", "--dtype", dtype, "--format", "tsv"],
        input=lines, text=True, capture_output=True, check=True,
        env=os.environ | {"PYTHONPATH": paths, targets.VARIABLE: target.name},
    )  # fmt: skip
    assert done.stdout.count("\n") == lines.count("\n")
    return hashlib.sha256(done.stdout.encode()).hexdigest()


@pytest.mark.slow
@pytest.mark.skipif(len(_HERE) < 2, reason="this processor runs one target at most")
@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_all_targets_write_the_same_scores(dtype: str) -> None:
    text = (_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    words = text.split()
    lines = "".join(" ".join(words[4 * i : 4 * i + 3 + i % 9]) + "\n" for i in range(100))
    assert len({_scores(target, dtype, lines) for target in _HERE}) == 1
