"""How `mtcli serve` does under load: python -m benchmarks.serve throughput|soak|peer --lines FILE.

throughput: clients of single sentences and of lists, beside the same lines as a file; a client alone beside the engine.
soak:       many requests of all kinds, each translation compared with the file's; memory.
peer:       the same clients, beside a server of LibreTranslate's construction (needs flask, waitress and ctranslate2).

FILE has a sentence a line, plain or compressed; the model is the one in the box, or -m DIR. Each question writes one
JSON file. On one machine the clients take processors from the server: with few cores the figures are theirs too.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contest.machine import RESULTS, mtcli_words, opening, save
from benchmarks.contest.processes import finished
from benchmarks.questions.serve_clients import ask_all, in_lists, mtcli_server, server
from benchmarks.questions.serve_results import ServedRow, Soak, Throughput
from mtcli.files import read_lines

LIST = 20
ALONE = 50  # lines that are decoded alone, for the engine's own time


@dataclass(frozen=True)
class AsFile:
    """The lines translated as a file: what answers are compared with, and how fast it was.

    Attributes:
        translations: by line.
        tokens: of each translation, end tokens included.
    """

    translations: Mapping[str, str]
    tokens: Mapping[str, int]
    tokens_per_second: float


def translated_as_file(lines: Sequence[str], model: Sequence[str]) -> AsFile:
    """Translate the lines with `mtcli translate` in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out, stats = Path(folder) / "out.jsonl", Path(folder) / "stats.json"
        command = [*mtcli_words(), "translate", *model, "--format", "jsonl", "-o", str(out), "--stats", str(stats)]
        finished([*command, "--quiet"], input="\n".join(lines) + "\n", stderr=subprocess.PIPE)
        records = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        speed = json.loads(stats.read_text(encoding="utf-8"))["target_tokens_per_second"]
    return AsFile(
        {one["source"]: one["translation"] for one in records},
        {one["source"]: one["n_best"][0]["num_tokens"] for one in records},
        speed,
    )


def engine_ms(lines: Sequence[str], model: Path | None) -> float:
    """The median of lines decoded alone in this process, in milliseconds."""
    from mtcli.decoding.translator import Translator

    translator = Translator(model) if model else Translator()
    translator.translate(lines[:1])
    seconds = []
    for line in lines[:ALONE]:
        began = time.perf_counter()
        translator.translate([line])
        seconds.append(time.perf_counter() - began)
    return 1e3 * statistics.median(seconds)


def rows(
    name: str, address: tuple[str, int], lines: Sequence[str], clients: Sequence[int], file: AsFile
) -> Iterator[tuple[ServedRow, int]]:
    """Ask a server in all ways; each row, and how many of its answers are not the file's."""
    for size in (1, LIST):
        for number in clients:
            answers, seconds = asyncio.run(ask_all(address, in_lists(lines, size), number))
            rate = sum(file.tokens[text] for text, _ in answers.texts) / seconds
            ordered = sorted(answers.seconds)
            row = ServedRow(
                server=name,
                clients=number,
                size=size,
                tokens_per_second=rate,
                ratio=rate / file.tokens_per_second,
                p50_ms=1e3 * statistics.median(ordered),
                p95_ms=1e3 * ordered[int(0.95 * (len(ordered) - 1))],
            )
            print(f"{name}: {number} clients, {size} a request: {row.ratio:.2f} of a file", file=sys.stderr)
            yield row, sum(found != file.translations[text] for text, found in answers.texts)


def throughput(options: argparse.Namespace, lines: Sequence[str]) -> Throughput:
    """Measure mtcli's server beside the file."""
    model = ["-m", str(options.model)] if options.model else []
    file, alone = translated_as_file(lines, model), engine_ms(lines, options.model)
    with server(mtcli_server(options.model)) as (_, address):
        found = list(rows("mtcli", address, lines, options.clients, file))
    name = options.model.name if options.model else "the model in the box"
    return Throughput(
        **opening(f"mtcli serve under load, {name}", _command(options)),
        model=name,
        lines=len(lines),
        file_tokens_per_second=file.tokens_per_second,
        engine_ms=alone,
        wrong=sum(wrong for _, wrong in found),
        rows=[row for row, _ in found],
    )


def peer(options: argparse.Namespace, lines: Sequence[str]) -> Throughput:
    """Measure mtcli's server, and one of LibreTranslate's construction on the same weights."""
    measured = throughput(options, lines)
    model = ["-m", str(options.model)] if options.model else []
    file = translated_as_file(lines, model)
    with tempfile.TemporaryDirectory() as folder:
        from mtcli.model_directory.box import IN_THE_BOX

        exported = str(Path(folder) / "ct2")
        finished([*mtcli_words(), "export", "ctranslate2", "-m", str(options.model or IN_THE_BOX), "-o", exported])
        command = [sys.executable, "-m", "benchmarks.questions.serve_peer", exported]
        with server(command) as (_, address):
            others = [row for row, _ in rows("Flask, CTranslate2", address, lines, options.clients, file)]
    title = "mtcli serve beside a server of LibreTranslate's construction"
    return measured.model_copy(update={"title": title, "rows": [*measured.rows, *others]})


def soak(options: argparse.Namespace, lines: Sequence[str]) -> Soak:
    """Send mixed requests, and look at answers and memory."""
    from benchmarks.questions.serve_soak import LIMIT, MixedRequests

    file = translated_as_file(lines, ["-m", str(options.model)] if options.model else [])
    clients = max(options.clients)
    with server(mtcli_server(options.model, "--char-limit", str(LIMIT))) as (pid, address):
        mixed = MixedRequests(address, pid, file.translations)
        asyncio.run(mixed.send(options.requests, clients))
    begun = opening("A long run of mixed requests to mtcli serve", _command(options))
    return Soak(**begun, requests=options.requests, clients=clients, **vars(mixed.findings))


def _command(options: argparse.Namespace) -> str:
    more = f" --requests {options.requests}" if options.question == "soak" else ""
    model = " -m DIR" if options.model else ""
    clients = " ".join(map(str, options.clients))
    return f"python -m benchmarks.serve {options.question} --lines FILE{model} --clients {clients}{more}"


QUESTIONS: dict[str, Any] = {"throughput": throughput, "soak": soak, "peer": peer}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("question", choices=QUESTIONS)
    parser.add_argument("--lines", type=Path, required=True, help="English sentences, one a line")
    parser.add_argument("-m", "--model", type=Path, help="an English-German model; else the one in the box")
    parser.add_argument("--limit", type=int, default=2000, help="lines at most (%(default)s)")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16, 64], help="at once (%(default)s)")
    parser.add_argument("--requests", type=int, default=100_000, help="of soak (%(default)s)")
    parser.add_argument("-o", "--output", type=Path, help="the results file")
    options = parser.parse_args()
    lines = list(dict.fromkeys(line for line in read_lines(options.lines) if line.strip()))[: options.limit]
    of_model = f"-{options.model.name}" if options.model else ""
    path = options.output or RESULTS / "cpu" / f"serve-{options.question}{of_model}.json"
    save(QUESTIONS[options.question](options, lines), path)


if __name__ == "__main__":
    main()
