"""Pages, tables, plots and the picture that are made of results files."""

import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from support.bench_records import record

from benchmarks.contest.machine import RESULTS, ROOT, opening, save
from benchmarks.contest.records import FirstMinute, Quality, Result
from benchmarks.report.__main__ import update
from benchmarks.report.markdown import filled, wrapped
from benchmarks.report.pages import BLOCKS, ELSEWHERE, ReportError, files_of, render
from benchmarks.report.plots import COLUMNS, terminal
from benchmarks.report.results import COLUMNS as COLUMNS_OF_TABLE
from mtcli.bench.record.stored import to_json

SIGNATURES = {"bleu": "BLEU-SIGNATURE", "chrf": "CHRF-SIGNATURE"}
HEAD: dict[str, Any] = {
    "title": "Toy, English to German",
    "command": ["mtcli train --src DATA/toy/train.en.xz -o toy --preset tiny --max-minutes 40"],
    "device": {"cpu": "Some CPU", "cores": 2, "memory_gib": 23.4},
    "versions": {"python": "3.11.7", "mtcli": "0.1.0"},
    "date": "2025-01-31",
}
RUN = {"minutes": 40.02, "steps": 5000, "target_tokens": 18_000_000, "target_tokens_per_second": 7500.4}
SCORE = {"direction": "en-de", "beam": 5, "lines": 1000, "bleu": 37.04, "chrf": 60.04, "ter": 44.96, "seconds": 12.34}
QUALITY = HEAD | {
    "models": [
        {
            "name": "toy.toml",
            "train": RUN | {"parameters": 2_350_000},
            "scores": [SCORE | {"set": name, "signatures": SIGNATURES} for name in ("first", "second")],
        }
    ]
}
SHOWN = [
    {"command": "mtcli one", "lines": ["Eins & <zwei>."], "seconds": 1.2},
    {"command": "mtcli two", "lines": ["begin", None, "end"], "seconds": 20.4},
]
MINUTE = HEAD | {"install": {"command": "make it", "lines": ["made"], "seconds": 0.1}}
MINUTE |= {"minute": SHOWN, "tutorial": SHOWN[1:]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with two pages and no results."""
    (tmp_path / "benchmarks" / "results" / "cpu").mkdir(parents=True)
    (tmp_path / "docs" / "guides").mkdir(parents=True)
    write(tmp_path / "README.md", "first-minute", "results")
    write(tmp_path / "docs" / "guides" / "page.md", "multi30k", "decoding-base")
    return tmp_path


def write(page: Path, *names: str) -> None:
    page.write_text("".join(f"before\n<!-- begin: {name} -->\n<!-- end: {name} -->\nafter\n" for name in names))


def put(root: Path, name: str, content: dict[str, Any] | str, machine: str = "cpu") -> None:
    path = root / "benchmarks" / "results" / machine / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def test_what_was_not_measured_is_said_to_be_so(root: Path) -> None:
    assert len(update(root, check=False)) == 2
    assert (root / "README.md").read_text().count("not measured yet.") == 2
    assert update(root, check=True) == []


def test_blocks_are_filled_wherever_they_stand(root: Path) -> None:
    put(root, "quality-multi30k", QUALITY)
    put(root, "first-minute", MINUTE)
    assert "docs/guides/page.md: multi30k" in " ".join(update(root, check=True))
    assert "before\n<!-- begin: multi30k -->\n<!-- end" in (root / "docs" / "guides" / "page.md").read_text()
    update(root, check=False)
    assert update(root, check=True) == []
    text = (root / "docs" / "guides" / "page.md").read_text(encoding="utf-8")
    assert "| toy.toml | second | en-de | 1,000 | 5 | 37.0 | 60.0 | 45.0 | 12.3 |" in text
    assert text.count("BLEU-SIGNATURE") == 1 and text.count("after\n") == 2
    assert "Some CPU, 2 cores, 23 GiB; python 3.11.7, mtcli 0.1.0; 2025-01-31." in text
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert "](docs/assets/plots/first-minute.svg)" in readme and "Together 22 seconds" in readme
    assert "| BLEU, Multi30k, 2016 test set | 37.0 |" in readme


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "<!-- begin: nobody -->\n<!-- end: nobody -->\n",
            "has a block nobody, which there is not; there are bench",
        ),
        ("<!-- begin: startup -->\n", "must hold <!-- begin: startup --> once and after it"),
        ("<!-- end: startup -->\n", "has an end of a block that does not begin"),
        ("<!-- begin: startup -->\n<!-- begin: startup -->\n<!-- end: startup -->\n", "once and after it"),
    ],
)
def test_a_page_with_wrong_markers_is_an_error(root: Path, text: str, message: str) -> None:
    (root / "README.md").write_text(text)
    with pytest.raises(ReportError, match=re.escape(message)):
        update(root, check=False)


def test_words_about_markers_are_no_markers(root: Path) -> None:
    (root / "README.md").write_text("Write `<!-- begin: NAME -->` and `<!-- end: NAME -->`.\n")
    update(root, check=False)


@pytest.mark.parametrize("content", [QUALITY | {"extra": 1}, {"date": "2025"}])
def test_a_results_file_with_other_keys_is_an_error(root: Path, content: dict[str, Any]) -> None:
    put(root, "quality-multi30k", content)
    with pytest.raises(ReportError, match=r"A results file of \w+ is not as benchmarks/contest/records\.py has it"):
        update(root, check=False)


def test_the_command_ends_with_a_sentence(root: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.report", "--check", "--root", str(root)]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert finished.returncode == 1
    assert finished.stderr.startswith("Out of date: README.md: first-minute, results;")
    assert "Run: make report" in finished.stderr and "Traceback" not in finished.stderr


def test_a_result_that_no_page_shows_is_named(root: Path) -> None:
    put(root, "growth-beam", (RESULTS / "cpu" / "growth-beam.json").read_text(encoding="utf-8"))
    command = [sys.executable, "-m", "benchmarks.report", "--root", str(root)]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert (finished.returncode, finished.stderr[:37]) == (1, "No page shows cpu/growth-beam.json: p")


def test_what_mtcli_bench_wrote_is_shown_as_it_prints_it(root: Path) -> None:
    write(root / "README.md", "bench")
    put(root, "bench", to_json(record()))
    assert "docs/assets/plots/bench.svg" in update(root, check=False)
    text = (root / "README.md").read_text(encoding="utf-8")
    assert "```console\n$ mtcli bench --device cpu\nSome CPU, 2 cores" in text
    assert "![Kernels and phases on the roofline](docs/assets/plots/bench.svg)" in text
    put(root, "bench", "{}")
    with pytest.raises(ReportError, match="is not a record of mtcli bench"):
        update(root, check=False)


@pytest.mark.slow
def test_other_machines_follow_and_a_rehearsal_is_shown_nowhere(root: Path) -> None:
    content = json.loads((RESULTS / "cpu" / "decoding-base.json").read_text(encoding="utf-8"))
    gpu = content | {"device": content["device"] | {"gpu": "H200", "driver": "1"}}
    put(root, "decoding-base", content)
    put(root, "decoding-base", gpu, "h200")
    put(root, "decoding-base", gpu | {"rehearsal": True}, "toy")
    stale = update(root, check=False)
    assert {"docs/assets/plots/decoding-base.svg", "docs/assets/plots/decoding-base-h200.svg"} < set(stale)
    text = (root / "docs" / "guides" / "page.md").read_text(encoding="utf-8")
    assert text.index("](../assets/plots/decoding-base.svg)") < text.index("H200, driver 1; ")
    assert text.count("| decoder | number type |") == 2
    drawn = (root / "docs" / "assets" / "plots" / "decoding-base.svg").read_text(encoding="utf-8")
    assert update(root, check=True) == []
    put(root, "decoding-base", content | {"date": "2027-01-01"})
    assert "docs/assets/plots/decoding-base.svg" in update(root, check=True)
    assert "CTranslate2, int8" in drawn


AWAITED = {"serve-throughput", "serve-soak", "serve-peer"}  # hours on an idle machine


@pytest.mark.parametrize("name", sorted(AWAITED))
def test_what_the_server_is_asked_has_a_block(name: str, root: Path) -> None:
    head = {**opening("Toy", "mtcli x"), "title": "Toy"}
    row = {"server": "mtcli", "clients": 16, "size": 20, "tokens_per_second": 1234.0, "ratio": 0.9}
    rows = [{**row, "p50_ms": 1.0, "p95_ms": 2.0}]
    speed = {"model": "toy", "lines": 9, "file_tokens_per_second": 99.0, "engine_ms": 2.0, "wrong": 0, "rows": rows}
    counts = {"requests": 9, "clients": 2, "answers": {"one: 200": 9}, "compared": 9, "wrong": 0, "lost": 0}
    put(root, name, {**head, **({**counts, "memory_mib": [1.0]} if name == "serve-soak" else speed)})
    content = render(name, root / "benchmarks" / "results", root, root / "README.md")
    assert content.startswith("**Toy") and "were not the file's" in content
    assert ("| mtcli | 16 | 20 | 1,234 |" in content) == (name != "serve-soak")


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_every_block_shows_the_files_that_there_are(name: str) -> None:
    content = render(name, RESULTS, ROOT, ROOT / "README.md")
    if "not measured yet" in content:
        assert name in AWAITED and not files_of(f"*/{BLOCKS[name].files}.json", RESULTS)
    else:
        assert len(content.splitlines()) > 2


def test_every_results_file_belongs_to_a_block() -> None:
    known = {path for block in BLOCKS.values() for path in files_of(f"*/{block.files}.json", RESULTS)}
    assert set(files_of("*/*.json", RESULTS)) == known
    assert "results" in ELSEWHERE


def test_the_first_table_has_eight_rows_and_says_who_is_faster() -> None:
    text = render("results", RESULTS, ROOT, ROOT / "README.md")
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) <= 8
    cells = dict(zip(COLUMNS_OF_TABLE, (cell.strip() for cell in rows[0].split("|")[2:-1]), strict=True))
    ours, rival = (float(cells[name].replace(",", "")) for name in ("mtcli", "CTranslate2"))
    assert (rival > ours) == ("- CTranslate2 is faster:" in text and f"({rival / ours:.1f} times)" in text)
    assert text.count("GiB;") == text.count("\n- ") - text.count(" is faster:")


def test_the_tutorial_and_the_installation_are_what_was_printed() -> None:
    result = FirstMinute(**MINUTE)
    assert "```console\n$ mtcli two\nbegin\n...\nend\n```\n\nTogether 20 seconds." in filled("tutorial", result=result)
    assert filled("install", result=result) == "```console\n$ make it\nmade\n$ . .venv/bin/activate\n```"


def test_the_picture_is_well_formed_and_holds_every_line() -> None:
    drawn = terminal(["$ mtcli translate 'a < b'", "x" * (COLUMNS + 5), "..."])
    texts = ["".join(one.itertext()) for one in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
    shown = [text.replace("\xa0", " ") for text in texts if text.strip() and text != "mtcli"]
    assert shown == ["$ mtcli translate 'a < b'", "x" * COLUMNS, "x" * 5, "..."]
    assert "url(http" not in drawn


def test_long_commands_are_broken_before_their_options() -> None:
    lines = wrapped("mtcli train " + " ".join(f"--option-{number} value" for number in range(12))).splitlines()
    assert max(map(len, lines)) <= 110 and all(line.startswith("    --") for line in lines[1:])


def test_a_results_file_is_written_whole_with_few_digits(tmp_path: Path) -> None:
    result = Quality(**{**QUALITY, **opening("Toy", "mtcli x")})
    save(result, tmp_path / "deep" / "x.json")
    content = json.loads((tmp_path / "deep" / "x.json").read_text(encoding="utf-8"))
    assert content["models"][0]["train"]["target_tokens_per_second"] == 7500.4
    assert content["title"] == "Toy" and content["device"]["cores"] >= 1
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["x.json"]
    assert Result.model_fields.keys() >= HEAD.keys()
    shutil.rmtree(tmp_path / "deep")
