"""A report as one page of HTML that needs nothing else: no other file, no other host."""

from collections.abc import Sequence
from html import escape

from mtcli.checking.checker import CHECKS
from mtcli.checking.findings import Where
from mtcli.checking.reports.entries import CheckTally, FlaggedLine, ReportHead, in_pieces, visible

_FINDS = {check.name: check.finds for check in CHECKS}
_STYLE = """
:root { color-scheme: light dark; --ink: #1d2230; --soft: #667085; --paper: #fff; --card: #f6f7f9; --rule: #e1e4ea;
  --error: #b42318; --error-mark: #ffd9d4; --warning: #93590a; --warning-mark: #ffeab8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e9ee; --soft: #98a2b3; --paper: #14171d; --card: #1d2129;
  --rule: #333945; --error: #ff8f82; --error-mark: #6b241c; --warning: #f2c063; --warning-mark: #5c4310; } }
* { box-sizing: border-box; }
body { display: flex; flex-direction: column; margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 4rem;
  font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
header { order: 1; } #summary { order: 2; } main { order: 3; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
header p { margin: 0; color: var(--soft); }
#summary { margin: 1.25rem 0; padding-bottom: 1.25rem; border-bottom: 1px solid var(--rule); }
#summary p { margin: 0 0 .75rem; font-size: 1.125rem; }
#summary label { display: inline-flex; gap: .4rem; align-items: center; margin: 0 .5rem .5rem 0; padding: .2rem .7rem;
  border: 1px solid var(--rule); border-radius: 1rem; font-size: .9rem; cursor: pointer; }
#summary b { font-variant-numeric: tabular-nums; }
article { background: var(--card); border-radius: .5rem; padding: .8rem 1rem 1rem; margin: 0 0 .9rem; }
article h2 { font-size: .85rem; font-weight: 600; color: var(--soft); margin: 0 0 .3rem; }
ul { list-style: none; margin: 0 0 .6rem; padding: 0; }
li { overflow-wrap: anywhere; }
li b { color: var(--warning); } li.error b { color: var(--error); }
dl { display: grid; grid-template-columns: 4rem 1fr; gap: .3rem .5rem; margin: 0; }
dt { color: var(--soft); font-size: .85rem; line-height: 1.75; }
dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
mark { color: inherit; background: var(--warning-mark); border-radius: .2rem; padding: 0 .1rem; }
article.error mark { background: var(--error-mark); }
[hidden] { display: none; }
"""
_SCRIPT = """
const boxes = [...document.querySelectorAll("#summary input")];
function show() {
  const on = new Set(boxes.filter(box => box.checked).map(box => box.value));
  for (const line of document.querySelectorAll("article")) {
    let any = false;
    for (const one of line.querySelectorAll("li")) { one.hidden = !on.has(one.dataset.check); any ||= !one.hidden; }
    line.hidden = !any;
  }
}
for (const box of boxes) box.addEventListener("change", show);
"""


class HtmlReport:
    """Write one page; what was counted stands at its top, though it is written at its end."""

    def begin(self, head: ReportHead) -> str:
        """All that stands before the lines."""
        self._languages = head.pair
        title = escape(f"{head.source} and {head.target}" if head.source != head.target else head.source)
        direction = " to ".join(filter(None, head.pair)) if all(head.pair) else "languages not given"
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>Translation check: {title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
            f"<header><h1>{title}</h1><p>mtcli check, {escape(direction)}</p></header>\n<main>\n"
        )

    def go_on(self, head: ReportHead, tally: CheckTally) -> None:
        """The languages."""
        self._languages = head.pair

    def add(self, flagged: FlaggedLine) -> str:
        """One line with its findings."""
        found = "".join(
            f'<li class="{one.severity.value}" data-check="{one.check}"><b>{one.check}</b> '
            f"{escape(visible(one.message))}</li>"
            for one in flagged.findings
        )
        source = _marked(flagged.source, [where for one in flagged.findings for where in one.source])
        target = _marked(flagged.target, [where for one in flagged.findings for where in one.target])
        grave = "error" if flagged.is_grave else "warning"
        src, tgt = (f' lang="{escape(code)}"' if code else "" for code in self._languages)
        return (
            f'<article class="{grave}" id="line-{flagged.number}"><h2>line {flagged.number:,}</h2><ul>{found}</ul>'
            f'<dl><dt>source</dt><dd dir="auto"{src}>{source}</dd><dt>target</dt><dd dir="auto"{tgt}>{target}</dd></dl>'
            "</article>\n"
        )

    def end(self, tally: CheckTally) -> str:
        """What was counted, with a switch for each check."""
        share = f" ({tally.flagged / tally.lines:.1%})" if tally.flagged else ""
        sentence = f"<b>{tally.lines:,}</b> lines checked, <b>{tally.flagged:,}</b> flagged{share}"
        switches = "".join(
            f'<label title="{escape(_FINDS[name])}"><input type="checkbox" value="{name}" checked>{name} '
            f"<b>{count:,}</b></label>"
            for name, count in tally.checks.most_common()
        )
        return (
            f'</main>\n<section id="summary"><p>{sentence}</p>{switches}</section>\n'
            f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"
        )


def _marked(line: str, wheres: Sequence[Where]) -> str:
    return "".join(
        f"<mark>{escape(visible(piece))}</mark>" if is_marked else escape(visible(piece))
        for piece, is_marked in in_pieces(line, wheres)
    )
