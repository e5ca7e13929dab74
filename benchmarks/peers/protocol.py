"""JSON lines over stdin and stdout: one request a line, one answer a line, in turn.

A request is {"command": name, argument: value, ...}; the answer is whatever that command returns. A command that
fails ends the process with its traceback on stderr, which the other side sees as the end of the answers.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any


def serve(commands: Mapping[str, Callable[..., Any]]) -> None:
    """Answer requests until stdin ends."""
    # Libraries print: what they say must not get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        request = json.loads(line)
        answer = commands[request.pop("command")](**request)
        print(json.dumps(answer), file=answers, flush=True)
