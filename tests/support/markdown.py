"""The repository's Markdown files taken apart: prose, code, links, anchors, commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_MADE = {"build", "dist", "demo-model"}
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_REDIRECTIONS = {"<", ">", ">>"}


@dataclass(frozen=True)
class Fence:
    """A fenced block of code."""

    language: str
    text: str


def pages() -> list[Path]:
    """Return all Markdown files of the repository."""
    found = (path for path in ROOT.rglob("*.md") if not _MADE & set(path.relative_to(ROOT).parts))
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(ROOT).parts))


def name_of(page: Path) -> str:
    """Return a page's path in the repository, as tests are named by it."""
    return page.relative_to(ROOT).as_posix()


def fences(markdown: str) -> list[Fence]:
    """Return the fenced blocks in order."""
    return [Fence(match[2], match[3]) for match in _FENCE.finditer(markdown)]


def prose(markdown: str) -> str:
    """Return the text without its fenced blocks."""
    return _FENCE.sub("", markdown)


def code_spans(markdown: str) -> list[str]:
    """Return what stands between single backticks in the prose."""
    return _SPAN.findall(prose(markdown))


def links(markdown: str) -> list[str]:
    """Return the targets of links and pictures in the prose."""
    return _LINK.findall(_SPAN.sub("code", prose(markdown)))


def anchors(markdown: str) -> set[str]:
    """Return the anchors of the headings, as GitHub and the site make them, the second of a name ending in -1."""
    made: dict[str, int] = {}
    found = set()
    for heading in _HEADING.findall(prose(markdown)):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")
        found.add(slug if slug not in made else f"{slug}-{made[slug]}")
        made[slug] = made.get(slug, 0) + 1
    return found


def console_commands(markdown: str) -> list[str]:
    """Return the `$ ` lines of the console blocks, each with its backslash continuations."""
    blocks = [fence.text for fence in fences(markdown) if fence.language == "console"]
    return [line for block in blocks for line in re.findall(r"^\$ ((?:[^\n]*\\\n)*[^\n]*)", block, re.MULTILINE)]


def shell_commands(markdown: str) -> list[str]:
    """Return all command lines of console, sh and bash blocks."""
    scripts = [fence.text for fence in fences(markdown) if fence.language in ("sh", "bash")]
    lines = [line for script in scripts for line in script.replace("\\\n", " ").splitlines()]
    return [*console_commands(markdown), *lines]


def mtcli_calls(command: str) -> Iterator[list[str]]:
    """Yield the arguments of each call of mtcli in a command line, up to a pipe, a semicolon or a redirection."""
    line = re.sub(r"(?<!\S)2>", ">", command.replace("\\\n", " "))
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    segment: list[str] = []
    skip = False
    for token in [*lexer, "|"]:
        if token in _REDIRECTIONS:
            skip = True
        elif skip:
            skip = False
        elif set(token) <= set("|;&()"):
            yield from _of_mtcli(segment)
            segment = []
        else:
            segment.append(token)


def _of_mtcli(words: list[str]) -> Iterator[list[str]]:
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    if words[:1] == ["mtcli"]:
        yield words[1:]
    elif words[:1] in (["torchrun"], ["srun"], ["python"]) and "mtcli" in words:
        yield words[words.index("mtcli") + 1 :]
