"""Signals while several threads decode: no lock stays behind that they wait for, and none goes unseen."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from support.patience import PATIENCE
from support.searching import EOS, network, options

from mtcli.decoding.engines.torch import TorchEngines
from mtcli.decoding.pool import EnginePool
from mtcli.decoding.stream import Stream
from mtcli.decoding.windows import Windows, in_order

STOPS = 300
# Another thread wants the same lock all the time, so that signals come while the main thread waits for it.
PROGRAM = """
import os, signal, sys, threading
from mtcli.decoding.stream import Stream

class Stopped(Exception):
    pass

def stop(number, frame):
    raise Stopped

signal.signal(signal.SIGALRM, stop)
shared = Stream(2)
stops, stopped = int(sys.argv[1]), 0

def use():
    while stopped < stops:
        shared.finish([])

def finish():
    shared.finish([])
    free.append(True)

threading.Thread(target=use, daemon=True).start()
while stopped < stops:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0003)
        while True:
            shared.give_back([])
    except Stopped:
        stopped += 1
    free = []
    other = threading.Thread(target=finish, daemon=True)
    other.start()
    other.join(float(sys.argv[2]))
    if not free:
        print(f"locked after {stopped} signals", flush=True)
        os._exit(1)
print(stopped)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers that send signals")
def test_a_signal_leaves_no_lock_behind() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(STOPS), str(PATIENCE)],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert int(finished.stdout) == STOPS


class WaitedError(Exception):
    """Instead of waiting."""


@pytest.mark.parametrize("hurry", [True, False])
def test_who_waits_for_results_looks_again_for_signals(hurry: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    call, over = Stream[str](2).open(), threading.Event()
    windows: Windows[bool] = Windows(iter(over.wait, True), call, hurry=hurry)  # a line that does not come
    assert waited(
        call.changed, lambda: next(in_order(call, windows, lambda some: [(line, []) for line in some])), monkeypatch
    )
    over.set()


def test_who_waits_for_a_batch_looks_again_for_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = EnginePool(TorchEngines(network(1), options(1)), num_workers=1)
    monkeypatch.setattr(pool.stream, "_need_workers", lambda number: None)
    call = pool.stream.open()
    monkeypatch.setattr(pool.stream, "open", lambda **how: call)
    assert waited(call.changed, lambda: pool.decode([[5, EOS]], [3]), monkeypatch)


def waited(changed: threading.Condition, call: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a call waits, and not for ever: what comes just before it begins to does not wake it."""
    seconds: list[float | None] = []

    def wait(timeout: float | None = None) -> bool:
        seconds.append(timeout)
        raise WaitedError

    monkeypatch.setattr(changed, "wait", wait)
    with pytest.raises(WaitedError):
        call()
    return all(each is not None and each <= 1 for each in seconds)
