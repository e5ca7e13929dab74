"""Stage `train`: how fast models learn, beside stock PyTorch, the same compiled, and Hugging Face's Marian.

The presets base and big with random weights, in bfloat16, on random sentence pairs as long as news, 25,000 tokens a
batch. All begin with the same weights and get the same batches, which lie on the device beforehand; rounds in which
the contestants take turns. `train.json` adds to what every results file says

    {"contestants": {name: its versions, or {"why": it takes no part}}, "ceilings": where the fractions' are from,
     "models": [
       {"model": see benchmarks.questions.decoding.records, "batches", "mean_tokens": {"src", "tgt"}: of a batch, "flops": of an update,
        "checks": [{"contestant", "way", "dtype", "passed": null where there was no answer, "detail", "loss", "norm"}],
        "rounds": begun,
        "rows": [{"contestant", "way", "status": "right" | "wrong" | "cannot run" | "left out", "why", "parameters",
                  "rounds", "median", "min", "max": target tokens a second, "step_ms": an update,
                  "ratio": to mtcli by default, within a round; null for what is wrong,
                  "peak_gib": of the device's memory, "flops_per_second", "fraction": of the ceiling}],
        "parts": [{"part": see mtcli.bench.training.parts, "ms", "share"}]}]}
"""

import dataclasses
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contest.answering import ContestantError
from benchmarks.gpu.ceilings import ceilings_of
from benchmarks.gpu.context import Context
from benchmarks.gpu.results import Json, ResultsFile
from benchmarks.gpu.team import Team
from benchmarks.gpu.training.checks import compared, unanswered
from benchmarks.gpu.training.entries import DTYPE, EXACT, FULL, MODULES, PEERS, TOY, Entry, Sizes, entries
from benchmarks.gpu.training.figures import Figures, row
from benchmarks.questions.decoding.contestants import MTCLI, STOCK
from benchmarks.questions.decoding.description import DESCRIPTION, Shape, write_random
from mtcli.bench.arithmetic.transformer_cost import Sizes as ModelSizes
from mtcli.bench.arithmetic.transformer_cost import update
from mtcli.bench.contest.timing import Stopwatch
from mtcli.bench.host import available_cores
from mtcli.bench.work.sentences import PairBatch, Words, random_batches

ROUNDS = 5
LONGEST_ANSWER = 240.0  # seconds: the first ones compile
SHORTEST = 10.0  # seconds; with less left, nothing is begun


def run(context: Context) -> None:
    sizes = TOY if context.toy else FULL
    file = ResultsFile(context, "train", "Training beside other tools")
    best, source = ceilings_of(context, Stopwatch(context.torch_device, context.rehearsal), DTYPE)
    file.save(contestants={}, ceilings=source, models=[])
    context.work.mkdir(parents=True, exist_ok=True)
    for number, preset in enumerate(sizes.presets):
        part = context.within(context.left() / (len(sizes.presets) - number))
        with tempfile.TemporaryDirectory(dir=context.work) as folder:
            _Contest(part, sizes, preset, Path(folder), file, best["flops_per_second"][DTYPE]).run()
    if wrong := wrongs(file.record):
        sys.exit("\n".join(wrong))


class _Contest:
    """One model's part of the stage."""

    def __init__(
        self, context: Context, sizes: Sizes, preset: str, folder: Path, file: ResultsFile, ceiling: float
    ) -> None:
        self._context, self._sizes, self._file, self._ceiling = context, sizes, file, ceiling
        shape = write_random(folder, preset, sizes.vocab_size, context.seed)
        words = Words.of(sizes.vocab_size)
        batches = random_batches(words, words, tokens=sizes.tokens, count=sizes.batches, seed=context.seed)
        self._entries = entries(sizes)
        self._figures = {entry.name: Figures() for entry in self._entries}
        self._team = Team(
            root=context.root,
            logs=context.work,
            modules=MODULES,
            peers=PEERS,
            device=context.torch_device,
            loaded={
                "description": str(folder / DESCRIPTION),
                "threads": 1 if context.toy else available_cores(),
                "batches": [dataclasses.asdict(batch) for batch in batches],
            },
        )
        self._preset = preset
        self._model = {"model": {"name": preset, **shape.record()}, **described(shape, batches)}
        self._model |= {"checks": [], "rounds": 0, "rows": [], "parts": []}
        file.record["models"].append(self._model)

    def run(self) -> None:
        try:
            self._check()
            for number in range(1 if self._context.rehearsal else ROUNDS):
                running = [entry for entry in self._entries if number == 0 or self._goes_on(entry)]
                if self._context.left() < SHORTEST or not running:
                    break
                self._model["rounds"] += 1
                for entry in running if number % 2 == 0 else reversed(running):
                    self._measure(entry, number)
                if number == 0:
                    self._take_apart()
        finally:
            self._team.close()
        for entry in self._entries:
            if self._figures[entry.name].status == "left out":
                self._file.leave_out(f"{self._preset}: {entry.name}")
        self._save()

    def _goes_on(self, entry: Entry) -> bool:
        figures = self._figures[entry.name]
        return figures.status != "cannot run" and figures.cost < self._context.left()

    def _limit(self) -> float:
        return min(LONGEST_ANSWER, max(self._context.left(), SHORTEST))

    def _check(self) -> None:
        stock = Entry(contestant=STOCK)
        try:
            expected = self._team.ask(STOCK, "check", self._limit(), settings=stock.with_dtype(EXACT))
        except ContestantError as error:
            expected, why = None, f"stock PyTorch, which says what is right, gave none: {error}"
        for entry in self._entries:
            for dtype in (EXACT, DTYPE) if entry.contestant == MTCLI else (DTYPE,):
                head = {"contestant": entry.contestant, "way": entry.way, "dtype": dtype}
                try:
                    found = self._team.ask(entry.contestant, "check", self._limit(), settings=entry.with_dtype(dtype))
                    check = head | (compared(found, expected, dtype) if expected else unanswered(why))
                except ContestantError as error:
                    check = head | unanswered(error)
                self._model["checks"].append(check)
                self._judge(entry, check)
                print(check_line(self._preset, check), flush=True)
        self._save()

    def _judge(self, entry: Entry, check: Json) -> None:
        figures = self._figures[entry.name]
        if not check["passed"]:
            figures.why = check["detail"]
            figures.wrong = figures.wrong or check["passed"] is False

    def _measure(self, entry: Entry, number: int) -> None:
        """Add one figure to an entry's, unless it cannot run or there is no time."""
        figures = self._figures[entry.name]
        if figures.status == "cannot run" or self._context.left() < SHORTEST:
            return
        start = time.monotonic()
        asked = {"settings": entry.with_dtype(DTYPE), "steps": self._sizes.steps, "ready": True}
        # A compiled one meets every batch's shape before the clock starts: all again, when it is another process.
        asked["warm_up"] = self._sizes.batches
        try:
            figures.add(number, self._team.ask(entry.contestant, "train", self._limit(), **asked), self._sizes.steps)
            figures.parameters = self._team.loaded[entry.contestant]["parameters"]
        except ContestantError as error:
            figures.why = str(error)
        figures.cost = time.monotonic() - start
        said = f"{figures.rates[number]:,.0f} target tokens/s" if number in figures.rates else figures.why
        print(f"{self._preset}, round {number + 1}: {entry.name}: {said}", flush=True)
        self._save()

    def _take_apart(self) -> None:
        """Where mtcli's time goes."""
        ours = next(entry for entry in self._entries if entry.is_reference)
        if self._figures[ours.name].status == "cannot run" or self._context.left() < SHORTEST:
            self._file.leave_out(f"{self._preset}: the parts of mtcli's update")
            return
        asked = {"settings": ours.with_dtype(DTYPE), "warm_up": self._sizes.batches, "steps": self._sizes.steps}
        try:
            found = self._team.ask(MTCLI, "parts", self._limit(), **asked)
        except ContestantError as error:
            self._file.leave_out(f"{self._preset}: the parts of mtcli's update: {error}")
            return
        total = sum(found.values())
        self._model["parts"] = [{"part": part, "ms": ms, "share": ms / total} for part, ms in found.items()]
        self._save()

    def _save(self) -> None:
        reference = next(self._figures[entry.name] for entry in self._entries if entry.is_reference)
        self._model["rows"] = [
            row(entry, self._figures[entry.name], reference, flops=self._model["flops"], ceiling=self._ceiling)
            for entry in self._entries
        ]
        without = {name: {"why": why} for name, why in self._team.broken.items()}
        self._file.save(contestants=self._file.record["contestants"] | without | self._team.versions)


def described(shape: Shape, batches: Sequence[PairBatch]) -> Json:
    """The batches in numbers, and the arithmetic of an update on one of them, on average."""
    sizes = ModelSizes.of(shape.config, shape.vocabulary.target)
    flops = sum(
        update(sizes, batch.src_lengths, batch.tgt_lengths, parameters=shape.parameters).total.flops
        for batch in batches
    )
    tokens = {
        "src": sum(sum(batch.src_lengths) for batch in batches) / len(batches),
        "tgt": sum(sum(batch.tgt_lengths) for batch in batches) / len(batches),
    }
    return {"batches": len(batches), "mean_tokens": tokens, "flops": flops / len(batches)}


def check_line(preset: str, check: Json) -> str:
    """A check's result, for the terminal."""
    verdict = {True: "right", False: "WRONG", None: "not known"}[check["passed"]]
    who = ", ".join(filter(None, (preset, check["contestant"], check["way"], check["dtype"])))
    return f"{who}: {verdict}: {check['detail']}"


def wrongs(record: Json) -> list[str]:
    """Sentences for checks that failed, and for what mtcli could not do; peers may be missing."""
    found = []
    for model in record["models"]:
        name = model["model"]["name"]
        found += [check_line(name, check) for check in model["checks"] if check["passed"] is False]
        ours = [one for one in model["rows"] if one["contestant"] == MTCLI and one["status"] == "cannot run"]
        found += [f"{name}, mtcli, {one['way'] or 'by default'}: {one['why']}" for one in ours]
    return found
