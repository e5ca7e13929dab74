"""What a beam search remembers between its steps, all of it on the device.

A slot is a place for one sentence that is being translated; its K hypotheses sit in the places 0 to K - 1.

Axes: S slots, K beam, T most steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum

import torch
from torch import Tensor

_DEAD = float("-inf")


class SlotStatus(IntEnum):
    """What a slot is doing; only a step's LIVE slots are touched by it."""

    EMPTY = 0
    LIVE = 1
    DONE = 2
    NOT_A_NUMBER = 3


@dataclass(frozen=True)
class FinishedHypothesis:
    """A translation that ended.

    Attributes:
        tokens: its ids, without start and end tokens.
        log_prob: summed natural-log probability of the tokens and the end token.
        score: log_prob / (number of tokens, end included) ** length_penalty.
    """

    tokens: list[int]
    log_prob: float
    score: float


@dataclass(frozen=True, eq=False, kw_only=True)
class BeamState:
    """The state of every slot's search. Steps and admissions change the tensors in place; all are contiguous.

    What a place holds in a slot that is not LIVE, and what the tables hold behind a slot's position, means nothing.

    Attributes:
        positions: [S] int32, tokens that a slot's hypotheses have, which is the step searched next; -1 unless LIVE.
        status: [S] int32, a `SlotStatus`.
        max_tokens: [S] int32, longest output, end token included; from 1 to T.
        log_probs: [S, K] float32, of the live hypotheses, in nats; -inf where a place has none.
        last_tokens: [S, K] int64, what the decoder reads next.
        tokens: [S, T, K] int32, what place k wrote at step t. Entries never move.
        parents: [S, T, K] int32, the place whose hypothesis it continued. Entries never move.
        ancestry: [S, K, T + 1] int32, the place that holds hypothesis k's cache entry of step t, up to the slot's
            position, where it is k itself (see `decoding_layout.BeamPlaces`).
        finished_log_probs, finished_scores: [S, K] float32, of finished hypotheses, best first; -inf behind the last.
        finished_steps: [S, K] int32, their tokens, end included; 0 behind the last.
        finished_places: [S, K] int32, the place that each ended from; 0 behind the last.
    """

    positions: Tensor
    status: Tensor
    max_tokens: Tensor
    log_probs: Tensor
    last_tokens: Tensor
    tokens: Tensor
    parents: Tensor
    ancestry: Tensor
    finished_log_probs: Tensor
    finished_scores: Tensor
    finished_steps: Tensor
    finished_places: Tensor

    def __post_init__(self) -> None:
        shapes = _layout(self.num_slots, self.beam, self.max_steps)
        device = self.positions.device
        for name, (shape, dtype) in shapes.items():
            tensor: Tensor = getattr(self, name)
            if tuple(tensor.shape) != shape or tensor.dtype != dtype or tensor.device != device:
                raise ValueError(
                    f"expected {name} to be {list(shape)} of {dtype} on {device}; "
                    f"got {list(tensor.shape)} of {tensor.dtype} on {tensor.device}."
                )
            if not tensor.is_contiguous():
                raise ValueError(f"{name} must be contiguous: the kernels write it in place.")

    @property
    def num_slots(self) -> int:
        return self.log_probs.shape[0]

    @property
    def beam(self) -> int:
        return self.log_probs.shape[1]

    @property
    def max_steps(self) -> int:
        return self.tokens.shape[1]

    @classmethod
    def empty(cls, num_slots: int, beam: int, max_steps: int, device: torch.device | str = "cpu") -> "BeamState":
        """Slots without sentences, with room for outputs of `max_steps` tokens, end token included."""
        if beam < 1 or max_steps < 1:
            raise ValueError(f"a search needs beam and max_steps of at least 1; got {beam} and {max_steps}.")
        state = cls(
            **{
                name: torch.zeros(shape, dtype=dtype, device=device)
                for name, (shape, dtype) in _layout(num_slots, beam, max_steps).items()
            }
        )
        state.positions.fill_(-1)
        for log_probs in (state.log_probs, state.finished_log_probs, state.finished_scores):
            log_probs.fill_(_DEAD)
        return state

    def admit(self, slots: Sequence[int] | Tensor, max_tokens: Sequence[int] | Tensor, start_id: int) -> None:
        """Begin new searches in these slots, whatever was in them; never waits for the device.

        Args:
            slots: indices of slots, each at most once.
            max_tokens: each one's longest output, end token included, from 1 to T.
            start_id: the decoder's first input.

        Raises:
            ValueError: a slot or a length that there is no room for (not looked at in tensors on a GPU).
        """
        if len(slots) != len(max_tokens):
            raise ValueError(f"{len(slots)} slots cannot take {len(max_tokens)} lengths: each needs one.")
        check_range("slots", slots, 0, self.num_slots - 1)
        check_range("max_tokens", max_tokens, 1, self.max_steps)
        device = self.positions.device
        places = torch.as_tensor(slots, dtype=torch.int64).to(device, non_blocking=True)
        limits = torch.as_tensor(max_tokens, dtype=torch.int32).to(device, non_blocking=True)
        self.positions.index_fill_(0, places, 0)
        self.status.index_fill_(0, places, int(SlotStatus.LIVE))
        self.max_tokens.index_copy_(0, places, limits)
        # All hypotheses of a slot would start equal: only the first may be extended at the first step.
        self.log_probs.index_fill_(0, places, _DEAD)
        self.log_probs[:, 0].index_fill_(0, places, 0.0)
        self.last_tokens.index_fill_(0, places, start_id)
        self.ancestry[places, :, 0] = torch.arange(self.beam, dtype=torch.int32, device=device)
        for log_probs in (self.finished_log_probs, self.finished_scores):
            log_probs.index_fill_(0, places, _DEAD)
        for counts in (self.finished_steps, self.finished_places):
            counts.index_fill_(0, places, 0)

    def release(self, slots: Sequence[int] | Tensor) -> None:
        """Make these slots EMPTY, once their results have been read; never waits for the device.

        Raises:
            ValueError: a slot that there is not (not looked at in tensors on a GPU).
        """
        check_range("slots", slots, 0, self.num_slots - 1)
        places = torch.as_tensor(slots, dtype=torch.int64).to(self.positions.device, non_blocking=True)
        self.status.index_fill_(0, places, int(SlotStatus.EMPTY))
        self.positions.index_fill_(0, places, -1)

    def move(self, sources: Tensor, targets: Tensor) -> None:
        """Copy whole slots in place, slot sources[i] to slot targets[i]; never waits for the device.

        Args:
            sources: [n] int64, on the state's device.
            targets: [n] int64, likewise; each slot at most once, and none that is among the sources.

        Raises:
            ValueError: sources and targets that do not pair up, do not exist or overlap (what tensors on a GPU hold is
                not looked at).
        """
        if sources.shape != targets.shape or sources.dim() != 1:
            raise ValueError(
                f"expected as many sources as targets, [n] each; got {list(sources.shape)} and {list(targets.shape)}."
            )
        check_range("sources", sources, 0, self.num_slots - 1)
        check_range("targets", targets, 0, self.num_slots - 1)
        if targets.device.type == "cpu":
            written = targets.tolist()
            if len({*written}) < len(written) or not {*written}.isdisjoint(sources.tolist()):
                raise ValueError(
                    f"a target must be no source and come once; got sources {sources.tolist()} and targets {written}: "
                    "move in several calls."
                )
        for f in fields(self):
            tensor: Tensor = getattr(self, f.name)
            tensor.index_copy_(0, targets, tensor.index_select(0, sources))

    def first(self, num_slots: int) -> "BeamState":
        """The first slots as views of the same memory: what a step does to them, it does to this state.

        Raises:
            ValueError: more slots than there are.
        """
        if not 0 <= num_slots <= self.num_slots:
            raise ValueError(f"the state has {self.num_slots} slots, and the first {num_slots} were asked for.")
        return BeamState(**{f.name: getattr(self, f.name)[:num_slots] for f in fields(self)})

    def select(self, slots: Tensor) -> "BeamState":
        """A copy that has these slots [S'] int64, in this order."""
        return BeamState(**{f.name: getattr(self, f.name).index_select(0, slots) for f in fields(self)})

    def grow(self, max_steps: int, num_slots: int | None = None) -> "BeamState":
        """A copy that has room for outputs of `max_steps` tokens and for `num_slots` sentences, no fewer than now."""
        num_slots = self.num_slots if num_slots is None else num_slots
        if max_steps < self.max_steps or num_slots < self.num_slots:
            raise ValueError(
                f"the state has {self.num_slots} slots and room for {self.max_steps} steps and cannot shrink "
                f"to {num_slots} and {max_steps}."
            )
        grown = BeamState.empty(num_slots, self.beam, max_steps, self.positions.device)
        for f in fields(self):
            old: Tensor = getattr(self, f.name)
            getattr(grown, f.name)[tuple(slice(size) for size in old.shape)] = old
        return grown

    def hypotheses(self, slot: int) -> list[FinishedHypothesis]:
        """The finished hypotheses of a slot, best first. Waits for the device."""
        return self.all_hypotheses([slot])[0]

    def all_hypotheses(self, slots: Sequence[int]) -> list[list[FinishedHypothesis]]:
        """The finished hypotheses of each of these slots, best first, by one copy from the device."""
        chosen = torch.as_tensor(slots, dtype=torch.int64).to(self.positions.device, non_blocking=True)
        columns = (
            self.finished_log_probs.view(torch.int32),  # bits, so that all fits one tensor
            self.finished_scores.view(torch.int32),
            self.finished_steps,
            self.finished_places,
            self.tokens.flatten(1),
            self.parents.flatten(1),
        )
        copied = torch.cat([column.index_select(0, chosen) for column in columns], dim=1).cpu()  # [S', 4K + 2TK]
        log_probs, scores, steps, places, tokens, parents = copied.split([column.shape[1] for column in columns], dim=1)
        written = int(steps.max()) if steps.numel() else 0
        trees = (x.unflatten(1, (self.max_steps, self.beam))[:, :written].tolist() for x in (tokens, parents))
        numbers = (x.contiguous().view(torch.float32).tolist() for x in (log_probs, scores))
        rows = zip(*numbers, steps.tolist(), places.tolist(), *trees, strict=True)
        return [_read_back(*row) for row in rows]


def _layout(num_slots: int, beam: int, max_steps: int) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    """Shape and number type of each tensor of a state."""
    slot, place = (num_slots,), (num_slots, beam)
    return {
        "positions": (slot, torch.int32),
        "status": (slot, torch.int32),
        "max_tokens": (slot, torch.int32),
        "log_probs": (place, torch.float32),
        "last_tokens": (place, torch.int64),
        "tokens": ((num_slots, max_steps, beam), torch.int32),
        "parents": ((num_slots, max_steps, beam), torch.int32),
        "ancestry": ((num_slots, beam, max_steps + 1), torch.int32),
        "finished_log_probs": (place, torch.float32),
        "finished_scores": (place, torch.float32),
        "finished_steps": (place, torch.int32),
        "finished_places": (place, torch.int32),
    }


def check_range(name: str, values: Sequence[int] | Tensor, low: int, high: int) -> None:
    """Raise ValueError if one lies outside; tensors on a GPU are not looked at, for that would mean waiting."""
    if isinstance(values, Tensor):
        if values.device.type != "cpu":
            return
        values = values.tolist()
    if outside := [value for value in values if not low <= value <= high]:
        raise ValueError(f"{name} must lie between {low} and {high}; got {', '.join(map(str, outside))}.")


def _read_back(
    log_probs: list[float],
    scores: list[float],
    steps: list[int],
    places: list[int],
    tokens: list[list[int]],
    parents: list[list[int]],
) -> list[FinishedHypothesis]:
    """One slot's finished hypotheses, each read from its end to its start along the parents."""
    hypotheses = []
    for log_prob, score, length, place in zip(log_probs, scores, steps, places, strict=True):
        if score == _DEAD:
            break
        backwards = []
        for step in reversed(range(length - 1)):
            backwards.append(tokens[step][place])
            place = parents[step][place]
        hypotheses.append(FinishedHypothesis(backwards[::-1], log_prob, score))
    return hypotheses
