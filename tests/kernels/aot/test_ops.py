"""The operations as the check reads them: without PyTorch, and every entry of every table with a fitting case."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton", reason="Triton's wheels are for Linux alone")

KERNELS = Path(__file__).parents[3] / "kernels"

# A process of its own, for the check puts empty packages in the place of the operations'.
SCRIPT = """
import sys
from pathlib import Path

sys.modules["torch"] = None
from aot import ops
from aot.compiling import argument_errors
from aot.jobs import plan

for folder in ops.op_folders(Path(sys.argv[1]) / "mtcli_kernels"):
    jobs, complaints = plan(folder, None, everything=True)
    print(*complaints, sep="\\n", end="\\n" if complaints else "")
    for case in {id(job.case): job.case for job in jobs}.values():
        for error in argument_errors(ops.kernel(folder, case.tile.kernel), case):
            print(f"{folder.name}: {case.tile.kernel} ({case.note}): {error}")
"""


def test_the_cases_of_every_operation_are_complete_and_need_no_pytorch() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    environment["PYTHONPATH"] = str(KERNELS)
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(KERNELS)], capture_output=True, text=True, env=environment
    )
    assert (finished.returncode, finished.stdout) == (0, ""), finished.stderr
