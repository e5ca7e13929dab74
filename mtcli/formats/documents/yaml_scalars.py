"""The scalars of YAML, with their places in a text, and how a text is written in their place.

What is written has the style of what was there: plain, quoted, literal or folded. Where that style cannot hold a text,
it is quoted.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from mtcli.formats.documents.libraries import missing_library
from mtcli.formats.documents.model import Segment
from mtcli.formats.documents.source_text import Slot, SourceText, edges, is_text, text_slot
from mtcli.formats.documents.wrapping import width_of, wrap

try:
    import yaml
except ImportError:
    raise missing_library("YAML files", "pyyaml") from None

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's where it is: many times as quick
_STRING_TAGS = (None, "!", "tag:yaml.org,2002:str")
_PROPERTIES = re.compile(r"(?:(?:&\S+|!\S*)(?:\s+|$))*")
_HEADER = re.compile(r"[|>][^\n]*\n")
_INDENT = re.compile(r"^[ ]*(?=\S)", re.MULTILINE)
_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_PLAIN = re.compile(r"(?:[^\s\-?:,\[\]{}#&*!|>'\"%@`=<]|[-?:](?=[^\s,\[\]{}]))[^\n\t]*")
_NOT_PLAIN = re.compile(r":(?:\s|$)|\s#|\s$|^(?:---|\.\.\.)")
_NEWLINES = re.compile(r"\n+")
_IN_QUOTES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_TO_QUOTE = re.compile(rf'[\\"\n\t]|{_UNPRINTABLE.pattern}')


@dataclass(frozen=True, slots=True)
class Scalar:
    """Hold one scalar.

    Attributes:
        start, end: where it is in the text, its tag and anchor included.
        value: what it says.
        style: what it begins with: `'`, `"`, `|`, `>`; empty where it is plain.
        is_string: whether it is text, and no number, truth or date.
        path: keys and indices that lead to it; of a key, those that lead to its mapping.
        name: the path as one text, once a file.
        is_key: whether it is a key.
        has_mapping: of a key, whether its value is a mapping.
        in_flow: whether it is inside brackets.
    """

    start: int
    end: int
    value: str
    style: str
    is_string: bool
    path: tuple[str, ...]
    name: str
    is_key: bool = False
    has_mapping: bool = False
    in_flow: bool = False


@dataclass(slots=True)
class _Level:
    """Hold a collection that is being read: its latest key, and whether the next is one."""

    is_mapping: bool
    is_flow: bool
    is_key: bool
    key: str = ""
    awaits_key: bool = True
    count: int = 0
    seen: dict[str, int] = field(default_factory=dict)

    def named(self, key: str) -> str:
        """The key, told from others of the same name."""
        self.seen[key] = self.seen.get(key, 0) + 1
        return key if self.seen[key] == 1 else f"{key}#{self.seen[key]}"


def scalars(text: SourceText, start: int, end: int) -> Iterator[Scalar]:
    """Yield the keys and the values that are scalars, in order.

    Raises:
        DataError: the text is not YAML; names the line.
    """
    try:
        yield from _scalars(yaml.parse(text.text[start:end], Loader=_LOADER), start)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = start + (mark.index if mark else 0)
        raise text.error(place, f"this is not YAML: {error.problem or error.context}. Mend the file.") from None
    except yaml.YAMLError as error:
        place = start + getattr(error, "position", 0)
        raise text.error(place, f"this is not YAML: {str(error).splitlines()[0]}. Mend the file.") from None
    except RecursionError:
        raise text.error(start, "the file nests too deeply to be read as YAML.") from None


def _scalars(events: Iterator[yaml.Event], offset: int) -> Iterator[Scalar]:
    levels: list[_Level] = []
    documents = 0
    waiting: tuple[yaml.ScalarEvent, tuple[str, ...], str] | None = None  # a key whose value is not known yet
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if waiting is not None:
            key, path, name = waiting
            yield _scalar(key, offset, path, name, is_key=True, has_mapping=isinstance(event, yaml.MappingStartEvent))
            waiting = None
        level = levels[-1] if levels else None
        is_key = level is not None and level.is_mapping and level.awaits_key
        if isinstance(event, yaml.CollectionStartEvent):
            _enter(level, is_key, "?")
            is_within_key = is_key or (level is not None and level.is_key)
            is_flow = bool(event.flow_style) or (level is not None and level.is_flow)
            levels.append(_Level(isinstance(event, yaml.MappingStartEvent), is_flow, is_within_key))
        elif isinstance(event, yaml.CollectionEndEvent):
            levels.pop()
        elif isinstance(event, yaml.AliasEvent):
            _enter(level, is_key, "*")
        elif isinstance(event, yaml.ScalarEvent):
            path = tuple(one.key for one in levels[:-1])
            _enter(level, is_key, event.value)
            name = _name((*path, level.key) if level else path, documents)
            if is_key:
                waiting = (event, path, name)
            elif level is None or not level.is_key:
                path = (*path, level.key) if level else path
                yield _scalar(event, offset, path, name, in_flow=level is not None and level.is_flow)


def _enter(level: _Level | None, is_key: bool, key: str) -> None:
    """Go on in a collection: to a key, to its value, or to the next item."""
    if level is None:
        return
    if not level.is_mapping:
        level.key = str(level.count)
        level.count += 1
        return
    if is_key:
        level.key = level.named(key)
    level.awaits_key = not level.awaits_key


def _name(path: Sequence[str], document: int) -> str:
    name = "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path) or "/"
    return name if document < 2 else f"{document}:{name}"


def _scalar(
    event: yaml.ScalarEvent,
    offset: int,
    path: tuple[str, ...],
    name: str,
    *,
    is_key: bool = False,
    has_mapping: bool = False,
    in_flow: bool = False,
) -> Scalar:
    style = event.style or ""
    is_string = event.tag in _STRING_TAGS and (bool(style) or event.tag is not None or is_plain_text(event.value))
    assert event.start_mark is not None and event.end_mark is not None
    start, end = offset + event.start_mark.index, offset + event.end_mark.index
    return Scalar(start, end, event.value, style, is_string, path, name, is_key, has_mapping, in_flow)


def is_plain_text(value: str) -> bool:
    """Whether a plain scalar is text: no number, truth, date or nothing."""
    resolvers = yaml.SafeLoader.yaml_implicit_resolvers
    candidates = (*resolvers.get(value[:1], ()), *resolvers.get(None, ()))
    return not any(pattern.match(value) for _, pattern in candidates)


def scalar_slots(
    text: SourceText, start: int, end: int, wants: Callable[[Sequence[str]], bool], name: str = ""
) -> Iterator[Slot]:
    """Yield a slot for each value that is text and whose path is wanted; ids begin with `name`."""
    for scalar in scalars(text, start, end):
        if not scalar.is_key and wants(scalar.path) and (slot := slot_of(text, scalar, name)) is not None:
            yield slot


def slot_of(text: SourceText, scalar: Scalar, name: str = "") -> Slot | None:
    """A value's slot; None where it holds no text."""
    if not scalar.is_string or not is_text(scalar.value):
        return None
    before, core, after = edges(scalar.value)
    segment = Segment(id=name + scalar.name, content=(core,))
    return text_slot(scalar.start, scalar.end, segment, lambda new: written(text, scalar, before + new + after))


def written(text: SourceText, scalar: Scalar, value: str) -> str:
    """A scalar with another value: in its style where that holds it, else quoted."""
    raw = text.text[scalar.start : scalar.end]
    match = _PROPERTIES.match(raw)
    properties = match[0] if match else ""
    raw = raw[len(properties) :]
    if scalar.style in ("|", ">"):
        candidate = _block(raw, scalar, value, text.newline)
    elif scalar.style == "'":
        candidate = None if "\n" in value or _UNPRINTABLE.search(value) else "'" + value.replace("'", "''") + "'"
    elif scalar.style == '"':
        candidate = None
    else:
        candidate = value if _is_plain(value, scalar.in_flow) else None
    if candidate is None or not _says(candidate, value, scalar.in_flow):
        # What is after a block's last line belongs to it, and its end to the file.
        candidate = _quoted(value) + (text.newline if scalar.style in ("|", ">") and raw.endswith("\n") else "")
    return properties + candidate


def _quoted(value: str) -> str:
    def escape(match: re.Match[str]) -> str:
        number = ord(match[0])
        return _IN_QUOTES.get(match[0]) or (f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}")

    return '"' + _TO_QUOTE.sub(escape, value) + '"'


def _is_plain(value: str, in_flow: bool) -> bool:
    if in_flow and re.search(r"[,\[\]{}]", value):
        return False
    is_possible = _PLAIN.fullmatch(value) and not _NOT_PLAIN.search(value) and not _UNPRINTABLE.search(value)
    return bool(is_possible) and is_plain_text(value)


def _block(raw: str, scalar: Scalar, value: str, newline: str) -> str | None:
    """A literal or folded scalar; None where it cannot hold the value."""
    header, core = _HEADER.match(raw), value.rstrip("\n")
    if header is None or not core.strip() or value[len(core) :] != scalar.value[len(scalar.value.rstrip("\n")) :]:
        return None
    body = raw[header.end() :]
    first = _INDENT.search(body)
    if first is None or _UNPRINTABLE.search(value) or core.endswith((" ", "\t")):
        return None
    lead = len(scalar.value.lstrip("\n")) - len(scalar.value.lstrip("\n").lstrip(" "))
    indent = " " * (len(first[0]) - lead)
    if core.startswith(("\n", " ", "\t")):
        return None
    lines = core.split("\n") if scalar.style == "|" else _folded(core, body, len(indent))
    if lines is None:
        return None
    end = body[len(body.rstrip()) :]
    return header[0] + newline.join(indent + line if line.strip() else "" for line in lines) + end


def _folded(core: str, body: str, indent: int) -> list[str] | None:
    """Lines of a folded scalar, as wide as they were; None where a line begins with a space, which means another."""
    old = [line for line in body.splitlines() if line.strip()]
    width = max(map(width_of, old)) - indent if len(old) > 1 else 1 << 30
    lines: list[str] = []
    for line in _NEWLINES.sub(r"\g<0>\n", core).split("\n"):  # where a single one would be a space
        if line.startswith((" ", "\t")):
            return None
        lines += [line] if "  " in line else wrap(line, width)
    return lines


def _says(candidate: str, value: str, in_flow: bool) -> bool:
    """Whether what is written says the value."""
    try:
        found = yaml.load(f"- [{candidate}]" if in_flow else f"- {candidate}", Loader=_LOADER)
    except yaml.YAMLError:
        return False
    return bool(found == ([[value]] if in_flow else [value]))
