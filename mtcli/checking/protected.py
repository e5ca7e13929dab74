"""Checks `url`, `email`, `placeholder` and `tag`: what must stand in the translation as it stands in the source."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from mtcli.checking.findings import Finding, Severity, quoted
from mtcli.checking.lines import Direction, LinePair
from mtcli.checking.spans import Span, SpanKind

URL, EMAIL, PLACEHOLDER, TAG = "url", "email", "placeholder", "tag"
# The language in an address: translations link to the page in their own.
_LANGUAGE_PART = re.compile(r"(?<=//)[a-z]{2}(?=\.)|(?<=/)[a-z]{2}(?:[-_][a-zA-Z]{2,4})?(?=/|$)")
_SCHEME = re.compile(r"^(?:https?://)?(?:www\.)?")
_ICU = re.compile(r"\{\s*(\w+)\s*,\s*(plural|select|selectordinal)\b")
_DOLLAR = re.compile(r"dollar|\$|USD|달러|ドル|美元", re.IGNORECASE)
_INNER_SPACE = re.compile(r"(?<=\{)\s+|\s+(?=\})")
_TAG_NAME = re.compile(r"</?\s*([\w:.-]+)")
# Names between angle brackets that a text may hold as well, such as <file>, are words to translate.
_HTML_NAMES = (
    "a abbr b big blockquote br button caption center cite code col dd del div dl dt em font footer form h1 h2 h3 "
    "h4 h5 h6 head header hr html i iframe img input ins kbd label li link mark nav ol option p pre q s samp script "
    "section select small span strike strong style sub summary sup table tbody td textarea tfoot th thead tr tt u "
    "ul var video"
)
_HTML = frozenset(_HTML_NAMES.split())


def _url_key(text: str) -> str:
    return _LANGUAGE_PART.sub("", _SCHEME.sub("", text)).rstrip("/")


def _placeholder_key(text: str) -> str:
    if match := _ICU.match(text):
        return f"{{{match[1]},{match[2]}}}"
    if text.startswith("{{") or "$" in text:  # where spaces at the ends mean nothing
        return _INNER_SPACE.sub("", text)
    return text


def _tag_key(text: str) -> str:
    match = _TAG_NAME.match(text)
    closing = "/" if text.startswith("</") else ""
    return closing + match[1].lower() if match else ""


_KEYS: Mapping[SpanKind, tuple[str, Callable[[str], str]]] = {
    SpanKind.URL: (URL, _url_key),
    SpanKind.EMAIL: (EMAIL, str.lower),
    SpanKind.PLACEHOLDER: (PLACEHOLDER, _placeholder_key),
    SpanKind.TAG: (TAG, _tag_key),
}
_PLURALS = {URL: "s", EMAIL: "es", PLACEHOLDER: "s", TAG: "s"}
_NOUNS = {URL: "URL", EMAIL: "e-mail address", PLACEHOLDER: "placeholder", TAG: "tag"}


def find_changed(lines: LinePair, direction: Direction) -> list[Finding]:
    """Find protected pieces that one side has and the other has not, or not as often; their order is free."""
    src, tgt = lines.src_spans, lines.tgt_spans
    if not src and not tgt:
        return []
    findings = []
    for kind, (check, key) in _KEYS.items():
        ours, theirs = ([span for span in spans if span.kind is kind] for spans in (src, tgt))
        if not ours and not theirs:
            continue
        if kind is SpanKind.TAG:
            ours, theirs = _tags_only(ours), _tags_only(theirs)
        missing, added = _beyond(ours, theirs, key), _beyond(theirs, ours, key)
        # What was taken for another kind in the other line, as a URL with a quotation mark less, may be there as it is.
        missing = [span for span in missing if lines.target.count(span.text) < lines.source.count(span.text)]
        added = [span for span in added if lines.source.count(span.text) < lines.target.count(span.text)]
        if kind is SpanKind.PLACEHOLDER:
            missing, added = _no_amounts(missing, lines.target), _no_amounts(added, lines.source)
        if missing or added:
            findings.append(_finding(check, missing, added))
    return findings


def _beyond(spans: Sequence[Span], others: Sequence[Span], key: Callable[[str], str]) -> list[Span]:
    left = Counter(key(span.text) for span in others)
    beyond = []
    for span in spans:
        name = key(span.text)
        if left[name]:
            left[name] -= 1
        else:
            beyond.append(span)
    return beyond


def _no_amounts(spans: Sequence[Span], other: str) -> list[Span]:
    """Those that are no dollars: $2 is an amount where the other line has the number in another way."""
    return [span for span in spans if not (span.text[0] == "$" and span.text[1].isdecimal() and _DOLLAR.search(other))]


def _tags_only(spans: Sequence[Span]) -> list[Span]:
    """Those that are surely tags: of HTML, with an end, a slash or attributes, or numbered."""
    closed = {_tag_key(span.text)[1:] for span in spans if span.text.startswith("</")}
    return [
        span
        for span in spans
        if (name := _tag_key(span.text).removeprefix("/")) in _HTML
        or name in closed
        or name.isdecimal()
        or span.text.endswith("/>")
        or "=" in span.text
    ]


def _finding(check: str, missing: Sequence[Span], added: Sequence[Span]) -> Finding:
    if len(missing) == len(added) == 1:
        message = f"the {_NOUNS[check]} {quoted(missing[0].text)} became {quoted(added[0].text)}"
    else:
        parts = [
            f"the {_NOUNS[check]}{'' if len(spans) == 1 else _PLURALS[check]} "
            f"{', '.join(quoted(span.text) for span in spans)} {'is' if len(spans) == 1 else 'are'} {what}"
            for spans, what in ((missing, "missing"), (added, "not in the source"))
            if spans
        ]
        message = "; ".join(parts)
    src, tgt = (tuple((span.start, span.end) for span in spans) for spans in (missing, added))
    return Finding(check, Severity.ERROR, message, src, tgt)
