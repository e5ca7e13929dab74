"""The stages of `make gpu`, in their order: each a command that may be run alone."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

SECONDS, RESULTS, DATA, WORK, SEED, OPS = "{seconds}", "{results}", "{data}", "{work}", "{seed}", "{ops}"
_TOY_DECODING = "--preset tiny --vocab-size 100 --limit 3 --rounds 1 --beam 2 --contestants mtcli,ct2"
_TOY_TRAINING = (
    "--preset tiny --vocab-size 100 --batch-tokens 150 --rounds 1 --warm-up 1 --steps 1 --contestants mtcli,torch"
)
_TOY_QUALITY = ["--seeds", "1", "--more", "--max-steps 2 --preset tiny --set data.vocab_size=1000"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage.

    Attributes:
        name: as STAGE names it.
        command: module and arguments, {places} to be filled.
        toy: the arguments that a rehearsal has beside.
        weight: its share of a total time, beside those of the others.
        least: seconds below which it is not worth beginning.
    """

    name: str
    command: str
    toy: Sequence[str] = ()
    weight: float = 1.0
    least: float = 30.0

    @property
    def needs_data(self) -> bool:
        """Whether DATA must be given."""
        return DATA in self.command

    def words(self, places: dict[str, str], *, rehearse: bool) -> list[str]:
        """Return the command; an option whose place is empty is left out with its name."""
        words: list[str] = [sys.executable, "-m"]
        for word in self.command.split():
            filled = word
            for place, value in places.items():
                filled = filled.replace(place, value)
            if filled:
                words.append(filled)
            else:
                words.pop()
        return [*words, *(self.toy if rehearse else ())]


# The most wanted first: where a total time does not suffice for all, the last ones are left out.
STAGES = (
    Stage(
        name="correct",
        command=f"benchmarks.gpu.correct --seconds {SECONDS} --seed {SEED} --ops {OPS} --out {RESULTS}/correct.json",
        weight=1.5,
        least=60.0,
    ),
    Stage(
        name="bench",
        command=f"mtcli bench train translate --device {{device}} --seconds {SECONDS} --force -o {RESULTS}/bench.json",
        toy=("--toy",),
        weight=1.5,
    ),
    Stage(
        name="translate",
        command=f"benchmarks.decoding base --device cuda --data {DATA}? --seconds {SECONDS} --seed {SEED} "
        f"--out {RESULTS}/decoding-base.json",
        toy=_TOY_DECODING.split(),
        weight=1.5,
        least=60.0,
    ),
    Stage(
        name="kernels",
        command=f"mtcli bench kernels --device {{device}} --ops {OPS} --seconds {SECONDS} --force "
        f"-o {RESULTS}/bench-kernels.json",
        toy=("--toy",),
        weight=1.5,
    ),
    Stage(
        name="train",
        command=f"benchmarks.training base --device cuda --batch-tokens 25000 --warm-up 4 --steps 12 "
        f"--seconds {SECONDS} --seed {SEED} --out {RESULTS}/training-base.json",
        toy=_TOY_TRAINING.split(),
        least=60.0,
    ),
    Stage(
        name="latency",
        command=f"benchmarks.decoding latency --device cuda --seconds {SECONDS} --seed {SEED} "
        f"--out {RESULTS}/decoding-latency.json",
        toy=_TOY_DECODING.split(),
        weight=0.5,
    ),
    Stage(
        name="quality",
        command=f"benchmarks.quality multi30k --device cuda --seeds 3 --data {DATA} --work {WORK} --seconds {SECONDS} "
        f"--out {RESULTS}/quality-multi30k.json",
        toy=_TOY_QUALITY,
        weight=1.5,
        least=300.0,
    ),
)
