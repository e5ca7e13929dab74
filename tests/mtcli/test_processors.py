"""The threads' waiting is settled before PyTorch is loaded, and only where nobody else has."""

import subprocess
import sys

import pytest

from mtcli.processors import share_processors


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"GOMP_SPINCOUNT": "3000"}),
        ({"GOMP_SPINCOUNT": "5"}, {"GOMP_SPINCOUNT": "5"}),
        ({"OMP_WAIT_POLICY": "active"}, {"OMP_WAIT_POLICY": "active"}),
    ],
)
def test_what_is_set_stays(given: dict[str, str], expected: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    environment = dict(given)
    monkeypatch.setattr("os.environ", environment)
    share_processors()
    assert environment == expected


def test_the_command_line_settles_it_before_pytorch_is_there() -> None:
    program = (
        "import os, sys\n"
        "import mtcli.cli.main as command\n"
        "assert 'torch' not in sys.modules\n"
        "command.run_reporting_errors = lambda app: print(os.environ.get('GOMP_SPINCOUNT'), 'torch' in sys.modules)\n"
        "command.main()\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={}, check=True)
    assert finished.stdout.split() == ["3000", "False"]
