"""What a thread computes in, and how it calls the compiled kernels."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import accumulate, chain
from threading import Thread

import numpy as np
import numpy.typing as npt

from mtcli.decoding.engines.native_network import PackedNetwork
from mtcli_native import load
from mtcli_native.memory import ALIGNMENT, Arena, Array, address, announced, record, remember
from mtcli_native.packing import padded
from mtcli_native.records import ANNOUNCE, BATCH, CALL, GROUP, HELP, LINEAR, MATRIX_ROWS, MOST_HELD_UP, TEAM, WORK

_INTEGER_BYTES = 2  # of an activation, at most
_LANES = 16
_CALLS_ALONE = 16  # that one thread makes where others had no processor of their own


class Workspace:
    """Memory for one thread's arithmetic with one network, and the one function of the kernels.

    It grows as it is needed; memory comes with the first call.
    """

    def __init__(self, network: PackedNetwork, *, beam: int = 1, num_slots: int = 1) -> None:
        """Prepare to compute.

        Args:
            network: what to compute with.
            beam: hypotheses of a slot.
            num_slots: sentences whose candidates are ranked at once; their rows times the beam are ranked together.
        """
        self._network, self._beam, self._num_slots = network, beam, num_slots
        self._run, self._is_checked = load.entry(), load.target().is_checked
        self._call = remember(record(CALL, p_network=address(network.record)))
        self._call_address = address(self._call)
        self._arena: Arena | None = None
        self._team: Arena | None = None
        self._calls_alone = 0
        self._room = (0, 0, 0)

    def call(self, command: int, *, threads: int = 1, **fields: int) -> None:
        """Let the kernels do something, in so many threads; `fields` are of the CALL record."""
        assert self._arena is not None, "make_room comes before a call"
        call = self._call[0]
        call["command"], call["p_work"] = command, self._arena.address
        for name, value in fields.items():
            call[name] = value
        if self._is_checked:
            table = announced()
            self._run(address(record(CALL, command=ANNOUNCE, p_batch=address(table))))
        with self._helped_by(threads - 1):
            self._run(self._call_address)

    @contextmanager
    def _helped_by(self, number: int) -> Iterator[None]:
        """Have so many threads beside this one that do parts of its products; fewer where the system has no more."""
        self._calls_alone -= 1
        if number < 1 or self._calls_alone > 0:
            yield
            return
        assert self._arena is not None
        team = self._team = self._team or _new_team()
        team.arrays["is_over"][:] = 0
        team.record["num_held_up"] = 0
        self._arena.record["p_team"] = team.address
        help_call = record(CALL, command=HELP, p_network=address(self._network.record), p_work=self._arena.address)
        threads = [Thread(target=self._run, args=(address(help_call),), name="helping") for _ in range(number)]
        started = []
        try:
            with suppress(RuntimeError):
                for thread in threads:
                    thread.start()
                    started.append(thread)
            yield
        finally:
            team.arrays["is_over"][:] = 1
            for thread in started:
                thread.join()
            self._arena.record["p_team"] = 0
            if team.record["num_held_up"][0] >= MOST_HELD_UP:
                self._calls_alone = _CALLS_ALONE

    def make_room(self, *, rows: int = 0, attended: int, steps: int = 1) -> None:
        """Have room for so many rows at once, attention to so many entries, and outputs of so many tokens.

        Raises:
            MemoryError: there is not so much memory.
        """
        needed = (max(rows, self._num_slots * self._beam), attended, steps)
        if self._arena is not None and all(a <= b for a, b in zip(needed, self._room, strict=True)):
            return
        rows, attended, steps = (max(a, b) for a, b in zip(needed, self._room, strict=True))
        self._room = rows, attended, steps
        self._arena = None  # before there is a new one, so that memory holds one alone
        network, slots, beam = self._network, self._num_slots, self._beam
        config, ranked, attended = network.config, slots * beam, padded(attended, _LANES)
        width, widest = padded(config.d_model), network.widest
        heads = max(config.heads, config.of_decoder.heads)
        self._arena = Arena(
            WORK,
            {
                "x": (np.float32, (rows, width)),
                "h": (np.float32, (rows, width)),
                "wide": (np.float32, (rows, widest)),
                "context": (np.float32, (rows, widest)),
                "logits": (np.float32, (ranked, GROUP)),
                "integers": (np.int8, (padded(rows, MATRIX_ROWS), (_INTEGER_BYTES if network.is_int8 else 0) * widest)),
                "scales": (np.float32, (rows,)),
                "addresses": (np.int64, (attended,)),
                "probs": (np.float32, (heads * attended,)),
                "row_slots": (np.int64, (ranked,)),
                "row_places": (np.int64, (ranked,)),
                "row_of": (np.int64, (slots, beam)),
                "best_values": (np.float32, (ranked, beam + 1)),
                "best_ids": (np.int64, (ranked, beam + 1)),
                "end_logits": (np.float32, (ranked,)),
                "largest": (np.float32, (ranked,)),
                "sums": (np.float32, (ranked,)),
                "heads": (np.int64, (beam,)),
                "new_log_probs": (np.float32, (beam,)),
                "new_parents": (np.int64, (beam,)),
                "new_tokens": (np.int64, (beam,)),
                "new_ancestry": (np.int32, (beam, steps)),
            },
            max_search_rows=ranked,
            p_team=0,
        )


def _new_team() -> Arena:
    words = dict.fromkeys(("word", "num_done", "is_over"), (np.int64, (ALIGNMENT // 8,)))
    product = ("p_x", "rows", "first", "last", "p_out", "out_stride", "adds", "is_relu")
    team = Arena(TEAM, words, linear=record(LINEAR)[0], **dict.fromkeys(("num_held_up", *product), 0))
    for array in team.arrays.values():
        array[:] = 0
    return team


class Batch:
    """Sentences that the kernels take together, as they are told of them.

    Attributes:
        record: BATCH [1].
    """

    def __init__(self, sources: Sequence[Sequence[int]], memories: npt.NDArray[np.int64]) -> None:
        """Describe sources, token ids; `memories` [sentences] are the addresses of what they are projected to."""
        self._kept: list[Array] = []
        self.record = record(
            BATCH,
            num_sentences=len(sources),
            longest=max(map(len, sources)),
            p_tokens=self.keep(joined(sources)),
            p_starts=self.keep(starts_of(sources)),
            p_memories=self.keep(memories),
        )

    def keep(self, array: Array) -> int:
        """Keep an array as long as the batch; returns its address."""
        self._kept.append(remember(array))
        return address(array)

    @property
    def address(self) -> int:
        """Of the record."""
        return address(self.record)


def joined(sentences: Sequence[Sequence[int]]) -> npt.NDArray[np.int64]:
    """Token ids of all sentences, end to end."""
    return np.fromiter(chain.from_iterable(sentences), np.int64, count=sum(map(len, sentences)))


def starts_of(sentences: Sequence[Sequence[int]]) -> npt.NDArray[np.int64]:
    """Where each begins when they lie end to end, and where the last ends."""
    return np.fromiter(accumulate(map(len, sentences), initial=0), np.int64, count=len(sentences) + 1)
