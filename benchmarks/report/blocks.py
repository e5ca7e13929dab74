"""What every block of Markdown made from a results file says alike."""

import re
from collections.abc import Iterable, Sequence

from benchmarks.contest.records import Model, Result, Text

COMMAND_WIDTH = 100


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, words: int = 1) -> list[str]:
    """Return a table's lines; the first so many columns hold words, the others figures."""
    line = "|" + "---|" * words + "--:|" * (len(head) - words)
    return [f"| {' | '.join(head)} |", line, *(f"| {' | '.join(map(str, row))} |" for row in rows)]


def block(result: Result, lines: Sequence[str], *, title: str = "", note: str = "") -> str:
    """Return a block: title, lines, circumstances and commands."""
    about = f"{note} {circumstances(result)}".strip()
    return "\n".join([f"**{title or result.title}**", "", *lines, "", about, "", *console(result.command)])


def circumstances(result: Result) -> str:
    """Return machine, versions and date in a sentence."""
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    return f"{machine(result)}; {versions}; {result.date}."


def machine(result: Result) -> str:
    """Return the machine in a clause."""
    device = result.device
    cores = f"{device.cpu}, {device.cores} core{'' if device.cores == 1 else 's'}, {device.memory_gib:.0f} GiB"
    return f"{device.gpu}, driver {device.driver}; {cores}" if device.gpu else cores


def console(commands: Sequence[str]) -> list[str]:
    """Return commands as lines of Markdown, to be run in the repository."""
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


def about_model(model: Model) -> str:
    """Return a network in numbers, in a sentence."""
    return (
        f"{model.encoder_layers}+{model.decoder_layers} layers of width {model.d_model}, {model.heads} heads, "
        f"feed-forward {model.ffn_dim:,}, {model.vocabulary:,} pieces, {model.parameters / 1e6:.1f} million parameters."
    )


def about_text(text: Text) -> str:
    """Return what was decoded or trained on, in a sentence."""
    if text.mean_tgt is not None:
        return (
            f"{text.origin}: {text.sentences:,} pairs of {text.mean_src:.1f} source and {text.mean_tgt:.1f} target "
            "tokens on average."
        )
    return (
        f"{text.sentences:,} sentences of {text.mean_src:.1f} source tokens on average, {text.longest} at most "
        f"({text.origin})."
    )
