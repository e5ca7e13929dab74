"""The parser of Markdown: CommonMark with tables, footnotes, mathematics, and what site generators put between.

Its inline tokens know their sources, `token.meta["source"]`, so that what is written again is what was there.
"""

import re
from collections.abc import Callable

from mtcli.formats.documents.libraries import missing_library

try:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from mdit_py_plugins.footnote import footnote_plugin
except ImportError as error:
    raise missing_library("Markdown files", error.name or "markdown-it-py") from None

# Directives, shortcodes, attributes, tables of contents, imports of components: a line that is nothing else.
_VERBATIM = re.compile(
    r":::.*|!!!.*|\?\?\?.*|\{.*\}|\[\[?_?toc_?\]?\]|%%.*%%"
    r"|import\s.*\sfrom\s+['\"].*|import\s+['\"].*|export\s+(?:default|const|let|var|function|async)\b.*",
    re.IGNORECASE,
)
_SHORTCODE = re.compile(r"\{\{.*?\}\}+|\{%.*?%\}|\{[:#.][^{}\s][^{}]*\}", re.DOTALL)
_EMOJI = re.compile(r":[a-z][a-z0-9_+-]*:(?![\w:])")
_RECORDED = (
    *("link", "image", "backticks", "autolink", "escape", "newline", "math_inline", "footnote_inline", "footnote_ref"),
    *("shortcode", "emoji"),
)
InlineRule = Callable[[StateInline, bool], bool]


def parser() -> MarkdownIt:
    """Make a parser whose inline tokens know their sources."""
    made = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    made.use(footnote_plugin, move_to_end=False, always_match_refs=True)
    made.use(dollarmath_plugin, allow_labels=True, allow_space=False, allow_digits=False, allow_blank_lines=False)
    made.block.ruler.before(
        "reference", "verbatim", _verbatim, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    made.inline.ruler.before("escape", "shortcode", _rule("shortcode", "{", _SHORTCODE))
    made.inline.ruler.before("escape", "emoji", _rule("emoji", ":", _EMOJI))
    rules = zip(made.inline.ruler.get_active_rules(), made.inline.ruler.getRules(""), strict=True)
    for name, rule in [one for one in rules if one[0] in _RECORDED]:
        made.inline.ruler.at(name, _recorded(name, rule))
    return made


def _verbatim(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """A line that stays as it is."""
    line = state.src[state.bMarks[first] + state.tShift[first] : state.eMarks[first]]
    if state.is_code_block(first) or not _VERBATIM.fullmatch(line.rstrip()):
        return False
    if not silent:
        token = state.push("verbatim", "", 0)
        token.map, token.content = [first, first + 1], line
        state.line = first + 1
    return True


def _rule(name: str, begins: str, pattern: re.Pattern[str]) -> InlineRule:
    """A rule that takes what a pattern matches."""

    def rule(state: StateInline, silent: bool) -> bool:
        if state.src[state.pos] != begins or (name == "emoji" and state.src[state.pos - 1 : state.pos].isalnum()):
            return False
        match = pattern.match(state.src, state.pos, state.posMax)
        if not match:
            return False
        if not silent:
            state.push(name, "", 0).content = match[0]
        state.pos = match.end()
        return True

    return rule


def _recorded(name: str, rule: InlineRule) -> InlineRule:
    """The same rule; its tokens are told their sources."""

    def recording(state: StateInline, silent: bool) -> bool:
        if silent:
            return rule(state, True)
        start, first = state.pos, len(state.tokens)
        label_end = -1
        if name == "link" and state.src[start] == "[":
            label_end = state.md.helpers.parseLinkLabel(state, start, True)
        elif name == "image" and state.src.startswith("![", start):
            label_end = state.md.helpers.parseLinkLabel(state, start + 1, False)
        if not rule(state, False):
            return False
        source = state.src[start : state.pos]
        tokens = state.tokens[first:]
        if name in ("link", "image"):
            closing = tokens[-1]
            closing.meta["label"] = state.src[start + 1 + (name == "image") : label_end]
            closing.meta["rest"] = state.src[label_end + 1 : state.pos]
        elif name == "autolink":
            next(one for one in tokens if one.type == "link_open").meta["source"] = source
        elif tokens:
            tokens[-1].meta["source"] = source
        return True

    return recording
