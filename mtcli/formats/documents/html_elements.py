"""Where elements of HTML end: many need no end tag, and end where something begins that cannot be in them."""

from collections import Counter
from collections.abc import Sequence

from mtcli.formats.documents.xml_source import Token, TokenKind

_NAMES = """
address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5
h6 header hgroup hr main menu nav ol p pre section summary table ul
"""
_BLOCKS = frozenset(_NAMES.split())
_ROWS, _GROUPS = frozenset({"tr"}), frozenset({"tbody", "thead", "tfoot"})
_ENDED_BY = {
    "p": _BLOCKS,
    "li": frozenset({"li"}),
    "dt": frozenset({"dt", "dd"}),
    "dd": frozenset({"dt", "dd"}),
    "td": frozenset({"td", "th"}) | _ROWS | _GROUPS,
    "th": frozenset({"td", "th"}) | _ROWS | _GROUPS,
    "tr": _ROWS | _GROUPS,
    **dict.fromkeys(_GROUPS, _GROUPS),
    "option": frozenset({"option", "optgroup"}),
    "optgroup": frozenset({"optgroup"}),
}
"""Elements without need of an end tag, and what begins behind them."""
_AROUND = _BLOCKS | frozenset(_ENDED_BY) | {"body", "html", "select", "datalist"}


def end_of_element(row: Sequence[Token], start: int) -> int:
    """The place behind the end of the element that begins at a place; of the page, where nothing ends it."""
    waiting = [row[start].name]
    inside = Counter(waiting)
    for place in range(start + 1, len(row)):
        token = row[place]
        if token.kind is TokenKind.START:
            while waiting and token.name in _ENDED_BY.get(waiting[-1], ()):
                inside[waiting.pop()] -= 1
            if not waiting:
                return place
            waiting.append(token.name)
            inside[token.name] += 1
        elif token.kind is TokenKind.END and inside[token.name]:
            while (last := waiting.pop()) != token.name:
                inside[last] -= 1
            inside[last] -= 1
            if not waiting:
                return place + 1
        elif token.kind is TokenKind.END and waiting[0] in _ENDED_BY and token.name in _AROUND:
            return place
    return len(row)
