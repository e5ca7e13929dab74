"""The command line as its users meet it: streams, formats, files, bad calls."""

import gzip
import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.command import MTCLI, fresh_mtcli, fresh_succeed, succeed
from support.letters import letter_pairs, write_sides
from support.patience import PATIENCE

from mtcli_native import load

LINES = ["a b c", "", "i h g f", "   ", "d e", "a b c"]


def stdin(*lines: str) -> bytes:
    return "".join(line + "\n" for line in lines).encode()


def test_line_i_is_the_translation_of_line_i(reverse_model: Path) -> None:
    out = succeed("translate", "-m", reverse_model, stdin=stdin(*LINES)).split("\n")
    assert out == ["c b a", "", "f g h i", "", "e d", "c b a", ""]


def test_beam_and_greedy_and_files(reverse_model: Path, tmp_path: Path) -> None:
    source, packed, out = tmp_path / "in.txt", tmp_path / "in.txt.gz", tmp_path / "out.txt"
    source.write_bytes(stdin(*LINES))
    packed.write_bytes(gzip.compress(source.read_bytes()))
    expected = succeed("translate", "-m", reverse_model, stdin=stdin(*LINES))
    assert succeed("translate", "-m", reverse_model, "--greedy", "-i", source) == expected
    assert succeed("translate", "-m", reverse_model, "-b", "3", packed) == expected
    assert succeed("translate", "-m", reverse_model, "-i", source, "-o", out) == ""
    assert out.read_text() == expected
    assert succeed("translate", "-m", reverse_model, "-i", source, "-o", tmp_path / "out.xz") == ""
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_formats_tell_the_same_story(reverse_model: Path) -> None:
    options = ("translate", "-m", reverse_model, "-b", "4", "--n-best", "2")
    tsv = [row.split("\t") for row in succeed(*options, "--format", "tsv", stdin=stdin(*LINES)).splitlines()]
    moses = [row.split(" ||| ") for row in succeed(*options, "--format", "moses", stdin=stdin(*LINES)).splitlines()]
    records = [json.loads(row) for row in succeed(*options, "--format", "jsonl", stdin=stdin(*LINES)).splitlines()]
    assert [record["id"] for record in records] == list(range(len(LINES)))
    assert [record["source"] for record in records] == LINES
    assert records[0]["translation"] == records[0]["n_best"][0]["text"] == "c b a"
    assert records[0]["score"] == records[0]["n_best"][0]["score"] >= records[0]["n_best"][1]["score"]
    assert [(int(row[0]), row[3]) for row in tsv] == [
        (record["id"], candidate["text"]) for record in records for candidate in record["n_best"]
    ]
    assert [(int(row[0]), row[1].strip()) for row in moses] == [(int(row[0]), row[3]) for row in tsv]
    assert [float(row[3]) for row in moses] == [float(row[2]) for row in tsv]


def test_score_equals_what_decoding_reported(reverse_model: Path, tmp_path: Path) -> None:
    lines = ["a b c", "i h g f", "d e", "g g g g g"]
    records = [
        json.loads(row)
        for row in succeed("translate", "-m", reverse_model, "--format", "jsonl", stdin=stdin(*lines)).splitlines()
    ]
    src, tgt = tmp_path / "src", tmp_path / "tgt"
    src.write_bytes(stdin(*lines))
    tgt.write_bytes(stdin(*(record["translation"] for record in records)))
    scores = [float(row) for row in succeed("score", "-m", reverse_model, "--src", src, "--tgt", tgt).splitlines()]
    assert scores == pytest.approx([record["score"] for record in records], abs=1e-4)


def test_an_over_long_line_is_split_and_never_cut(reverse_model: Path, tmp_path: Path) -> None:
    line = " ".join("abcdefghij" * 30)  # 300 tokens, where the model reads 39 at once
    options = ("--stats", tmp_path / "stats.json")
    out = succeed("translate", "-m", reverse_model, *options, stdin=stdin("a b", line, "c d")).splitlines()
    assert (out[0], out[2]) == ("b a", "d c")
    assert len(out) == 3
    counts = json.loads((tmp_path / "stats.json").read_text())
    assert (counts["split_lines"], counts["parts"]) == (1, 10)


def test_utf8_goes_through_whatever_the_locale(reverse_model: Path) -> None:
    environment = {"LC_ALL": "C", "LANG": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    lines = ["나는 집에 간다", "a b\u2028c", "\u0085", "\x00", "\u200b"]
    out = fresh_succeed("translate", "-m", reverse_model, "--format", "jsonl", stdin=stdin(*lines), env=environment)
    assert [json.loads(record)["source"] for record in out.removesuffix("\n").split("\n")] == lines
    text = fresh_mtcli("translate", "-m", reverse_model, stdin=stdin(*lines), env=environment)
    assert text.returncode == 0
    assert text.stdout.count(b"\n") == len(lines)


def test_a_coprocess_gets_each_answer_at_once(reverse_model: Path) -> None:
    process = subprocess.Popen(
        [*MTCLI, "translate", "-m", str(reverse_model), "--quiet"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    for line, expected in ((b"a b\n", b"b a\n"), (b"\n", b"\n"), (b"c d e\n", b"e d c\n")):
        process.stdin.write(line)
        process.stdin.flush()
        assert process.stdout.readline() == expected
    process.stdin.close()
    assert process.wait() == 0
    watchdog.cancel()


def test_a_closed_pipe_is_quiet(reverse_model: Path, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.write_bytes(stdin(*["a b c"] * 20_000))
    script = f"{' '.join(MTCLI)} translate -m {reverse_model} --quiet -i {source} | head -n 1"
    finished = subprocess.run(["bash", "-c", script], capture_output=True, timeout=PATIENCE)
    assert finished.stdout == b"c b a\n"
    assert finished.stderr == b""


def test_help_loads_no_torch() -> None:
    heavy = ["torch", "sentencepiece", "numpy", "rich.progress"]
    for arguments, names in (
        (["--help"], [*heavy, "pydantic"]),
        (["translate", "--help"], heavy),
        (["bench", "--help"], heavy),
    ):
        probe = f"import sys; from mtcli.cli import main; main.app({arguments}, standalone_mode=False); "
        probe += f"sys.exit(any(name in sys.modules for name in {names}))"
        assert subprocess.run([sys.executable, "-c", probe], stdout=subprocess.DEVNULL).returncode == 0


@pytest.mark.parametrize(
    "name", ["train", "translate", "score", "evaluate", "info", "bench", "import", "export", "demo"]
)
def test_every_command_has_help_with_an_example(name: str) -> None:
    for flag in ("-h", "--help"):
        text = succeed(name, flag)
        assert f"mtcli {name}" in text.split("Example", 1)[1]


def test_version_names_what_computes() -> None:
    lines = succeed("--version").splitlines()
    assert [line.split()[0] for line in lines] == ["mtcli", "python", "torch", "triton", "native", "devices:"]
    assert lines[4] == f"native kernels: {load.describe()}"


def test_kernels_that_cannot_run_are_explained() -> None:
    for command in (("--version",), ("info", "--device", "cpu")):
        told = fresh_succeed(*command, env={"MTCLI_NATIVE_TARGET": "pdp-11"})
        assert "native kernels" in told
        assert "MTCLI_NATIVE_TARGET names the unknown target 'pdp-11'. Known are x86-64-" in told
    assert "torch (MTCLI_NATIVE_TARGET names" in told


def test_evaluate_agrees_with_sacrebleu(reverse_model: Path, tmp_path: Path) -> None:
    hyp, ref = tmp_path / "hyp", tmp_path / "ref"
    hyp.write_bytes(stdin("the cat sat on the mat", "a dog ran in the park today"))
    ref.write_bytes(stdin("the cat sat on a mat", "a dog runs in the park today"))
    report = json.loads(succeed("evaluate", "--hyp", hyp, "--ref", ref, "--json"))
    expected = subprocess.run(
        [sys.executable, "-m", "sacrebleu", str(ref), "-i", str(hyp), "-m", "bleu", "chrf", "ter", "-w", "4"],
        capture_output=True,
        check=True,
    )
    theirs = {metric["name"]: metric["score"] for metric in json.loads(expected.stdout)}
    assert {round(report[name], 4) for name in ("bleu", "chrf", "ter")} == set(theirs.values())
    assert report["lines"] == 2
    assert "tok:13a" in report["signatures"]["bleu"]
    lowered = json.loads(succeed("evaluate", "--hyp", hyp, "--ref", ref, "--json", "--lowercase", "--tokenize", "char"))
    assert "case:lc" in lowered["signatures"]["bleu"]
    assert "tok:char" in lowered["signatures"]["bleu"]


def test_evaluate_translates_with_a_model(reverse_model: Path) -> None:
    directory = reverse_model.parent
    arguments = ("evaluate", "-m", reverse_model, "--src", directory / "test.src", "--ref", directory / "test.tgt")
    report = json.loads(succeed(*arguments, "--json"))
    assert report["bleu"] > 95
    assert report["seconds"] > 0
    assert succeed(*arguments).startswith(f"BLEU\t{report['bleu']:.2f}\t")


def test_info_describes_a_model(reverse_model: Path) -> None:
    facts = json.loads(succeed("info", reverse_model, "--json"))
    assert "2 encoder and 2 decoder layers" in facts["architecture"]
    assert facts["parameters"].replace(",", "").isdecimal()
    assert "BLEU" in facts["validation"]
    assert "train.src" in succeed("info", reverse_model)


def test_a_terminal_sees_a_bar_and_a_table(reverse_model: Path) -> None:
    controller, terminal = pty.openpty()
    directory = reverse_model.parent
    arguments = ["evaluate", "-m", reverse_model, "--src", directory / "test.src", "--ref", directory / "test.tgt"]
    process = subprocess.Popen([*MTCLI, *map(str, arguments)], stdout=terminal, stderr=terminal)
    os.close(terminal)
    seen = b""
    while True:
        try:
            seen += (chunk := os.read(controller, 4096))
        except OSError:
            break
        if not chunk:
            break
    assert process.wait() == 0
    assert "━" in seen.decode() or "─" in seen.decode()


def test_korean_goes_in_and_comes_out(tmp_path: Path) -> None:
    """A model from English letters to Korean words, through a pipe."""
    words = {"a": "나는", "b": "집에", "c": "간다", "d": "학교", "e": "물을"}
    lines = [" ".join(x) for x in __import__("itertools").product(words, repeat=3)]
    (tmp_path / "src").write_text("".join(line + "\n" for line in lines * 4))
    (tmp_path / "tgt").write_text("".join(" ".join(words[x] for x in line.split()) + "\n" for line in lines * 4))
    sizes = ("encoder_layers=1", "decoder_layers=1", "d_model=64", "ffn_dim=64", "heads=2", "dropout=0.0")
    settings = [*(f"model.{size}" for size in sizes), "data.vocab_size=300", "training.batch_tokens=200"]
    settings += ["training.warmup_steps=50", "training.learning_rate=0.005"]
    assignments = [word for setting in settings for word in ("--set", setting)]
    files = ("--src", tmp_path / "src", "--tgt", tmp_path / "tgt")
    succeed("train", *files, "-o", tmp_path / "model", "--max-steps", "200", "--quiet", *assignments)
    assert (
        succeed("translate", "-m", tmp_path / "model", stdin=stdin("a b c", "e d c"))
        == "나는 집에 간다\n물을 학교 간다\n"
    )


def test_training_ends_in_silence(tmp_path: Path) -> None:
    """Not even libraries that look for what is left at the end of a process find anything to say."""
    src, tgt = write_sides(letter_pairs("copy", 40, seed=4), tmp_path / "train")
    sizes = ("d_model=16", "heads=2", "ffn_dim=16", "encoder_layers=1", "decoder_layers=1")
    settings = [*(f"model.{size}" for size in sizes), "data.vocab_size=300", "data.valid_size=4"]
    assignments = [word for setting in settings for word in ("--set", setting)]
    arguments = ("train", "--src", src, "--tgt", tgt, "-o", tmp_path / "model", "--max-steps", "2", "--quiet")
    finished = fresh_mtcli(*arguments, "--device", "cpu", *assignments)
    assert (finished.returncode, finished.stderr) == (0, b"")
