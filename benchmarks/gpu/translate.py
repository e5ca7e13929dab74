"""Stage `translate`: how fast whole sentences are decoded, beside other decoders with the same weights.

Transformer-base with random weights in float16, sources as long as newstest2014's, 27 target tokens forced for each,
in rounds in which the contestants take turns. Ids go in and come out: no text is cut or joined.
`translate.json` adds to what every results file says

    {"model", "sources": see benchmarks.questions.decoding.records, "target_tokens": of each sentence,
     "contestants": {name: its versions, or {"why": it takes no part}},
     "checks": [see benchmarks.gpu.translation.checks], "rounds": begun,
     "rows": [{"contestant", "search", "beam", "way": in words, "settings", "size": sentences decoded at once,
               "slots": how many that really were, null for peers, "sentences": for one figure, "one_by_one": bool,
               "status": "right" | "wrong" | "cannot run" | "left out", "why",
               "rounds", "median", "min", "max": target tokens a second,
               "step_ms": wall time for one more token of all sentences at once, encoding and refilling included,
               "ratio": to mtcli by default with the most slots, within a round; null for what is wrong,
               "p50_ms", "p95_ms": a sentence, where each is a call}]}
"""

import dataclasses
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.contest.answering import ContestantError
from benchmarks.gpu.context import Context
from benchmarks.gpu.results import Json, ResultsFile
from benchmarks.gpu.team import Team
from benchmarks.gpu.translation.checks import Questions, failures
from benchmarks.gpu.translation.entries import FULL, TOY, Entry, Sizes, entries, reference
from benchmarks.gpu.translation.figures import Figures, affordable, row
from benchmarks.peers.engine import Work
from benchmarks.questions.decoding.cases import Case, RandomModel
from benchmarks.questions.decoding.contestants import CTRANSLATE2, MARIAN, MTCLI
from mtcli.bench.host import available_cores

MODULES = {
    MTCLI: "benchmarks.gpu.translation.ours",
    CTRANSLATE2: "benchmarks.peers.ct2",
    MARIAN: "benchmarks.peers.marian",
}
PEERS = (CTRANSLATE2, MARIAN)
ROUNDS = 5
BEAM = 4
CHECKED_SLOTS = 16
LONGEST_ANSWER = 150.0  # seconds: the first ones compile kernels
SHORTEST = 10.0  # seconds; with less left, nothing is begun


def run(context: Context) -> None:
    sizes = TOY if context.toy else FULL
    preset, vocab_size = ("tiny", 100) if context.toy else ("base", 32000)
    model = RandomModel(
        preset=preset,
        vocab_size=vocab_size,
        data=context.data,
        limit=sizes.most_sentences,
        beam=BEAM,
        seed=context.seed,
    )
    context.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=context.work) as folder:
        case = model.case(Path(folder))
        work = forced(case.work, sizes.most_sentences, sizes.target_tokens)
        team = Team(
            root=context.root,
            logs=context.work,
            modules=MODULES,
            peers=PEERS,
            device=context.torch_device,
            loaded=to_load(case.description, work),
        )
        try:
            record = _Contest(context, sizes, case, work, team).run()
        finally:
            team.close()
    if wrong := wrongs(record):
        sys.exit("\n".join(wrong))


def forced(work: Work, count: int, target_tokens: int) -> Work:
    """So many sentences, from the first again where there are fewer, each with so many target tokens."""
    sources = [work.sources[place % len(work.sources)] for place in range(count)]
    return dataclasses.replace(work, sources=sources, limits=[target_tokens] * count)


def to_load(description: Path, work: Work) -> Json:
    """What a contestant loads: a model, and the sentences that it will decode."""
    return {"description": str(description), "threads": available_cores(), "work": dataclasses.asdict(work)}


class _Contest:
    """One run of the stage."""

    def __init__(self, context: Context, sizes: Sizes, case: Case, work: Work, team: Team) -> None:
        self._context, self._sizes, self._work, self._team = context, sizes, work, team
        self._entries = entries(sizes, case.beams)
        self._beams = case.beams
        self._figures = {entry: Figures() for entry in self._entries}
        self._checks: list[Json] = []
        self._rounds = 0
        self._file = ResultsFile(context, "translate", "Translation beside other decoders")
        self._file.save(
            model=case.model.model_dump(), sources=case.sources.model_dump(), target_tokens=work.limits[0], checks=[]
        )

    def run(self) -> Json:
        self._check()
        for number in range(1 if self._context.rehearsal else ROUNDS):
            running = self._entries if number == 0 else affordable(self._entries, self._figures, self._context.left())
            if not running:
                break
            self._rounds += 1
            for entry in running if number % 2 == 0 else reversed(running):
                self._measure(entry, number)
        for entry, figures in self._figures.items():
            if figures.status == "left out":
                self._file.leave_out(entry.name)
        self._save()
        return self._file.record

    def _check(self) -> None:
        slots = min(CHECKED_SLOTS, max(self._sizes.slots))
        questions = Questions(
            team=self._team,
            work=self._work.part(0, self._sizes.refills * slots),
            slots=slots,
            beams=self._beams,
            seconds=self._limit(),
            dtype=self._sizes.dtype,
        )
        for check in questions.all():
            self._checks.append(check)
            print(check_line(check), flush=True)
            self._save()
        for entry, figures in self._figures.items():
            failed = failures(self._checks, entry)
            figures.why = "; ".join(f"{one['check']}: {one['detail']}" for one in failed) or None
            figures.wrong = any(one["passed"] is False for one in failed)

    def _limit(self) -> float:
        return min(LONGEST_ANSWER, max(self._context.left(), SHORTEST))

    def _measure(self, entry: Entry, number: int) -> None:
        """Add one figure to an entry's, unless it cannot run or there is no time."""
        figures = self._figures[entry]
        if figures.status == "cannot run" or self._context.left() < max(SHORTEST, figures.cost):
            return
        start = time.monotonic()
        try:
            self._ask(entry, figures, number)
        except ContestantError as error:
            figures.why = str(error)
        figures.cost = time.monotonic() - start
        said = f"{figures.rates[number]:,.0f} target tokens/s" if number in figures.rates else figures.why
        print(f"round {number + 1}: {entry.name}: {said}", flush=True)
        self._save()

    def _ask(self, entry: Entry, figures: Figures, number: int) -> None:
        asked = {"settings": entry.settings, "beam": entry.beam}
        if entry.one_by_one:
            answer = self._team.ask(entry.contestant, "one_by_one", self._limit(), first=entry.sentences, **asked)
            figures.latencies += answer["seconds"]
            figures.rates[number] = self._work.limits[0] * entry.sentences / sum(answer["seconds"])
        else:
            # The first time all kernels are compiled and graphs captured that the sentences need.
            warm_up = entry.size if figures.rates else entry.sentences
            answer = self._team.ask(
                entry.contestant, "decode", self._limit(), first=entry.sentences, warm_up=warm_up, **asked
            )
            figures.rates[number] = answer["num_tokens"] / answer["seconds"]
        if entry.contestant == MTCLI:
            some = dataclasses.asdict(self._work.part(0, 1))
            figures.slots = self._team.ask(entry.contestant, "slots", self._limit(), work=some, **asked)

    def _save(self) -> None:
        references = {beam: self._figures[reference(self._entries, beam)] for beam in self._beams}
        without = {name: {"why": why} for name, why in self._team.broken.items()}
        self._file.save(
            contestants=self._team.versions | without,
            checks=self._checks,
            rounds=self._rounds,
            rows=rows(self._figures, references),
        )


def rows(figures: Mapping[Entry, Figures], references: Mapping[int, Figures]) -> Sequence[Json]:
    """All entries' rows, in their order."""
    return [row(entry, one, references[entry.beam]) for entry, one in figures.items()]


def check_line(check: Json) -> str:
    """A check's result, for the terminal."""
    verdict = {True: "right", False: "WRONG", None: "not known"}[check["passed"]]
    way = f", attention {check['attention']}" if "attention" in check else ""
    way += "" if check.get("independent", True) else ", not independent"
    return f"{check['check']}, {check['contestant']}, beam {check['beam']}{way}: {verdict}: {check['detail']}"


def wrongs(record: Json) -> list[str]:
    """Clauses for checks that failed, and for what mtcli could not do; peers may be missing."""
    found = [check_line(check) for check in record["checks"] if check["passed"] is False]
    ours = [one for one in record["rows"] if one["contestant"] == MTCLI and one["status"] == "cannot run"]
    return found + [f"mtcli, {one['search']}, {one['way']}, {one['size']}: {one['why']}" for one in ours]
