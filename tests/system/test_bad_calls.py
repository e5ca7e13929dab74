"""Bad calls: the exit code, the gist of the message, and nothing left behind."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support.command import MTCLI, mtcli
from support.patience import PATIENCE
from support.permissions import obey_permissions
from support.tiny import write_untrained

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")

CALLS: dict[str, tuple[int, str, str]] = {
    "no command": (2, "", "Usage"),
    "unknown command": (2, "fly", "No such command"),
    "unknown option": (2, "translate -m MODEL --fly", "No such option"),
    "beam of zero": (2, "translate -m MODEL -b 0", "--beam-size"),
    "more translations than beams": (2, "translate -m MODEL -b 2 --n-best 3 --format tsv", "beam of at least 3"),
    "more translations than the model's beam": (2, "translate -m MODEL --n-best 9 --format tsv", "beam of at least 9"),
    "greedy with a beam": (2, "translate -m MODEL --greedy -b 4", "contradict"),
    "n-best as text": (2, "translate -m MODEL --n-best 2", "tsv, moses or jsonl"),
    "unknown format": (2, "translate -m MODEL --format xml", "text, tsv, moses, jsonl"),
    "two kinds of input": (2, "translate -m MODEL -i IN IN", "not both"),
    "batch tokens that are no number": (2, "translate -m MODEL -i IN --batch-tokens many", "a number of tokens"),
    "an unknown BLEU tokenizer": (2, "evaluate --hyp IN --ref IN --tokenize foo", "13a"),
    "a beam that is no number": (2, "translate -m MODEL -b two", "valid integer"),
    "a negative length penalty": (2, "translate -m MODEL --length-penalty -1", "--length-penalty"),
    "an option without its value": (2, "translate -m", "requires an argument"),
    "a training setting for a finished model": (2, "translate -m MODEL -i IN --set data.seed=1", "decoding settings"),
    "a negative number of steps": (2, "train --src IN --tgt IN -o new --max-steps -1", "--max-steps"),
    "a negative seed": (2, "train --src IN --tgt IN -o new --seed -1", "--seed"),
    "an unknown format of scores": (2, "score -m MODEL --src IN --tgt IN --format moses", "text, tsv, jsonl"),
    "scoring without a target": (2, "score -m MODEL --src IN", "--tgt"),
    "evaluating twice": (2, "evaluate --hyp IN -m MODEL --ref IN", "either --hyp F, or -m DIR"),
    "info of two models": (2, "info MODEL MODEL", "unexpected extra argument"),
    "an export without its format": (2, "export -m MODEL -o new", "Missing argument"),
    "an export in a format that is none": (2, "export onnx -m MODEL -o new", "mtcli, hf, ctranslate2"),
    "an export to nowhere": (2, "export mtcli -m MODEL", "--output"),
    "an unknown section to measure": (2, "bench speed", "kernels, translate, train"),
    "measuring in two forms": (2, "bench --json --csv", "contradict"),
    "measuring what is stored": (2, "bench --from RECORD.json -m MODEL", "--from measures nothing"),
    "lines to measure without a model": (2, "bench --device cpu -i IN", "needs -m DIR"),
    "kernels of a model": (2, "bench kernels --device cpu -m MODEL", "without a model"),
    "failing without a comparison": (2, "bench --fail-on-regression", "--compare OLD.json"),
    "a time that is none": (2, "bench --device cpu --seconds 0", "--seconds"),
    "measuring an unknown preset": (2, "bench --device cpu --preset huge", "tiny"),
    "evaluating nothing": (2, "evaluate --ref IN", "--hyp F, or -m DIR"),
    "a model without source": (2, "evaluate -m MODEL --ref IN", "needs --src"),
    "two inputs for one option": (2, "translate -m MODEL -i IN -i ONE", "was given IN and ONE"),
    "two beams": (2, "translate -m MODEL -i IN -b 4 --beam-size 5", "was given 4 and 5"),
    "two values of one setting": (2, "train -o new --set a.b=1 --set a.b=2", "several values: a.b=1 and a.b=2"),
    "one reference twice": (2, "evaluate --hyp IN --ref ONE --ref ONE", "--ref ONE is given twice"),
    "one system twice": (2, "evaluate --hyp IN --hyp IN --ref ONE", "--hyp IN is given twice"),
    "one stream for two files to compare": (2, "evaluate --hyp - --ref -", "can come from standard input"),
    "one stream for two sides to score": (2, "score -m MODEL --src - --tgt -", "cannot both come from standard input"),
    "references of other lengths": (1, "evaluate --hyp IN --ref IN --ref ONE", "ONE has 1 lines and IN has 3"),
    "missing model": (1, "translate -m nowhere -i IN", "nowhere does not exist"),
    "a model that is a file": (1, "translate -m IN -i IN", "is a file"),
    "a directory that is no model": (1, "translate -m EMPTY -i IN", "holds no config.json"),
    "missing input": (1, "translate -m MODEL -i nowhere.txt", "nowhere.txt does not exist"),
    "input that is a directory": (1, "translate -m MODEL -i EMPTY", "is a directory"),
    "existing output": (1, "translate -m MODEL -i IN -o ONE", "--force"),
    "an output that is the input": (2, "translate -m MODEL -i IN -o IN --force", "IN is an input, and would be overwr"),
    "output in no directory": (1, "translate -m MODEL -i IN -o nowhere/out", "Create it first"),
    "output that is a directory": (1, "translate -m MODEL -i IN -o EMPTY", "is a directory"),
    "bad UTF-8": (1, "translate -m MODEL -i LATIN1 -o out.txt", "LATIN1:2: byte 4"),
    "a broken archive": (1, "translate -m MODEL -i BROKEN.gz", "not a whole .gz file"),
    "no such device": (1, "translate -m MODEL -i IN --device cuda:99", "cuda:99"),
    "nonsense for a device": (2, "translate -m MODEL -i IN --device tpu", "auto, cpu, cuda or cuda:N"),
    "half precision on a CPU": (1, "translate -m MODEL -i IN --device cpu --dtype float16", "not supported on a CPU"),
    "an unknown number type": (2, "translate -m MODEL -i IN --dtype int4", "bfloat16"),
    "an unknown form of attention": (2, "translate -m MODEL -i IN --attention flash", "reference"),
    "kernels on a CPU": (1, "translate -m MODEL -i IN --device cpu --attention triton", "--attention auto"),
    "facts of kernels on a CPU": (1, "info MODEL --device cpu --attention triton", "--attention auto"),
    "an unknown form of attention in training": (2, "train --src IN --tgt IN -o new --attention flash", "reference"),
    "an unknown decoding setting": (1, "translate -m MODEL -i IN --set decoding.beam=3", "Did you mean beam_size?"),
    "a decoding setting out of range": (1, "translate -m MODEL -i IN --set decoding.beam_size=0", "beam_size = 0"),
    "a decoding setting without a value": (1, "translate -m MODEL -i IN --set decoding.beam_size", "section.key=value"),
    "a device for training that is not there": (1, "train --src IN --tgt IN -o new --device cuda:99", "cuda:99"),
    "a network of a billion": (1, "train --src IN --tgt IN -o new --set model.d_model=1000000000", "d_model"),
    "a corpus that is no UTF-8": (1, "train --src IN --tgt LATIN1 -o new", "LATIN1:2: byte 4"),
    "a corpus in a broken archive": (1, "train --src BROKEN.gz --tgt BROKEN.gz -o new", "not a whole .gz file"),
    "a table without columns": (1, "train --tsv IN -o new", "IN:1"),
    "a corpus that is a directory": (1, "train --src EMPTY --tgt EMPTY -o new", "is a directory"),
    "a corpus that is not there": (1, "train --src gone --tgt gone -o new", "gone does not exist"),
    "a tokenizer that is none": (1, "train --src IN --tgt IN -o new --set data.tokenizer=IN", "SentencePiece"),
    "a run directory deep in nothing": (1, "train --src IN --tgt IN -o EMPTY/../IN/x", "IN/x"),
    "a configuration with an unknown key": (1, "train --config BAD.toml -o new", "no setting training.epochs"),
    "a configuration of the wrong type": (1, "train --config WRONG.toml -o new", "training.max_steps"),
    "a configuration that is a directory": (1, "train --config EMPTY -o new", "is a directory"),
    "a missing side to score": (1, "score -m MODEL --src IN --tgt gone", "gone does not exist"),
    "scores over an existing file": (1, "score -m MODEL --src IN --tgt IN -o IN", "--force"),
    "missing references": (1, "evaluate --hyp IN --ref gone", "gone does not exist"),
    "references that are no UTF-8": (1, "evaluate --hyp IN --ref LATIN1", "LATIN1:2: byte 4"),
    "info of an empty directory": (1, "info EMPTY", "holds no config.json"),
    "info of a file": (1, "info IN", "is a file"),
    "a demo that is a file": (1, "demo -o IN", "IN exists already"),
    "no training data": (1, "train -o new", "--src F --tgt F"),
    "one side only": (1, "train --src IN -o new", "as many of each"),
    "sides of different length": (1, "train --src IN --tgt ONE -o new", "line 2 has no partner"),
    "an empty corpus": (1, "train --src NOTHING --tgt NOTHING -o new", "empty"),
    "an unknown preset": (2, "train --src IN --tgt IN -o new --preset huge", "tiny"),
    "an unknown setting": (1, "train --src IN --tgt IN -o new --set model.width=3", "no setting model.width"),
    "a setting that is no assignment": (1, "train --src IN --tgt IN -o new --set width", "section.key=value"),
    "heads that do not fit": (1, "train --src IN --tgt IN -o new --set model.heads=7", "does not divide"),
    "a configuration that is no TOML": (1, "train --config IN -o new", "not valid TOML"),
    "a missing configuration": (1, "train --config nowhere.toml -o new", "nowhere.toml does not exist"),
    "a run directory that is something else": (1, "train --src IN --tgt IN -o FULL", "not a training run"),
    "a run directory that is a file": (1, "train --src IN --tgt IN -o IN", "is a file"),
    "a run directory in no directory": (2, "train --src IN --tgt IN", "--output"),
    "scoring uneven sides": (1, "score -m MODEL --src IN --tgt ONE", "line 2 has no partner"),
    "references of another length": (1, "evaluate --hyp IN --ref ONE", "3 lines and ONE has 1"),
    "an export of no model": (1, "export mtcli -m EMPTY -o new", "holds no config.json"),
    "an export over something": (1, "export mtcli -m MODEL -o FULL", "--force"),
    "an export over something, by force": (1, "export mtcli -m MODEL -o FULL --force", "something that is no model"),
    "an export over a file": (1, "export mtcli -m MODEL -o IN --force", "IN is a file"),
    "an export in no directory": (1, "export mtcli -m MODEL -o nowhere/new", "Create it first"),
    "an export with scores that are none": (1, "export mtcli -m MODEL -o new --scores IN", "evaluate --json"),
    "an export with scores of no model": (1, "export mtcli -m MODEL -o new --scores HYP.json", "Evaluate it with -m"),
    "an export of scores in another form": (2, "export hf -m MODEL -o new --scores IN", "for the format mtcli"),
    "a record that is not there": (1, "bench --from gone.json", "gone.json does not exist"),
    "a record that is none": (1, "bench --from HYP.json", "is not a record of mtcli bench"),
    "a record that is no JSON": (1, "bench --device cpu --compare IN", "IN is no JSON"),
    "a record of another format": (1, "bench --from RECORD.json", "has format_version 99"),
    "a record over an existing file": (1, "bench --device cpu -o IN", "--force"),
    "a record in no directory": (1, "bench --device cpu -o nowhere/bench.json", "Create it first"),
    "measuring a model that is none": (1, "bench translate --device cpu -m EMPTY", "holds no config.json"),
    "measuring no lines": (1, "bench translate --device cpu -m MODEL -i NOTHING", "no line with text"),
    "measuring in half precision": (1, "bench --device cpu --dtype float16", "not supported on a CPU"),
    "measuring a GPU that is not there": (1, "bench --device cuda:99", "cuda:99"),
    "info of nothing": (1, "info nowhere", "nowhere does not exist"),
    "a demo over something": (1, "demo -o FULL", "not an empty directory"),
}


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_untrained(tmp_path_factory.mktemp("untrained"))


@pytest.fixture
def folder(tmp_path: Path, untrained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "IN").write_text("a b\nc d\ne f\n")
    (tmp_path / "ONE").write_text("a b\n")
    (tmp_path / "NOTHING").write_text("")
    (tmp_path / "LATIN1").write_bytes(b"a b\na b\xe9\n")
    (tmp_path / "BROKEN.gz").write_bytes(b"\x1f\x8b\x08\x00nonsense")
    (tmp_path / "BAD.toml").write_text("[training]\nepochs = 3\n")
    (tmp_path / "WRONG.toml").write_text('[training]\nmax_steps = "many"\n')
    (tmp_path / "HYP.json").write_text(
        '{"set": "x", "lines": 1, "beam": null, "bleu": 1, "chrf": 1, "ter": 1, "signatures": {}}'
    )
    (tmp_path / "RECORD.json").write_text('{"format_version": 99}')
    (tmp_path / "EMPTY").mkdir()
    (tmp_path / "FULL").mkdir()
    (tmp_path / "FULL" / "precious").write_text("data")
    (tmp_path / "MODEL").symlink_to(untrained)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", CALLS)
def test_bad_call(name: str, folder: Path) -> None:
    code, call, gist = CALLS[name]
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir() if path.name != "MODEL"}
    finished = mtcli(*call.split(), cwd=folder)
    message = finished.stderr.decode() + (finished.stdout.decode() if code == 2 else "")
    assert (finished.returncode, gist in message) == (code, True), message
    assert "Traceback" not in message
    left = {path: path.stat().st_mtime_ns for path in folder.iterdir() if path.name not in ("MODEL", "new")}
    assert left == before
    assert not (folder / "new" / "config.json").exists()


def test_the_stack_is_shown_on_request(folder: Path) -> None:
    finished = mtcli("translate", "-m", "nowhere", "--traceback", cwd=folder)
    assert finished.returncode == 1
    assert "Traceback" in finished.stderr.decode()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_a_gpu_where_there_is_none(device: str, folder: Path) -> None:
    finished = mtcli("translate", "-m", "MODEL", "-i", "IN", "--device", device, cwd=folder)
    assert finished.returncode == 1
    assert f"Error: --device {device}: " in finished.stderr.decode()
    assert "Use --device cpu" in finished.stderr.decode()


FULL_DISKS = {
    "a file": "translate -m MODEL -i IN -o /dev/full --force",
    "standard output": "translate -m MODEL -i IN",
    "scores": "score -m MODEL --src IN --tgt IN",
    "facts": "info MODEL",
    "help": "--help",
}


@linux
@pytest.mark.parametrize("name", FULL_DISKS)
def test_a_full_disk_is_a_sentence(name: str, folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        finished = subprocess.run(
            [*MTCLI, *FULL_DISKS[name].split()], stdout=full, stderr=subprocess.PIPE, cwd=folder, timeout=PATIENCE
        )
    message = finished.stderr.decode()
    assert (finished.returncode, message.count("Error: ")) == (1, 1), message
    assert "no space" in message.lower()
    assert "Traceback" not in message
    assert "Exception ignored" not in message


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    command = line.replace("mtcli", " ".join(MTCLI), 1)
    return subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, timeout=PATIENCE)


@linux
@pytest.mark.parametrize(
    ("line", "code", "gist"),
    [
        ("mtcli translate -m MODEL -i IN >&-", 1, "output is closed"),
        ("mtcli info MODEL >&-", 1, "output is closed"),
        ("mtcli --version >&-", 1, "output is closed"),
        ("mtcli translate -m MODEL <&-", 1, "Standard input is closed"),
        ("mtcli translate -m MODEL -i IN -o out.txt --quiet <&- >&- 2>&-", 0, ""),
        ("mtcli info nowhere 2>/dev/full", 1, ""),
        ("mtcli info nowhere 2>&-", 1, ""),
        ("mtcli info MODEL | head -n 0", 0, ""),
    ],
)
def test_streams_that_are_closed_or_full(line: str, code: int, gist: str, folder: Path) -> None:
    finished = shell(line, folder)
    message = finished.stderr.decode()
    assert finished.returncode == code, message
    assert gist in message
    assert "Traceback" not in message and "Exception ignored" not in message
    if "out.txt" in line:
        assert len((folder / "out.txt").read_text().splitlines()) == 3


@pytest.fixture
def obedient(folder: Path) -> Path:
    """The folder, with a model of its own and files and directories that may not be read or written."""
    if sys.platform != "linux":
        pytest.skip("needs Linux")
    shutil.copytree(folder / "MODEL", folder / "OWN")
    secret = folder / "SECRET"
    secret.write_text("a b\n")
    secret.chmod(0)
    if subprocess.run(["cat", secret], preexec_fn=obey_permissions, capture_output=True).returncode == 0:
        pytest.skip("cannot give up the right to read everything")
    (folder / "EMPTY").chmod(0o555)
    return folder


FORBIDDEN: dict[str, tuple[str, str | None, str]] = {
    "an input": ("translate -m OWN -i SECRET", None, "Cannot read SECRET: permission denied"),
    "an output's directory": ("translate -m OWN -i IN -o EMPTY/out", None, "EMPTY/out: permission denied"),
    "a corpus": ("train --src SECRET --tgt SECRET -o new", None, "Cannot read SECRET: permission denied"),
    "a run's directory": ("train --src IN --tgt IN -o EMPTY/run", None, "Cannot write EMPTY/run: permission denied"),
    "a configuration": ("train --config SECRET -o new", None, "Cannot read SECRET: permission denied"),
    "a record": ("bench --from SECRET", None, "Cannot read SECRET: permission denied"),
    "a record's directory": ("bench --device cpu -o EMPTY/out", None, "Cannot write EMPTY/out: permission denied"),
    "a model's weights": ("translate -m OWN -i IN", "OWN/model.safetensors", "model.safetensors: permission denied"),
    "a model's configuration": ("translate -m OWN -i IN", "OWN/config.json", "OWN/config.json: permission denied"),
    "a model's tokenizer": ("translate -m OWN -i IN", "OWN/tokenizer.model", "tokenizer.model: permission denied"),
    "a model's directory": ("translate -m OWN -i IN", "OWN", "OWN/config.json: permission denied"),
    "references": ("evaluate --hyp IN --ref SECRET", None, "Cannot read SECRET: permission denied"),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_no_permission_is_a_sentence(name: str, obedient: Path) -> None:
    call, locked, gist = FORBIDDEN[name]
    if locked:
        (obedient / locked).chmod(0)
    finished = mtcli(*call.split(), cwd=obedient, prepare="support.permissions:obey_permissions")
    if locked:
        (obedient / locked).chmod(0o755)
    message = finished.stderr.decode()
    assert finished.returncode == 1, message
    assert gist in message
    assert "Traceback" not in message
    assert not list((obedient / "EMPTY").iterdir())
    assert not (obedient / "new" / "config.json").exists()


def test_a_read_only_model_directory_is_enough(obedient: Path) -> None:
    expected = mtcli("translate", "-m", "OWN", "-i", "IN", cwd=obedient)
    for path in (obedient / "OWN").iterdir():
        path.chmod(0o444)
    (obedient / "OWN").chmod(0o555)
    finished = mtcli("translate", "-m", "OWN", "-i", "IN", cwd=obedient, prepare="support.permissions:obey_permissions")
    assert (finished.returncode, finished.stdout) == (0, expected.stdout)
    assert expected.stdout.count(b"\n") == 3


def test_processes_share_a_model(folder: Path) -> None:
    call = [*MTCLI, "translate", "-m", "MODEL", "-i", "IN", "-b", "2"]
    processes = [subprocess.Popen(call, cwd=folder, stdout=subprocess.PIPE) for _ in range(2)]
    outputs = [process.communicate(timeout=PATIENCE)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert outputs[0] == outputs[1]
    assert outputs[0].count(b"\n") == 3


def test_a_device_can_be_written_to(folder: Path) -> None:
    assert mtcli("translate", "-m", "MODEL", "-i", "IN", "-o", "/dev/null", cwd=folder).returncode == 0
    assert not Path("/dev/null").is_file()
