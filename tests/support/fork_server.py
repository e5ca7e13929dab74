"""Commands without a new start of Python: a process that has imported all of mtcli forks for each of them.

Importing PyTorch takes longer than most commands that tests run. What is forked is a process of its own, with streams,
a directory, an environment, signals and an exit code of its own, and it ends as any interpreter does. Not fit for
what depends on how Python starts: a locale, the number of threads, what a command imports.
"""

import functools
import gc
import importlib
import importlib.util
import json
import os
import pkgutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.patience import PATIENCE

_LONGEST_REQUEST = 1 << 20  # bytes: the arguments and the environment


@dataclass(frozen=True)
class ForkServer:
    """The tests' end of the server's socket; one command at a time."""

    process: subprocess.Popen[bytes]
    connection: socket.socket
    turn: threading.Lock = field(default_factory=threading.Lock)

    def run(
        self,
        arguments: Sequence[str],
        stdin: bytes,
        cwd: Path,
        environment: Mapping[str, str],
        prepare: str | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `mtcli ARGUMENTS` to its end.

        Args:
            arguments: of the command.
            stdin: what it reads, through a pipe.
            cwd: the directory that it starts in.
            environment: all of its environment.
            prepare: a function that the process calls before the command, as `module:function`.

        Raises:
            AssertionError: the command is not done after `PATIENCE` seconds; it is killed.
        """
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        ours_err, theirs_err = os.pipe()
        request = {"arguments": list(arguments), "cwd": str(cwd), "environment": {**environment}, "prepare": prepare}
        with self.turn:
            socket.send_fds(self.connection, [json.dumps(request).encode()], [theirs_in, theirs_out, theirs_err])
            for descriptor in (theirs_in, theirs_out, theirs_err):
                os.close(descriptor)
            process = int(self.connection.recv(64))
            watchdog = threading.Timer(PATIENCE, os.kill, (process, 9))
            watchdog.start()
            out, errors = _exchange(ours_in, stdin, ours_out, ours_err)
            code = int(self.connection.recv(64))
            assert watchdog.is_alive(), f"mtcli {' '.join(arguments)} did not end in {PATIENCE:.0f} seconds"
            watchdog.cancel()
        return subprocess.CompletedProcess(list(arguments), code, out, errors)


@functools.cache
def fork_server() -> ForkServer:
    """The server of this process, started at the first call; it ends with this process at the latest."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    path = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(
        [sys.executable, "-m", "support.fork_server", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    theirs.close()
    return ForkServer(process, ours)


def end_fork_server() -> None:
    """End the server of this process, if it has one."""
    if fork_server.cache_info().currsize:
        fork_server().connection.close()
        fork_server().process.wait()
        fork_server.cache_clear()


def _exchange(ours_in: int, stdin: bytes, *outputs: int) -> list[bytes]:
    """Feed a process and return what it writes to each output, all at once, so that no pipe fills up."""
    written: dict[int, bytes] = {}

    def feed() -> None:
        with open(ours_in, "wb") as stream:
            try:
                stream.write(stdin)
                stream.flush()
            except BrokenPipeError:  # it does not read to the end
                pass

    def drain(output: int) -> None:
        with open(output, "rb") as stream:
            written[output] = stream.read()

    threads = [threading.Thread(target=feed), *(threading.Thread(target=drain, args=(one,)) for one in outputs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [written[output] for output in outputs]


def _serve(connection: socket.socket) -> Callable[[], None] | None:
    """Fork for every request, until the tests have gone: None then; in a forked process, the command to run."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, _LONGEST_REQUEST, 3)
        if not message:
            return None
        process = os.fork()
        if process == 0:
            connection.close()
            return _become(json.loads(message), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        connection.send(str(process).encode())
        _, status = os.waitpid(process, 0)
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: dict[str, Any], descriptors: Sequence[int]) -> Callable[[], None]:
    """Make this process what was asked for; the command is left to run."""
    from mtcli.cli import main

    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin, sys.stdout, sys.stderr = open(0, closefd=False), open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    module = sys.modules["__main__"]  # as `python -m mtcli` has it, for processes that this one starts and for usage
    module.__spec__, module.__package__ = importlib.util.find_spec("mtcli.__main__"), "mtcli"
    sys.argv[:] = [str(Path(main.__file__).parents[1] / "__main__.py"), *request["arguments"]]
    if request["prepare"]:
        name, _, function = request["prepare"].partition(":")
        getattr(importlib.import_module(name), function)()
    return main.main


def _import_everything() -> None:
    import mtcli

    for module in pkgutil.walk_packages(mtcli.__path__, "mtcli."):
        if not module.name.startswith(("mtcli.__main__", "mtcli.bench.")):  # benchmarks import Triton
            importlib.import_module(module.name)
    gc.freeze()  # what is here is shared, and not to be copied by looking at it


if __name__ == "__main__":
    _import_everything()
    command = _serve(socket.socket(fileno=int(sys.argv[1])))
    if command:
        command()
