"""A signal's exception in the main thread, anywhere: no lock stays behind that other threads wait for."""

import os
import signal
import subprocess
import sys

import pytest

SECONDS = 3
# Another thread wants the same lock all the time, so that signals come while the main thread waits for it.
PROGRAM = """
import os, signal, sys, threading, time
from mtcli.decoding.decoder import _Batch
from mtcli.decoding.flow import Flow
from mtcli.decoding.scheduler import Scheduler

class Stopped(Exception):
    pass

def stop(number, frame):
    raise Stopped

signal.signal(signal.SIGALRM, stop)
shared = Flow(Scheduler(lambda length: 10), 2, hurry=True) if sys.argv[1] == "Flow" else _Batch([], 2)
end = time.monotonic() + float(sys.argv[2])
stopped = 0

def use():
    while time.monotonic() < end:
        shared.finish([])

def finish():
    shared.finish([])
    free.append(True)

threading.Thread(target=use, daemon=True).start()
while time.monotonic() < end:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0003)
        while True:
            shared.give_back([])
    except Stopped:
        stopped += 1
    free = []
    other = threading.Thread(target=finish, daemon=True)
    other.start()
    other.join(10)
    if not free:
        print(f"locked after {stopped} signals", flush=True)
        os._exit(1)
print(stopped)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers that send signals")
@pytest.mark.parametrize("shared", ["Flow", "_Batch"])
def test_a_signal_leaves_no_lock_behind(shared: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, shared, str(SECONDS)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert int(finished.stdout) > 5, "hardly a signal came"
