"""The contestants' processes, as this one sees them (`benchmarks.peers.protocol`)."""

import dataclasses
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.contest.answering import ContestantError, Process
from benchmarks.peers.engine import Work
from benchmarks.questions.decoding.contestants import COMPILED, CTRANSLATE2, JOEYNMT, MARIAN, MTCLI, STOCK, Entry

ROOT = Path(__file__).resolve().parents[2]
MODULES = {
    MTCLI: "benchmarks.questions.decoding.ours",
    CTRANSLATE2: "benchmarks.peers.ct2",
    MARIAN: "benchmarks.peers.marian",
    JOEYNMT: "benchmarks.peers.joeynmt",
    STOCK: "benchmarks.peers.stock_decoding",
    COMPILED: "benchmarks.peers.stock_decoding",
}
# oneDNN's and MKL's limits, CTranslate2's own, and that of PyTorch's other operations.
ISA_VARIABLES = {
    "avx2": {
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "CT2_FORCE_CPU_ISA": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
    }
}


class Worker:
    """One contestant's process.

    Attributes:
        facts: what it says of itself: {"versions", "dtypes"}.
    """

    def __init__(self, name: str, python: str, variables: Mapping[str, str]) -> None:
        """Start it; it exits the whole benchmark with a sentence if it cannot."""
        self._name = name
        given = os.environ.get("PYTHONPATH")
        path = os.pathsep.join([str(ROOT), *([given] if given else [])])
        variables = {**os.environ, **variables, "PYTHONPATH": path}
        self._process = Process([python, "-m", MODULES[name]], variables)
        self.facts: dict[str, Any] = self.ask("facts")

    def ask(self, command: str, **arguments: Any) -> Any:
        """Its answer to one command.

        Exits when the process has ended: why stands above, on stderr.
        """
        try:
            return self._process.ask(command, **arguments)
        except ContestantError as error:
            sys.exit(f"{self._name}: {error}; nothing was recorded.")

    def load(self, description: Path, threads: int, work: Work) -> None:
        """Give it a model and what to decode."""
        self.ask("load", description=str(description), threads=threads, work=dataclasses.asdict(work))

    def run(self, command: str, entry: Entry, **arguments: Any) -> dict[str, Any]:
        """`decode` or `one_by_one` as the entry says (`peers.engine.Contestant`)."""
        settings = {"dtype": entry.dtype, **entry.settings}
        answer: dict[str, Any] = self.ask(command, settings=settings, beam=entry.beam, **arguments)
        return answer

    def close(self) -> None:
        """Let it end by itself, and end it if it does not."""
        self._process.close()
