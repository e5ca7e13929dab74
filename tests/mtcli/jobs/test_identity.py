"""What makes two jobs the same: every field, but for those that say that they change no byte."""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pytest

from mtcli.decoding.options import CHANGES_NO_BYTE, ComputeOptions, TranslateOptions
from mtcli.jobs.identity import difference, job_key
from mtcli.jobs.job import FileJob

# Of every field, a value that differs from the default.
SEARCH: dict[str, Any] = {
    "beam_size": 3,
    "n_best": 2,
    "length_penalty": 0.5,
    "batch_tokens": 512,
    "sentences": "keep",
    "repair": False,
    "flag": True,
    "settings": {"max_length_extra": 9},
}
COMPUTE: dict[str, Any] = {
    "engine": "torch",
    "device": "cpu",
    "dtype": "float32",
    "attention": "reference",
    "fast": True,
}
FILES: dict[str, tuple[Any, str]] = {
    "inputs": ([Path("other")], "the input has"),
    "outputs": ([Path("elsewhere")], "the outputs asked for has"),
    "model": (Path("copy"), "the model has"),
    "options": (TranslateOptions(beam_size=2), "an option has"),
    "compute": (ComputeOptions(fast=True), "an option has"),
    "input_format": ("tsv", "an option has"),
    "output_format": ("tsv", "an option has"),
    "on_bad_utf8": ("replace", "an option has"),
    "flag": (True, "an option has"),
    "alignments": (Path("links"), "the outputs asked for has"),
    "report": (Path("report"), "the outputs asked for has"),
    "stats": (Path("stats"), "the outputs asked for has"),
}
NO_BYTE = {"verify": 3, "force": True}


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileJob:
    monkeypatch.chdir(tmp_path)
    Path("in").write_text("one\n")
    Path("other").write_text("two\n")
    for name in ("model", "copy"):
        Path(name).mkdir()
        (Path(name) / "config.json").write_text(name)
    return FileJob(inputs=[Path("in")], outputs=[Path("out")], model=Path("model"), output_format="jsonl")


@pytest.mark.parametrize("name", [*FILES, *NO_BYTE])
def test_a_field_of_the_job_makes_it_another_job_or_changes_no_byte(name: str, job: FileJob) -> None:
    value, changed = FILES[name] if name in FILES else (NO_BYTE[name], None)
    other = replace(job, **{name: value})
    assert other != job
    assert (job_key(other) != job_key(job)) == (changed is not None)
    assert changed is None or difference(job_key(job), job_key(other)) == changed


@pytest.mark.parametrize("name", SEARCH)
def test_an_option_of_the_search_makes_it_another_job(name: str, job: FileJob) -> None:
    other = replace(job, options=replace(job.options, **{name: SEARCH[name]}))
    assert difference(job_key(job), job_key(other)) == "an option has"


@pytest.mark.parametrize("name", COMPUTE)
def test_an_option_of_the_arithmetic_makes_it_another_job(name: str, job: FileJob) -> None:
    other = replace(job, compute=replace(job.compute, **{name: COMPUTE[name]}))
    assert difference(job_key(job), job_key(other)) == "an option has"


def test_no_field_is_left_out_above() -> None:
    names = ({field.name for field in fields(options)} for options in (FileJob, TranslateOptions, ComputeOptions))
    assert [*names] == [FILES.keys() | NO_BYTE.keys(), SEARCH.keys(), COMPUTE.keys()]
    unmarked = {field.name for field in fields(FileJob) if field.metadata != CHANGES_NO_BYTE}
    assert unmarked == FILES.keys()


@dataclass(frozen=True, kw_only=True)
class WithMore(TranslateOptions):
    """Options of a later version."""

    temperature: float = 0.0
    glossary: Path | None = None
    colour: str = field(default="red", metadata=CHANGES_NO_BYTE)


@dataclass(frozen=True, kw_only=True)
class LaterJob(FileJob):
    """A job of a later version."""

    markup: bool = False


def test_a_field_that_is_new_makes_it_another_job(job: FileJob) -> None:
    def key(**more: Any) -> dict[str, str]:
        return job_key(replace(job, options=WithMore(**more)))

    assert key() != job_key(job)
    assert key(temperature=0.5) != key()
    assert key(colour="blue") == key()
    later = {name: getattr(job, name) for name in (option.name for option in fields(job))}
    assert job_key(LaterJob(**later, markup=True)) != job_key(LaterJob(**later)) != job_key(job)


def test_a_file_that_an_option_names_counts_by_what_it_holds(job: FileJob) -> None:
    def key(name: str) -> dict[str, str]:
        return job_key(replace(job, options=WithMore(glossary=Path(name))))

    Path("a").write_text("train\tZug\n")
    Path("b").write_text("train\tZug\n")
    before = key("a")
    assert key("b") == before
    Path("a").write_text("train\tBahn\n")
    assert key("a") != before


def test_an_output_counts_by_its_place_however_it_is_written(job: FileJob) -> None:
    assert job_key(replace(job, outputs=[Path.cwd() / "out"])) == job_key(job)
    assert job_key(replace(job, alignments=Path("x"))) != job_key(replace(job, stats=Path("x")))
