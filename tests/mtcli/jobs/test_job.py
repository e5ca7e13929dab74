"""A job is checked where it is built."""

from pathlib import Path
from typing import Any

import pytest

from mtcli.decoding.options import TranslateOptions
from mtcli.errors import UsageError
from mtcli.jobs.job import FileJob
from mtcli.jobs.outputs import check_outputs


@pytest.mark.parametrize(
    ("fields", "gist"),
    [
        ({"output_format": "xml"}, "--format xml: expected one of text, tsv, moses, jsonl."),
        ({"input_format": "moses"}, "--input-format moses: expected one of text, tsv, jsonl."),
        ({"on_bad_utf8": "ignore"}, "--on-bad-utf8 ignore: expected one of error, replace."),
        ({"options": TranslateOptions(n_best=2)}, "--format text has room for one translation a line"),
        ({"outputs": [Path("a"), Path("b")]}, "1 inputs and 2 outputs: expected one output for all, or one for each."),
    ],
)
def test_a_job_that_cannot_be_is_refused(fields: dict[str, Any], gist: str) -> None:
    with pytest.raises(UsageError, match=gist):
        FileJob(**{"inputs": [Path("in")], "outputs": [None], **fields})


def test_all_outputs_are_listed_in_the_order_in_which_they_appear() -> None:
    job = FileJob(inputs=[Path("in")], outputs=[Path("out")], stats=Path("stats"), alignments=Path("links"))
    assert job.written == [Path("out"), Path("links"), Path("stats")]


def test_an_input_is_no_output(tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("a\n")
    (tmp_path / "link.txt").symlink_to(source)
    with pytest.raises(UsageError, match=r"link\.txt is an input, and would be overwritten"):
        check_outputs([tmp_path / "link.txt"], True, [source])
    check_outputs([tmp_path / "out.txt"], False, [source])
