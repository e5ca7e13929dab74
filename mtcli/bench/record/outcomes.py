"""What became of mtcli's own ways in a record, and which of its results are wrong. Needs no torch."""

from collections.abc import Iterator
from dataclasses import dataclass

from mtcli.bench.record.measurements import decoding_case, kernel_case, training_case
from mtcli.bench.record.rows import DEFINITION, EAGER, OURS
from mtcli.bench.record.schema import Check, Record

FAILED = ("wrong", "cannot run")


@dataclass(frozen=True)
class Outcome:
    """How one thing ended.

    Attributes:
        what: section, name and case, and the contestant among the kernels.
        status: one of `record.Status`.
        why: a clause, where it is not right.
    """

    what: str
    status: str
    why: str | None

    @property
    def sentence(self) -> str:
        because = f": {self.why.rstrip('.')}" if self.why else ""
        return f"{self.what}: {self.status}{because}."


def outcomes(record: Record) -> Iterator[Outcome]:
    """Of every case of mtcli's own kernels, of decoding, and of training."""
    if record.kernels:
        own = {OURS, EAGER, DEFINITION, record.kernels.ours}
        for name, rows in record.kernels.operations.items():
            for row in rows:
                for one in row["contestants"]:
                    if one["name"] in own and _must_run(one["name"], one["status"], record.kernels.ours):
                        what = f"kernels: {name}, {kernel_case(row)}, {one['name']}"
                        yield Outcome(what, one["status"], one["why"])
    if record.translate:
        for decoded in record.translate.rows:
            yield Outcome(f"translate: {decoding_case(decoded)}", decoded.status, decoded.why)
    if record.train:
        for trained in record.train.rows:
            what = f"train: {trained.way}, {training_case(trained)}"
            yield Outcome(what, trained.status, trained.why)


def _must_run(name: str, status: str, ours: str) -> bool:
    """What mtcli would not take on this device need not run there; where it does, it must be right."""
    return name == ours or status != "cannot run"


def wrongs(record: Record) -> list[str]:
    """A sentence for every check that failed and for all of mtcli's own that gave no right result."""
    found = [f"kernels: {record.kernels.broken}"] if record.kernels and record.kernels.broken else []
    found += [one.sentence for one in outcomes(record) if one.status in FAILED]
    for name, section in (("translate", record.translate), ("train", record.train)):
        checks = section.checks if section else ()
        found += [f"{name}: a check failed: {_words(one)}." for one in checks if not one.passed]
    return found


def _words(check: Check) -> str:
    return f"{check.what.rstrip('.')}: {check.detail.rstrip('.')}"
