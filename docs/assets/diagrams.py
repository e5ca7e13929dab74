"""Draw the diagrams of the explanation pages; both languages of a diagram share one geometry.

python docs/assets/diagrams.py            rewrite the SVG files beside this script
python docs/assets/diagrams.py --check    change nothing; exit 1 if one is out of date

A diagram brings its own background, which follows the reader's light or dark setting.
"""

import argparse
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "kernels"))

from mtcli_native.targets import AVX512  # noqa: E402  (found by the line above)

STYLE = """\
text { font: 14px system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans KR", "Noto Sans CJK KR", sans-serif;
       fill: #1f2937; }
.title { font-weight: 600; font-size: 15px; }
.small { font-size: 12.5px; fill: #4b5563; }
.inverse { fill: #ffffff; font-weight: 600; font-size: 12px; }
.page { fill: #ffffff; stroke: #d1d5db; }
.frame { fill: #f8fafc; stroke: #94a3b8; }
.plain { fill: #eef2f7; stroke: #64748b; }
.own { fill: #dbeafe; stroke: #2563eb; }
.source { fill: #ffedd5; stroke: #c2570c; }
.own-line { stroke: #2563eb; } .own-tip, .own-dot { fill: #2563eb; }
.source-line { stroke: #c2570c; } .source-tip, .source-dot { fill: #c2570c; }
.plain-line { stroke: #475569; } .plain-tip { fill: #475569; }
rect { stroke-width: 1.5; }
path { fill: none; stroke-width: 1.8; }
.cached { stroke-dasharray: 5 3; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e5e7eb; }
  .small { fill: #aeb8c6; }
  .inverse { fill: #0b1220; }
  .page { fill: #10161f; stroke: #374151; }
  .frame { fill: #161e2a; stroke: #64748b; }
  .plain { fill: #232d3b; stroke: #94a3b8; }
  .own { fill: #16305c; stroke: #60a5fa; }
  .source { fill: #4a2a10; stroke: #fb923c; }
  .own-line { stroke: #60a5fa; } .own-tip, .own-dot { fill: #60a5fa; }
  .source-line { stroke: #fb923c; } .source-tip, .source-dot { fill: #fb923c; }
  .plain-line { stroke: #94a3b8; } .plain-tip { fill: #94a3b8; }
}
"""

KINDS = ("own", "source", "plain")
LINE_HEIGHT = 18

LAYER_ENGLISH = {
    "name": "One decoder layer: where q, k and v come from, and what is cached",
    "source": ["source sentence"],
    "encoder": ["encoder", "reads the whole sentence"],
    "memory": ["memory", "the encoder's top layer,", "one vector a source token"],
    "others": ["the other decoder layers read", "the same memory, each through", "its own W_k and W_v"],
    "frame": "one decoder layer (each has matrices of its own)",
    "x": "newest target token, x",
    "self": ["masked", "self-attention"],
    "self_cache": ["cache: one row more", "at every step"],
    "cross": ["encoder-decoder", "attention"],
    "cross_cache": ["cache: filled once", "per sentence"],
    "attend": "softmax(q kᵀ / √D) v, then W_o",
    "ffn": "feed-forward",
    "add": "add, norm",
    "out": "to the next layer; after the last, logits",
    "legend": ["from the decoder", "from the encoder", "dashed: kept between steps"],
}
LAYER_KOREAN = {
    "name": "디코더 층 하나: q, k, v가 어디서 오고 무엇이 캐시에 남는가",
    "source": ["원문 문장"],
    "encoder": ["인코더", "문장 전체를 읽음"],
    "memory": ["메모리(memory)", "인코더 최상위 층의 출력,", "원문 토큰마다 벡터 하나"],
    "others": ["다른 디코더 층도 같은 메모리를", "저마다의 W_k, W_v로 읽음"],
    "frame": "디코더 층 하나 (행렬은 층마다 따로)",
    "x": "가장 최근에 쓴 토큰 x",
    "self": ["마스크드", "셀프 어텐션"],
    "self_cache": ["캐시: 스텝마다", "한 행씩 추가"],
    "cross": ["인코더-디코더", "어텐션"],
    "cross_cache": ["캐시: 문장마다", "한 번만 계산"],
    "attend": "softmax(q kᵀ / √D) v, 그다음 W_o",
    "ffn": "피드포워드",
    "add": "덧셈, 정규화",
    "out": "다음 층으로 (마지막 층 뒤에는 로짓)",
    "legend": ["디코더에서 온 것", "인코더에서 온 것", "점선: 다음 스텝까지 보관"],
}


class Drawing:
    """Collects the elements of one SVG file."""

    def __init__(self, width: int, height: int, name: str) -> None:
        self._size, self._name = (width, height), name
        self._elements = [f'<rect class="page" x="1" y="1" width="{width - 2}" height="{height - 2}" rx="12"/>']

    def text(self, x: float, y: float, words: str, style: str = "", anchor: str = "middle") -> None:
        """Write words whose baseline is at y."""
        self._elements.append(
            f'<text class="{style}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    def box(
        self, x: float, y: float, width: float, height: float, lines: Sequence[str] = (), style: str = "plain"
    ) -> None:
        """Draw a box with centred lines, of which the first is a title where there are several."""
        self._elements.append(
            f'<rect class="{style}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="7"/>'
        )
        baseline = y + height / 2 + 5 - LINE_HEIGHT * (len(lines) - 1) / 2
        for number, line in enumerate(lines):
            style_of_line = "" if len(lines) == 1 else "title" if number == 0 else "small"
            self.text(x + width / 2, baseline + LINE_HEIGHT * number, line, style_of_line)

    def arrow(self, *points: tuple[float, float], kind: str = "plain", tip: bool = True) -> None:
        """Draw a line through points, with a tip at the last."""
        way = " L ".join(f"{x:g} {y:g}" for x, y in points)
        end = f' marker-end="url(#{kind})"' if tip else ""
        self._elements.append(f'<path class="{kind}-line" d="M {way}"{end}/>')

    def badge(self, x: float, y: float, number: int, kind: str) -> None:
        """Draw a numbered dot."""
        self._elements.append(f'<circle class="{kind}-dot" cx="{x:g}" cy="{y:g}" r="11"/>')
        self.text(x, y + 4.5, str(number), "inverse")

    def svg(self) -> str:
        """The file's content."""
        width, height = self._size
        tips = "".join(
            f'<marker id="{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
            f'markerUnits="userSpaceOnUse" orient="auto"><polygon class="{kind}-tip" points="0,0 8,4 0,8"/></marker>\n'
            for kind in KINDS
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" aria-label="{escape(self._name)}">\n<title>{escape(self._name)}</title>\n'
            f"<style>\n{STYLE}</style>\n<defs>\n{tips}</defs>\n" + "\n".join(self._elements) + "\n</svg>\n"
        )


def decoder_layer(words: dict[str, str | list[str]]) -> str:
    """Draw the two attentions of a decoder layer and their caches."""
    one = {key: value for key, value in words.items() if isinstance(value, str)}
    many = {key: value for key, value in words.items() if not isinstance(value, str)}
    drawing = Drawing(860, 640, one["name"])
    drawing.box(270, 52, 570, 530, style="frame")
    drawing.text(282, 76, one["frame"], "title", anchor="start")
    spine = 770
    drawing.text(840, 32, one["x"], anchor="end")
    _encoder_side(drawing, many)
    for top, key, kind in ((96, "self", "own"), (290, "cross", "source")):
        _attention(drawing, top, kind, many[key], many[f"{key}_cache"], one["attend"])
    drawing.box(450, 490, 230, 36, [one["ffn"]])
    drawing.arrow((spine, 478), (spine - 60, 478), (spine - 60, 508), (681, 508), kind="plain")
    # The spine: what is added to by every sublayer
    stops = (232, 426, 546)
    drawing.arrow((spine, 40), (spine, stops[0] - 1), kind="own")
    for before, after in zip(stops, (stops[1], stops[2], 606), strict=True):
        drawing.arrow((spine, before + 28), (spine, after - 1), kind="own")
    for stop in stops:
        drawing.box(spine - 50, stop, 100, 28, [one["add"]])
    drawing.arrow((681, 246), (719, 246))
    drawing.arrow((681, 440), (719, 440))
    drawing.arrow((565, 527), (565, 560), (719, 560))
    drawing.text(840, 626, one["out"], anchor="end")
    return drawing.svg()


def _encoder_side(drawing: Drawing, words: dict[str, list[str]]) -> None:
    drawing.box(30, 96, 210, 34, words["source"], "source")
    drawing.arrow((135, 131), (135, 159), kind="source")
    drawing.box(30, 160, 210, 56, words["encoder"], "source")
    drawing.arrow((135, 217), (135, 269), kind="source")
    drawing.box(30, 270, 210, 76, words["memory"], "source")
    drawing.arrow((135, 347), (135, 383), kind="source")
    for number, line in enumerate(words["others"]):
        drawing.text(135, 402 + LINE_HEIGHT * number, line, "small")
    for number, (line, style) in enumerate(zip(words["legend"], ("own", "source", "frame cached"), strict=True)):
        drawing.box(30, 500 + 30 * number, 26, 18, style=style)
        drawing.text(66, 514 + 30 * number, line, "small", anchor="start")


def _attention(
    drawing: Drawing, top: float, kind: str, title: Sequence[str], cache: Sequence[str], attend: str
) -> None:
    """One attention whose keys and values come from `kind`; its queries always come from the decoder."""
    q, k, v = 640, 545, 465
    for number, line in enumerate(title):
        drawing.text(282, top + 90 + LINE_HEIGHT * number, line, "title", anchor="start")
    bar = top + 8
    drawing.arrow((770, bar), (q, bar), (q, top + 25), kind="own")
    if kind == "own":
        drawing.arrow((q, bar), (k, bar), (k, top + 25), kind="own")
        drawing.arrow((k, bar), (v, bar), (v, top + 25), kind="own")
    else:
        drawing.arrow((241, bar), (v, bar), (v, top + 25), kind="source")
        drawing.arrow((v, bar), (k, bar), (k, top + 25), kind="source")
    for x, name, style in ((q, "W_q", "own"), (k, "W_k", kind), (v, "W_v", kind)):
        drawing.box(x - 30, top + 26, 60, 28, [name], style)
    drawing.box(v - 37, top + 72, k - v + 74, 46, style=f"{kind} cached")
    for number, line in enumerate(cache):
        drawing.text((k + v) / 2, top + 92 + 17 * number, line, "small")
    for x, name in ((k, "k"), (v, "v")):
        drawing.arrow((x, top + 55), (x, top + 71), kind=kind)
        drawing.text(x + 12, top + 67, name, "small")
        drawing.arrow((x, top + 119), (x, top + 135), kind=kind)
    drawing.arrow((q, top + 55), (q, top + 135), kind="own")
    drawing.text(q + 12, top + 100, "q", "small")
    drawing.box(415, top + 136, 265, 30, [attend])


PACKAGES = (  # top, height, then each package's left edge, width and lines
    (64, 58, ((30, 840, ("cli, doctor", "one module a command; what is wrong here, and what to do")),)),
    (
        150,
        80,
        (
            (30, 130, ("formats", "records in,", "records out")),
            (170, 140, ("jobs", "files that a kill", "cannot spoil")),
            (320, 170, ("training", "loop, steps,", "checkpoints")),
            (500, 130, ("evaluation", "BLEU, chrF, TER", "and signatures")),
            (640, 230, ("interop, serve, demo, bench", "import and export; over HTTP;", "the tour; measuring")),
        ),
    ),
    (
        258,
        58,
        (
            (30, 620, ("decoding", "lines to translations: clean, split, search, repair")),
            (660, 210, ("documents", "what a segment must keep")),
        ),
    ),
    (
        344,
        58,
        (
            (30, 410, ("model", "the network: layers, attention, cache")),
            (450, 420, ("model_directory", "a model on the disk; the model in the box")),
        ),
    ),
    (
        430,
        58,
        (
            (30, 230, ("data", "corpora to batches")),
            (270, 170, ("checking", "faults of translations")),
            (450, 420, ("config, files, errors, devices, processors", "settings, whole files, sentences for errors")),
        ),
    ),
    (
        540,
        58,
        ((30, 840, ("kernels/mtcli_kernels", "attention, search step, loss: a definition, and fast forms")),),
    ),
)
TRANSLATING = ((60, 93), (48, 172), (188, 172), (60, 287), (60, 373), (60, 569), (112, 287), (292, 172))
TRAINING = ((810, 93), (232, 459), (338, 172), (412, 373), (810, 569), (472, 172), (620, 287), (842, 373))


def architecture() -> str:
    """Draw the packages, the direction of imports and the stations of both paths."""
    drawing = Drawing(900, 622, "The packages of mtcli, and the stations of translating and of training in them")
    for x, kind, words in ((30, "source", "translating, station by station"), (330, "own", "training")):
        drawing.badge(x + 12, 36, 1, kind)
        drawing.text(x + 32, 41, words, anchor="start")
    drawing.text(870, 41, "imports point down only", "small", anchor="end")
    for number, (top, height, packages) in enumerate(PACKAGES):
        for left, width, lines in packages:
            drawing.box(left, top, width, height, lines)
        if number:
            above = PACKAGES[number - 1]
            drawing.arrow((450, above[0] + above[1] + 1), (450, top - 1))
    drawing.text(470, 518, "the kernels import nothing of mtcli", "small", anchor="start")
    for kind, stations in (("source", TRANSLATING), ("own", TRAINING)):
        for number, (x, y) in enumerate(stations, start=1):
            drawing.badge(x, y, number, kind)
    return drawing.svg()


def native_tile() -> str:
    """Draw a matrix tile of the CPU's kernels: what lies in registers, and what a step over k loads."""
    target = AVX512
    rows, panel = target.tile_rows, target.panel
    sums = rows * target.tile_registers
    drawing = Drawing(860, 420, "A tile of a matrix product: its sums stay in registers while k goes by")
    drawing.box(300, 40, 500, 76, style="source")
    drawing.text(550, 64, f"panel of weights, [k][{panel}]", "title")
    drawing.text(550, 86, f"a step loads one row of it: {target.tile_registers} registers", "small")
    drawing.text(550, 106, "and goes on to the next; memory is read in order", "small")
    drawing.box(40, 150, 220, 200, style="own")
    drawing.text(150, 180, f"{rows} rows of activations", "title")
    drawing.text(150, 204, "of each row, number k", "small")
    drawing.text(150, 224, "in all lanes at once", "small")
    drawing.box(300, 150, 500, 200, style="frame cached")
    drawing.text(550, 180, f"{sums} registers of {target.lanes} sums", "title")
    drawing.text(550, 206, f"{rows} rows x {panel} columns", "small")
    drawing.text(550, 232, "each: sum = fma(a, w, sum), for k = 0, 1, 2 ...", "small")
    drawing.text(550, 258, "begun with the bias; stored once, at the end", "small")
    drawing.arrow((550, 117), (550, 149), kind="source")
    drawing.arrow((261, 250), (299, 250), kind="own")
    drawing.text(
        430, 392, "One chain for each sum, whatever rows stand beside it: a row has the same bits in any company."
    )
    return drawing.svg()


def files() -> dict[str, str]:
    """Every SVG file's name and content."""
    return {
        "architecture.svg": architecture(),
        "decoder-layer.svg": decoder_layer(LAYER_ENGLISH),
        "decoder-layer.ko.svg": decoder_layer(LAYER_KOREAN),
        "native-tile.svg": native_tile(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Draw the diagrams of the explanation pages.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a file is out of date")
    checks = parser.parse_args().check
    stale = [name for name, svg in files().items() if not _holds(HERE / name, svg)]
    if checks:
        for name in stale:
            print(f"docs/assets/{name} is out of date: run python docs/assets/diagrams.py", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (HERE / name).write_text(files()[name], encoding="utf-8")
    return 0


def _holds(path: Path, content: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == content


if __name__ == "__main__":
    sys.exit(main())
