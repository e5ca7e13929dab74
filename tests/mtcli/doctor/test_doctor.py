"""What is wrong with a machine is found, and what to do is said; what is right is not blamed."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from support.command import mtcli

from mtcli.doctor import decoding, system
from mtcli.doctor.findings import Finding, Status
from mtcli.errors import BackendUnavailableError, MtcliError
from mtcli.translation import Candidate, Translation
from mtcli_native import load


def found(subject: str) -> Finding:
    return next(one for one in system.examine() if one.subject == subject)


def test_the_command_ends_well_here_and_tells_of_every_way() -> None:
    done = mtcli("doctor", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["subject"] for row in rows} >= {"versions", "processor", "memory", "cache", "GPU", "models"}
    assert [row for row in rows if row["status"] == "wrong"] == []
    assert done.returncode == 0
    assert {f"decoding: {way.name}" for way in decoding.ways()} <= {row["subject"] for row in rows}
    assert b"ok     versions: mtcli" in mtcli("doctor").stdout


@pytest.mark.parametrize(
    ("broken", "subject", "status", "advice"),
    [
        (lambda m: m.setattr(system.host, "memory_gib", lambda: 0.5), "memory", Status.NOTE, "small models"),
        (lambda m: m.setattr(system.os, "access", lambda *args: False), "cache", Status.WRONG, "XDG_CACHE_HOME"),
        (lambda m: m.setattr(system, "_LEAST_DISK", 1e9), "cache", Status.WRONG, "Make room"),
        (lambda m: m.setattr(system.locale, "getpreferredencoding", lambda *_: "ascii"), "locale", Status.NOTE, "LANG"),
        (lambda m: m.setattr(load, "obstacle", lambda: "none fits"), "native kernels", Status.NOTE, "numba"),
        (
            lambda m: m.setattr(system.importlib.util, "find_spec", lambda name: None),
            "extras",
            Status.NOTE,
            "pip install",
        ),
        (lambda m: _gpu(m), "GPU", Status.WRONG, "Install its CUDA build"),
    ],
)
def test_what_is_wrong_says_what_to_do(
    broken: Callable[[pytest.MonkeyPatch], None],
    subject: str,
    status: Status,
    advice: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken(monkeypatch)
    finding = found(subject)
    assert finding.status is status
    assert advice in finding.advice


def _gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a GPU and PyTorch for processors alone."""
    monkeypatch.setattr(system, "num_cuda_devices", lambda: 0)
    monkeypatch.setattr(system.host, "query_nvidia_smi", lambda *fields: {"name": "H200", "driver_version": "580"})
    monkeypatch.setattr("torch.version.cuda", None)


def test_a_limit_of_threads_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "available_cpus", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert "unset OMP_NUM_THREADS" in found("threads").advice


WAY = decoding.Way("native", "cpu", "float32")
EXPECTED = [Translation(line, (Candidate(line.upper(), -1.0, -4.0, 4),)) for line in decoding.SENTENCES]


def compared(monkeypatch: pytest.MonkeyPatch, way: decoding.Way, told: list[Translation] | MtcliError) -> Finding:
    def translated(way: decoding.Way) -> list[Translation]:
        if isinstance(told, MtcliError):
            raise told
        return told

    monkeypatch.setattr(decoding, "_translated", translated)
    return decoding._compared(way, EXPECTED)


def changed(number: int, **fields: object) -> list[Translation]:
    """What was expected, but for the first ones."""
    return [
        replace(one, n_best=(replace(one.n_best[0], **fields),)) if place < number else one
        for place, one in enumerate(EXPECTED)
    ]


def test_ways_to_decode_are_held_against_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compared(monkeypatch, WAY, EXPECTED).status is Status.OK
    assert compared(monkeypatch, WAY, changed(1, text="other")).status is Status.WRONG
    assert compared(monkeypatch, WAY, changed(1, score=-1.01)).status is Status.WRONG
    coarse = replace(WAY, dtype="int8")
    assert compared(monkeypatch, coarse, changed(1, text="other")).status is Status.OK
    assert compared(monkeypatch, coarse, changed(3, text="other")).status is Status.WRONG
    assert compared(monkeypatch, WAY, BackendUnavailableError("no Triton")).status is Status.NOTE
    assert "report it" in compared(monkeypatch, WAY, MtcliError("not a number")).advice
