"""How fast are sentences decoded, many at once or one by one, beside other decoders with the same weights?

Random weights decode random sentences, each forced to the same number of target tokens: mtcli's and PyTorch's last
token is the end token, which they may not write before; the other peers' last token is any but the end token, which
they may not write at all. Both count.

A trained model decodes a test set. All get the same pieces, cut beforehand: decoding alone is timed. mtcli is timed
from lines to lines as well, where it also cuts and joins; its tokens are then those of its texts, cut again. mtcli and
PyTorch bound each output by its own source's length, Hugging Face and JoeyNMT a batch by its longest limit, CTranslate2
all by the longest. All stop a beam once it holds as many finished hypotheses as it is wide, or by their own rules.
"""

import dataclasses
import statistics
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.contest.contestants import MTCLI, NAMES, contest_of, matching, say
from benchmarks.contest.machine import joined_versions
from benchmarks.contest.processes import Team
from benchmarks.contest.records import Agreement, Decoded, DecodedModel
from benchmarks.questions.decoders import DecodingEntry, cpu_entries, cuda_entries
from benchmarks.questions.models import Case
from mtcli.bench.contest import Check, Contest, ContestantError, Series
from mtcli.bench.host import available_cores
from mtcli.data.tokenizer import Tokenizer
from mtcli.evaluation.metrics import score_corpus

CHECKED = 8  # sentences
# Nats a token: rounding makes a hundredth to a tenth of it, a wrong weight or kernel many times as much.
LARGEST_DIFFERENCE = {"float32": 1e-3, "float16": 2e-2, "bfloat16": 0.2, "int8": 0.3}
WARM_UP, WARM_UP_OF_SLOW = 64, 8  # sentences decoded before the clock starts


@dataclass(frozen=True, kw_only=True)
class DecodingPlan:
    """How decoders are measured.

    Attributes:
        contestants: short names, mtcli's among them.
        device: cpu or cuda.
        rounds: how often each is measured.
        only: patterns of the entries' names; empty for all.
        one_by_one: each sentence in a call of its own, measured in milliseconds.
        left: seconds that are left.
    """

    contestants: tuple[str, ...]
    device: str
    rounds: int
    only: tuple[str, ...]
    one_by_one: bool
    left: Callable[[], float]


@dataclass
class ModelContest:
    """One model's contest.

    Attributes:
        plan, case, team: how, what, and who.
        facts: of the contestants that take part.
        save: is called whenever something more is known.
    """

    plan: DecodingPlan
    case: Case
    team: Team
    facts: dict[str, Any]
    save: Callable[["ModelContest"], None] = lambda contest: None
    contest: Contest[DecodingEntry] = field(init=False)
    answers: dict[str, Any] = field(default_factory=dict)
    agreement: dict[str, Agreement] = field(default_factory=dict)
    _latencies: dict[str, list[tuple[float, ...]]] = field(default_factory=dict)
    _checks: dict[Hashable, Check] = field(default_factory=dict)
    _expected: tuple[list[list[int]], list[float]] | None = None

    def __post_init__(self) -> None:
        plan, case = self.plan, self.case
        dtypes = {short: facts["dtypes"] for short, facts in self.facts.items() if short not in case.refusals}
        for short in self.facts.keys() & case.refusals.keys():
            say(f"{NAMES[short]} takes no part with {case.model.name}: {case.refusals[short]}")
        count, batches = len(case.work.sources), not plan.one_by_one
        if plan.device == "cpu":
            found = cpu_entries(
                dtypes,
                case.beams,
                cores=available_cores(),
                batches=batches,
                lines=bool(case.work.lines),
                forced=count if case.work.forced else 0,
            )
        else:
            found = cuda_entries(dtypes, case.beams, batches=batches, most=count)
        self.contest = contest_of(
            matching(found, plan.only),
            self._one_by_one if plan.one_by_one else self._rate,
            better=min if plan.one_by_one else max,
            left=plan.left,
            save=lambda: self.save(self),
        )

    def run(self) -> None:
        """Check all, then let them take turns."""
        work = dataclasses.asdict(self.case.work)
        self.team.load(description=str(self.case.description), threads=available_cores(), work=work)
        self.contest.check(self._check)
        self.contest.rounds(self.plan.rounds, finalists_only=self.plan.device == "cpu")

    def _ask(self, entry: DecodingEntry, command: str, **arguments: Any) -> Any:
        settings = {"dtype": entry.dtype, **entry.settings}
        return self.team.ask(entry.short, command, settings=settings, beam=entry.beam, **arguments)

    def _rate(self, entry: DecodingEntry) -> float:
        """Target tokens a second."""
        is_new, is_slow = entry.name not in self.answers, entry.short == "joeynmt" and entry.first is not None
        warm_up = WARM_UP_OF_SLOW if is_slow else WARM_UP
        if self.plan.device != "cpu" and is_new:
            warm_up = entry.first or warm_up  # all kernels are compiled, and graphs captured, that it will need
        answer = self.answers[entry.name] = self._ask(entry, "decode", first=entry.first, warm_up=warm_up)
        return float(answer["num_tokens"] / answer["seconds"])

    def _one_by_one(self, entry: DecodingEntry) -> float:
        """The median of the sentences' milliseconds."""
        seconds = self._ask(entry, "one_by_one", first=entry.first)["seconds"]
        p50, p95 = (float(value) for value in np.percentile(seconds, [50, 95]) * 1e3)
        self._latencies.setdefault(entry.name, []).append((p95, statistics.fmean(seconds) * 1e3))
        return p50

    def _check(self, entry: DecodingEntry) -> Iterable[Check]:
        if entry.checked not in self._checks:
            self._checks[entry.checked] = self._own(entry) if entry.short == MTCLI else self._peers(entry)
        return [self._checks[entry.checked]]

    def _greedy(self, entry: DecodingEntry) -> dict[str, Any]:
        """What an entry's contestant finds greedily of the first sentences."""
        settings = {**entry.settings, **({"lines": False} if "lines" in entry.settings else {})}
        greedy = dataclasses.replace(entry, beam=1, settings=settings)
        answer: dict[str, Any] = self._ask(greedy, "decode", first=CHECKED, warm_up=1)
        return answer

    def _own(self, entry: DecodingEntry) -> Check:
        """Has what mtcli finds the probability that the network gives it in float32 on the CPU?"""
        answer = self._greedy(entry)
        targets = [_without(self._eos, output) for output in answer["outputs"]]
        scores = self.team.ask(MTCLI, "score", sources=self._sources, targets=targets, all_tokens=True)
        found = _difference(answer["log_probs"], scores, targets)
        what = f"mtcli, {entry.dtype}, {entry.way or 'by default'}: its own scores and the network's"
        return Check(
            what=what, passed=found <= LARGEST_DIFFERENCE[entry.dtype], detail=f"up to {found:.2g} nats a token apart"
        )

    def _peers(self, entry: DecodingEntry) -> Check:
        """Does a peer give mtcli's outputs the same probability, and find most of them itself, in float32?"""
        targets, expected = self._of_mtcli()
        scores = self.team.ask(entry.short, "score", sources=self._sources, targets=targets)
        plain = dataclasses.replace(entry, dtype="float32")
        outputs = self._greedy(plain)["outputs"]
        same = sum(
            # A forced output has another token where mtcli's has the end token.
            output[: len(target)] == target and (self.case.work.forced or len(output) == len(target))
            for output, target in zip(outputs, targets, strict=True)
        )
        found = self.agreement[entry.short] = Agreement(
            contestant=entry.contestant,
            sentences=len(targets),
            nats_a_token=_difference(scores, expected, targets),
            same_greedy=same,
        )
        is_exact = self.plan.device == "cpu"  # on a GPU mtcli's outputs are of float16
        passed = found.nats_a_token <= LARGEST_DIFFERENCE["float32"] and (same > len(targets) / 2 or not is_exact)
        return Check(
            what=f"{entry.contestant}: the scores of mtcli's outputs, and its own outputs",
            passed=passed,
            detail=f"up to {found.nats_a_token:.2g} nats a token apart, {same} of {len(targets)} outputs the same",
        )

    def _of_mtcli(self) -> tuple[list[list[int]], list[float]]:
        if self._expected is None:
            reference = next(one.contestant for one in self.contest.series if one.contestant.is_reference)
            targets = [_without(self._eos, output) for output in self._greedy(reference)["outputs"]]
            self._expected = targets, self.team.ask(MTCLI, "score", sources=self._sources, targets=targets)
        return self._expected

    @property
    def _sources(self) -> list[list[int]]:
        return self.case.work.sources[:CHECKED]

    @property
    def _eos(self) -> int:
        return self.case.work.sources[0][-1]

    def reference(self, beam: int) -> Series[DecodingEntry]:
        """Return the series that ratios of this beam are to."""
        return next(one for one in self.contest.series if one.contestant.is_reference and one.contestant.beam == beam)

    def part(self, more: Callable[[Series[DecodingEntry]], dict[str, Any]] = lambda series: {}) -> DecodedModel:
        """Return what is known, as the results file has it; `more` are further fields of a row."""
        return DecodedModel(
            model=self.case.model,
            text=self.case.text,
            target_tokens=self.case.work.limits[0] if self.case.work.forced else None,
            agreement=list(self.agreement.values()),
            rows=[self._row(one, more(one) if one.figures else {}) for one in self.contest.series],
        )

    def _row(self, series: Series[DecodingEntry], more: dict[str, Any]) -> Decoded:
        entry = series.contestant
        if taken := self._latencies.get(entry.name):
            p95, mean = (statistics.median(values) for values in zip(*taken, strict=True))
            more = {**more, "p95": p95, "mean": mean}
        own = ("contestant", "dtype", "way", "search", "settings", "first")
        fields = {name: getattr(entry, name) for name in own}
        return Decoded(**fields, **series.as_json(self.reference(entry.beam)), **more)


def ask_facts(team: Team, contestants: Sequence[str]) -> dict[str, Any]:
    """Return what each says of itself; one that does not start takes no part, and stderr says why.

    Raises:
        ContestantError: mtcli does not start.
    """
    facts = {}
    for short in contestants:
        try:
            facts[short] = team.ask(short, "facts")
        except ContestantError as error:
            if short == MTCLI:
                raise
            say(f"{NAMES[short]} takes no part: {error}")
    return facts


def versions_of(facts: dict[str, Any]) -> dict[str, str]:
    """Return mtcli's versions, and those that the peers add or have of their own."""
    return joined_versions({NAMES[short]: one["versions"] for short, one in facts.items()})


def scored(contest: ModelContest, tokenizer: Tokenizer, references: Sequence[str]) -> DecodedModel:
    """Return the part of a trained model with lines a second, BLEU, and how many outputs are mtcli's."""
    texts = {
        name: list(answer["texts"]) or [tokenizer.decode(output) for output in answer["outputs"]]
        for name, answer in contest.answers.items()
    }

    def more(series: Series[DecodingEntry]) -> dict[str, Any]:
        name = series.name
        mine, wanted = texts[name], texts[contest.reference(series.contestant.beam).name]
        mean_tokens = contest.answers[name]["num_tokens"] / len(mine)
        return {
            "lines_per_second": series.median / mean_tokens,
            "bleu": score_corpus(mine, references).bleu,
            "mean_tokens": mean_tokens,
            "same_text": sum(one == other for one, other in zip(mine, wanted, strict=True)),
        }

    return contest.part(more)


def _difference(scores: Sequence[float], expected: Sequence[float], targets: Sequence[list[int]]) -> float:
    """The largest, in nats a token, end tokens counted."""
    return max(
        abs(mine - other) / (len(target) + 1) for mine, other, target in zip(scores, expected, targets, strict=True)
    )


def _without(token: int, output: list[int]) -> list[int]:
    """A search that was cut off may have an end token inside."""
    return [one for one in output if one != token]
