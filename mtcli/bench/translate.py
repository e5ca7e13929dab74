"""Section `translate`: how fast mtcli decodes whole sentences here, and how near that is to what the device can do.

Random weights of a preset on sentences as long as news, each forced to the same number of target tokens; or a model
directory, on such sentences or on a file's lines, which are decoded freely. Ids go in and come out but for single lines
of a file, which are translated from text to text. What a beam's checks find wrong gets no time.
"""

from collections.abc import Sequence

import torch

from mtcli.bench.asked import Asked
from mtcli.bench.records.record import Ceilings, Check, Decoded, Translate
from mtcli.bench.translation.checks import COMPANY, Checker, failed
from mtcli.bench.translation.latency import MOST, measure_latency
from mtcli.bench.translation.rows import Contestant, Entry, Sizes, entries
from mtcli.bench.work.sentences import Sentences, random_sentences, sentences_of
from mtcli.bench.work.subject import Subject, opened
from mtcli.devices import decoding_dtype, dtype_name, prepare_cpu, resolve_device
from mtcli.files import read_lines

MOST_ROUNDS, TOY_ROUNDS = 20, 2
TOY_OUTPUT = 6  # tokens
FOR_LATENCY = 0.2  # part of the time that is kept for single lines
FEWEST_ROUNDS = 2  # that there should be time for, where an entry is begun


def measure_translate(asked: Asked, ceilings: Ceilings, left_out: list[str]) -> Translate:
    """Measure as much as the time suffices for, most wanted first.

    Args:
        asked: what, on which device, for how long.
        ceilings: what the device can do.
        left_out: gets a sentence for what the time did not suffice for.

    Raises:
        MtcliError: there is no such device, number type or preset, or the model or the input is missing or damaged.
    """
    asked.say("translate: making the model ready")
    device = resolve_device(asked.torch_device)
    if device.type == "cpu":
        prepare_cpu()
    dtype = decoding_dtype(asked.dtype or "auto", device)
    subject = opened(asked, device, dtype)
    lines = list(read_lines(asked.input)) if asked.model and asked.input else []
    section = _Section(asked, ceilings, left_out, subject, lines)
    section.run()
    return Translate(
        model=subject.record,
        dtype=dtype_name(dtype),
        sources=section.sources,
        checks=tuple(section.checks),
        rows=tuple(section.rows),
        latency=measure_latency(asked, subject, section.sentences, lines, section.right_beams, left_out),
    )


class _Section:
    """One measurement."""

    def __init__(
        self, asked: Asked, ceilings: Ceilings, left_out: list[str], subject: Subject, lines: Sequence[str]
    ) -> None:
        self._asked, self._ceilings, self._left_out, self._subject = asked, ceilings, left_out, subject
        self._all = max(asked.left(), 0.0)
        self._sizes = Sizes.of(asked)
        self._beams = tuple(dict.fromkeys((subject.decoding.beam_size, 1)))
        self._contestants: list[Contestant] = []
        self._network_bytes = torch.cuda.memory_allocated() if asked.on_gpu else 0
        self.sentences = self._sentences(lines)
        self.checks: list[Check] = []
        self.rows: list[Decoded] = []
        self.right_beams: list[int] = []

    def _sentences(self, lines: Sequence[str]) -> Sentences:
        network, count = self._subject.network, max(self._sizes.most_sentences, COMPANY, MOST)
        longest = TOY_OUTPUT if self._asked.toy else network.max_positions
        bounds = {"longest_source": network.config.max_length, "longest_output": longest}
        if not lines or self._subject.loaded is None:
            return random_sentences(count, self._subject.src, self._asked.seed, **bounds)
        return sentences_of(lines, self._subject.loaded.tokenizers.src, self._subject.decoding, **bounds)

    @property
    def sources(self) -> str:
        """Where the sentences are from, in words."""
        if not self.sentences.forced:
            name = self._asked.input.name if self._asked.input else ""
            return f"the first lines of {name}, equal ones once, decoded freely"
        return f"random tokens in sentences as long as news, {self.sentences.limits[0]} target tokens forced of each"

    def run(self) -> None:
        if self._asked.left() <= 0:
            for entry in entries(self._sizes, self._beams):
                self._leave_out(entry)
            self._left_out.append("translate: single lines")
            return
        why = self._check()
        for entry in entries(self._sizes, self._beams):
            if why.get(entry.beam) is not None:
                wrong = Decoded(beam=entry.beam, slots=entry.slots, status="wrong", why=why[entry.beam])
                self.rows.append(wrong)
            else:
                self._begin(entry)
        self._take_turns(0, FEWEST_ROUNDS)
        self._take_apart()
        self._take_turns(FEWEST_ROUNDS, TOY_ROUNDS if self._asked.toy else MOST_ROUNDS)
        self._tell_what_was_left_out()
        self.rows += [one.row(self._ceilings) for one in self._contestants]

    def _check(self) -> dict[int, str | None]:
        """What is wrong with each beam, in words."""
        checker, why = Checker(self._subject, self.sentences), {}
        for beam in self._beams:
            self._asked.say(f"translate: checking beam {beam}")
            found = checker.check(beam)
            self.checks += found
            why[beam] = failed(found)
        self.right_beams = [beam for beam in self._beams if why[beam] is None]
        return why

    def _begin(self, entry: Entry) -> None:
        """Run an entry once, unless the time does not suffice, or it would be another one over again."""
        if self._is_another(entry):
            return
        expected = self._expected(entry)
        to_come = (2 + FEWEST_ROUNDS) * expected + sum(self._to_take_apart(one) for one in self._contestants)
        to_come += FEWEST_ROUNDS * sum(one.cost for one in self._contestants)
        # The first is run however slow the machine, for the section to say something.
        if self._contestants and (self._spare() < to_come or self._spare() <= 0):
            self._leave_out(entry)
            return
        self._asked.say(f"translate: {entry.name}")
        contestant = self._contestant(entry)
        contestant.warm_up(self._network_bytes)
        self._contestants.append(contestant)

    def _contestant(self, entry: Entry) -> Contestant:
        return Contestant(entry=entry, subject=self._subject, pool=self.sentences, sizes=self._sizes)

    def _is_another(self, entry: Entry) -> bool:
        """Whether the layout has no other number of slots for this entry than for one that was begun."""
        known = [one.at_once for one in self._contestants if one.entry.beam == entry.beam]
        # Only for fewer slots than the layout was asked about: to try more takes long
        return entry.slots <= max(known, default=0) and self._contestant(entry).at_once in known

    def _spare(self) -> float:
        """Seconds left, but for those that are kept for single lines."""
        return self._asked.left() - FOR_LATENCY * self._all

    def _expected(self, entry: Entry) -> float:
        """Seconds of a run: those of the newest one, more of them where there is more to do."""
        if not self._contestants:
            return 0.0
        newest = self._contestants[-1]
        rows = newest.entry.beam * len(newest.sentences.sources)
        return newest.cost * max(entry.beam * self._sizes.sentences(entry.slots) / rows, 1.0)

    def _leave_out(self, entry: Entry) -> None:
        why = "the time did not suffice"
        self.rows.append(Decoded(beam=entry.beam, slots=entry.slots, status="left out", why=why))
        self._left_out.append(f"translate: {entry.name}")

    def _take_turns(self, first: int, end: int) -> None:
        """Rounds of these numbers, every other one backwards, as long as there is time for another."""
        for number in range(first, end):
            running = [one for one in self._contestants if one.why is None]
            if not running or (number and self._spare() < sum(one.cost for one in running)):
                break
            self._asked.say(f"translate: round {number + 1}")
            for one in running if number % 2 == 0 else reversed(running):
                if self._asked.left() > one.cost or not any(other.samples for other in self._contestants):
                    one.run()

    def _tell_what_was_left_out(self) -> None:
        for one in self._contestants:
            if one.status == "left out":
                self._left_out.append(f"translate: {one.entry.name}")
            elif one.status == "right" and not one.phases:
                self._left_out.append(f"translate: where the time goes with {one.entry.name}")

    def _to_take_apart(self, one: Contestant) -> float:
        return (3 if one.makes_graphs else 1) * one.cost

    def _take_apart(self) -> None:
        self._asked.say("translate: where the time goes")
        for one in self._contestants:
            if one.status == "right" and self._spare() > self._to_take_apart(one):
                one.take_apart(self._ceilings)
