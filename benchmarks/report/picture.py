"""A still picture of a terminal, in SVG: commands and what they really printed.

Its frame and letters suit light pages and dark ones; the same lines give the same bytes.
"""

from collections.abc import Sequence
from html import escape

COLUMNS = 92  # characters; longer lines go on below
FONT_SIZE, LINE_HEIGHT, LETTER_WIDTH = 14, 20, 8.43
MARGIN, BAR = 18, 34
BUTTONS = ("#ff5f57", "#febc2e", "#28c840")
COLOURS = {"prompt": "#7ee787", "command": "#ffffff", "said": "#c9d1d9", "left out": "#8b949e"}


def terminal(lines: Sequence[str]) -> str:
    """Return the picture of these lines; those that begin with `$ ` are commands."""
    shown = [piece for line in lines for piece in _folded(line)]
    width = round(2 * MARGIN + COLUMNS * LETTER_WIDTH)
    height = BAR + 2 * MARGIN + LINE_HEIGHT * len(shown)
    buttons = "".join(
        f'<circle cx="{MARGIN + 6 + 20 * place}" cy="{BAR / 2:g}" r="6" fill="{colour}"/>'
        for place, colour in enumerate(BUTTONS)
    )
    rows = "\n".join(
        _row(text, kind, BAR + MARGIN + LINE_HEIGHT * place + FONT_SIZE) for place, (text, kind) in enumerate(shown)
    )
    commands = escape("; ".join(line[2:] for line in lines if line.startswith("$ ")), quote=True)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" \
width="{width}" height="{height}" role="img" aria-label="A terminal: {commands}">
<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="9" fill="#0d1117" stroke="#6e7681"/>
<path d="M0.5 {BAR}H{width - 0.5}" stroke="#30363d"/>
{buttons}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace" \
font-size="{FONT_SIZE}" xml:space="preserve">
{rows}
</g>
</svg>
"""


def _folded(line: str) -> list[tuple[str, str]]:
    """Pieces of a line that fit, and what kind they are."""
    line = line.expandtabs()
    kind = "command" if line.startswith("$ ") else "left out" if line == "..." else "said"
    pieces = [line[start : start + COLUMNS] for start in range(0, len(line), COLUMNS)] or [""]
    return [(piece, kind if place == 0 or kind != "command" else "said") for place, piece in enumerate(pieces)]


def _row(text: str, kind: str, y: int) -> str:
    if kind == "command":
        prompt = f'<tspan fill="{COLOURS["prompt"]}">$ </tspan>'
        return f'<text x="{MARGIN}" y="{y}" fill="{COLOURS[kind]}" font-weight="600">{prompt}{escape(text[2:])}</text>'
    return f'<text x="{MARGIN}" y="{y}" fill="{COLOURS[kind]}">{escape(text)}</text>'
