"""What every block of Markdown made from a results file says alike."""

import re

from benchmarks.contest.records import Result

COMMAND_WIDTH = 100


def circumstances(result: Result) -> str:
    """Machine, versions and date in a sentence."""
    device = result.device
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    cores = "core" if device.cores == 1 else "cores"
    return f"{device.cpu}, {device.cores} {cores}, {device.memory_gib:.0f} GiB; {versions}; {result.date}."


def console(commands: list[str]) -> list[str]:
    """Commands as lines of Markdown, to be run in the repository."""
    return ["```console", *("$ " + wrapped(command) for command in commands), "```"]


def wrapped(command: str) -> str:
    """Break a long command before its options."""
    lines: list[str] = []
    for part in re.split(r" (?=-)", command):
        if lines and len(lines[-1]) + len(part) < COMMAND_WIDTH:
            lines[-1] += " " + part
        else:
            lines.append(part)
    return " \\\n    ".join(lines)
