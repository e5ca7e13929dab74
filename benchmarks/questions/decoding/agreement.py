"""Do all contestants hold the same model? Asked before anything is timed."""

import sys
from collections.abc import Mapping, Sequence

from benchmarks.peers.engine import Work
from benchmarks.questions.decoding.contestants import MTCLI, Entry
from benchmarks.questions.decoding.records import Agreement
from benchmarks.questions.decoding.workers import Worker

SENTENCES = 8
LARGEST_DIFFERENCE = 1e-3  # nats a token: rounding in float32 makes a hundredth of it, a wrong weight a hundred times


def check(workers: Mapping[str, Worker], entries: Sequence[Entry], work: Work) -> list[Agreement]:
    """Compare each peer with mtcli on the first sentences, in float32.

    Peers score what mtcli finds greedily, and search greedily themselves.

    Exits when a peer's scores differ by more than rounding, or most of its outputs are others.
    """
    eos, sources = work.sources[0][-1], work.sources[:SENTENCES]
    targets = [_without(eos, output) for output in _greedy(workers[MTCLI], entries, MTCLI)]
    expected = workers[MTCLI].ask("score", sources=sources, targets=targets)
    found = []
    for name, worker in workers.items():
        if name == MTCLI:
            continue
        scores = worker.ask("score", sources=sources, targets=targets)
        outputs = _greedy(worker, entries, name)
        found.append(
            Agreement(
                contestant=name,
                sentences=len(targets),
                nats_a_token=max(
                    abs(theirs - ours) / (len(target) + 1)
                    for theirs, ours, target in zip(scores, expected, targets, strict=True)
                ),
                same_greedy=sum(
                    # A forced output has another token where mtcli's has the end token.
                    output[: len(target)] == target and (work.forced or len(output) == len(target))
                    for output, target in zip(outputs, targets, strict=True)
                ),
            )
        )
    for one in found:
        if one.nats_a_token > LARGEST_DIFFERENCE or one.same_greedy <= one.sentences / 2:
            sys.exit(
                f"{one.contestant} does not hold mtcli's model: its scores differ by up to {one.nats_a_token:.2g} nats "
                f"a token, and {one.same_greedy} of {one.sentences} greedy outputs are the same. Expected "
                f"{LARGEST_DIFFERENCE:g} and most of them. Its conversion under benchmarks/peers is wrong."
            )
    return found


def _greedy(worker: Worker, entries: Sequence[Entry], name: str) -> list[list[int]]:
    """What a contestant finds greedily in float32, with the first of its settings."""
    plain = next(
        entry
        for entry in entries
        if entry.contestant == name and entry.dtype == "float32" and not entry.settings.get("lines")
    )
    greedy = Entry(name, plain.dtype, 1, plain.settings)
    outputs: list[list[int]] = worker.run("decode", greedy, first=SENTENCES, warm_up=1)["outputs"]
    return outputs


def _without(token: int, output: list[int]) -> list[int]:
    """A search that was cut off may have an end token inside."""
    return [one for one in output if one != token]
