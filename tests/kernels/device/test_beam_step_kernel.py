"""The kernels of the search step against the definition: the same tokens, places and slots, to the last one."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.beam_behaviour import (
    BEHAVIOURS,
    what_is_found_early_is_what_is_found_late,
    whole_searches_stop_by_their_rule,
)
from support.beam_cases import (
    assert_same_state,
    assert_same_steps,
    copy_of,
    middle_of_search,
    place_live,
    random_logits,
    rules_for,
    table_model,
    undecided_slots,
    whole_search,
)
from support.beam_steps import check_any_step
from support.slow import slow
from torch import Tensor

from mtcli_kernels.beam_step import BeamRules, BeamState, SlotStatus, Stop, beam_step, choice
from mtcli_kernels.dispatch import is_interpreting

# The interpreter is numpy, which warns of the NaN that the kernels look for.
pytestmark = [
    pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:All-NaN slice encountered:RuntimeWarning"),
]
LONG_SEARCHES = (whole_searches_stop_by_their_rule, what_is_found_early_is_what_is_found_late)
DEVICE = torch.device("cpu" if is_interpreting() else "cuda")  # for hypothesis, which takes no fixtures of a test


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(behaviour, marks=[pytest.mark.slow] if behaviour in LONG_SEARCHES else [])
        for behaviour in BEHAVIOURS
    ],
    ids=lambda behaviour: behaviour.__name__,
)
def test_behaviour(behaviour: Callable[[str, torch.device], None], device: torch.device) -> None:
    behaviour("triton", device)


@pytest.mark.parametrize(
    ("beam", "vocab_size"),
    [
        (1, 4097),
        (2, 63),
        (4, 2048),
        (5, 127),
        (16, 700),
        *slow((1, 3), (1, 65), (3, 2049), (4, 64), (5, 2047), (8, 1000), (15, 129)),
    ],
)
def test_a_step_is_that_of_the_definition(beam: int, vocab_size: int, device: torch.device) -> None:
    state = middle_of_search(2, beam, 12, seed=beam, device=device)
    logits = random_logits(2 * beam, vocab_size, seed=vocab_size).to(device)
    assert not undecided_slots(logits, state)
    assert_same_steps(logits, state, rules_for(vocab_size, 12, device=device), "triton")


@pytest.mark.parametrize("beam", [1, 5])
def test_number_types(beam: int, dtype: torch.dtype, device: torch.device) -> None:
    state = middle_of_search(3, beam, 12, seed=20, device=device)
    logits = random_logits(3 * beam, 5000, seed=21).to(device, dtype)  # with many equal logits in 16 bits
    rules, undecided = rules_for(5000, 12, device=device), undecided_slots(logits, state)
    assert len(undecided) <= 1
    for impl in ("triton", "padded"):
        assert_same_steps(logits, state, rules, impl, exempt=undecided)


@pytest.mark.parametrize(("beam", "num_tiles"), [(1, 34), (16, 18)])
def test_more_tiles_than_are_merged_at_a_time(beam: int, num_tiles: int, device: torch.device) -> None:
    """The sums of 34 tiles come in two parts; so do the 16 keys of each of 18 tiles."""
    state = BeamState.empty(1, beam, 12, device)
    place_live(state, 0, [-1.0, *[float("-inf")] * (beam - 2), -1.5][:beam], 4, 12)
    logits = random_logits(beam, num_tiles * 2048 - 5, seed=23).to(device)
    assert not undecided_slots(logits, state)
    assert_same_steps(logits, state, rules_for(logits.shape[1], 12, device=device), "triton")


def test_more_steps_than_are_moved_at_a_time(device: torch.device) -> None:
    state = BeamState.empty(4, 3, 200, device)
    for slot, position in enumerate((62, 63, 64, 150)):  # 64 steps are moved at a time
        place_live(state, slot, [-4.0, -4.5, -5.0], position, 200)
    logits = random_logits(12, 100, seed=24).to(device)
    assert_same_steps(logits, state, rules_for(100, 200, device=device), "triton")


def test_strides(device: torch.device) -> None:
    state, rules = middle_of_search(3, 2, 12, seed=25, device=device), rules_for(200, 12, device=device)
    assert_same_steps(random_logits(12, 250, 26).to(device)[::2, 20:220], state, rules, "triton")
    assert_same_steps(random_logits(200, 6, 27).to(device).t(), state, rules, "triton")


@pytest.mark.parametrize("beam", [1, 2, 3])
@pytest.mark.parametrize("vocab_size", [1, 2, 3])
def test_vocabularies_smaller_than_the_candidates(beam: int, vocab_size: int, device: torch.device) -> None:
    rules = rules_for(vocab_size, 6, banned=(), eos_id=vocab_size - 1, device=device)
    state = BeamState.empty(2, beam, 6, device)
    state.admit([0, 1], [6, 2], 0)
    for step in range(6):
        logits = random_logits(2 * beam, vocab_size, step).to(device)
        state = assert_same_steps(logits, state, rules, "triton")
    assert (state.positions == -1).all()


@pytest.mark.parametrize(("beam", "n_best"), [(1, 1), (4, 1), (4, 4), (5, 2)])
def test_each_step_of_whole_searches(beam: int, n_best: int, device: torch.device) -> None:
    tables = torch.stack([table_model(25, 15, 10 * beam + seed, end_bias=0.0) for seed in range(2)]).to(device)
    rules, limits = rules_for(25, 15, min_tokens=2, n_best=n_best, device=device), [15, 5]
    num_steps = 0

    def compare(state: BeamState, logits: Tensor) -> None:
        nonlocal num_steps
        num_steps += 1
        assert not undecided_slots(logits, state)
        assert_same_steps(logits, state, rules, "triton")

    whole_search(tables, limits, beam, rules, "reference", compare)
    assert num_steps == 15 or beam == 1


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_step_is_that_of_the_definition(data: st.DataObject) -> None:
    check_any_step(data, "triton", DEVICE)


def arguments(logits: Tensor, state: BeamState, rules: BeamRules) -> tuple[Tensor | int, ...]:
    numbers = (rules.eos_id, rules.min_tokens, rules.n_best, int(rules.stop), int(rules.free_end))
    return (logits, *vars(state).values(), rules.banned, rules.length_norms, *numbers)


def test_the_operator_keeps_pytorchs_rules(device: torch.device) -> None:
    from mtcli_kernels.beam_step.op import beam_step_op

    state, rules = middle_of_search(2, 2, 6, seed=30, device=device), rules_for(40, 6, device=device)
    torch.library.opcheck(beam_step_op, arguments(random_logits(4, 40, 31).to(device), state, rules))


def test_the_operator_compiles(device: torch.device) -> None:
    from mtcli_kernels.beam_step.op import beam_step_op

    state, rules = middle_of_search(2, 2, 6, seed=32, device=device), rules_for(40, 6, device=device)
    logits, expected = random_logits(4, 40, 33).to(device), copy_of(state)

    @torch.compile(fullgraph=True, backend="aot_eager")
    def step(*tensors: Tensor | int) -> None:
        beam_step_op(*tensors)

    step(*arguments(logits, state, rules))
    beam_step(logits, expected, rules, impl="triton")
    for name, tensor in vars(state).items():
        assert torch.equal(tensor, getattr(expected, name)), name


def test_it_runs_in_inference_mode(device: torch.device) -> None:
    with torch.inference_mode():
        state, rules = middle_of_search(2, 3, 6, seed=34, device=device), rules_for(40, 6, device=device)
        assert_same_steps(random_logits(6, 40, 35).to(device), state, rules, "triton")


def test_the_kernels_know_statuses_and_rules_by_the_same_numbers(device: torch.device) -> None:
    from mtcli_kernels.beam_step import kernel

    numbers = (kernel.LIVE, kernel.DONE, kernel.NOT_A_NUMBER)
    assert [number.value for number in numbers] == [SlotStatus.LIVE, SlotStatus.DONE, SlotStatus.NOT_A_NUMBER]
    assert [kernel.FULL.value, kernel.ESTIMATE.value] == [Stop.FULL, Stop.ESTIMATE]


@pytest.mark.gpu
def test_a_gpu_takes_the_kernels_for_beams_they_hold(device: torch.device) -> None:
    assert choice("auto", device, torch.float16, 16).impl == "triton"
    assert choice("auto", device, torch.float16, 17).impl == "padded"


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
@pytest.mark.parametrize("beam", [1, 4, 8])
def test_real_sizes(beam: int, dtype: torch.dtype, device: torch.device) -> None:
    num_slots, vocab_size = 256, 32000
    state = middle_of_search(num_slots, beam, 128, seed=beam, device=device)
    state.status[::17], state.positions[::17] = int(SlotStatus.DONE), -1
    generator = torch.Generator(device).manual_seed(beam)
    logits = 3 * torch.randn(num_slots * beam, vocab_size, generator=generator, device=device)
    logits = logits.to(dtype)
    rules, undecided = rules_for(vocab_size, 128, device=device), undecided_slots(logits, state)
    # In 16 bits unlike rows have equal logits, and thus totals that only their log-sum-exps tell apart.
    assert len(undecided) <= num_slots // 20
    for impl in ("triton", "padded"):
        assert_same_steps(logits, state, rules, impl, exempt=undecided)


@pytest.mark.gpu
def test_nothing_waits_for_the_device(device: torch.device) -> None:
    state, rules = middle_of_search(8, 4, 32, seed=36, device=device), rules_for(5000, 32, device=device)
    logits = random_logits(32, 5000, 37).to(device)
    for impl in ("triton", "padded"):
        beam_step(logits, copy_of(state), rules, impl=impl)  # compiles, and finds the banned blocks
        torch.cuda.set_sync_debug_mode("error")
        try:
            beam_step(logits, copy_of(state), rules, impl=impl)
        finally:
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.gpu
def test_slots_move_without_waiting(device: torch.device) -> None:
    state = middle_of_search(4, 3, 32, seed=40, device=device)
    expected = state.select(torch.tensor([3, 1, 2, 3], device=device))
    sources, targets = (torch.tensor([slot], device=device) for slot in (3, 0))
    torch.cuda.set_sync_debug_mode("error")
    try:
        state.move(sources, targets)
        state.first(3)
        state.release(sources)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert_same_state(state.first(3), expected.first(3), close=0.0)
    assert state.status[3] == SlotStatus.EMPTY


@pytest.mark.gpu
def test_a_graph_repeats_the_step(device: torch.device) -> None:
    state, rules = middle_of_search(8, 4, 32, seed=38, device=device), rules_for(5000, 32, device=device)
    logits = random_logits(32, 5000, 39).to(device)
    expected = copy_of(state)
    beam_step(logits, copy_of(state), rules, impl="triton")
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        beam_step(logits, state, rules, impl="triton")
    for _ in range(3):
        graph.replay()
        beam_step(logits, expected, rules, impl="triton")
    for name, tensor in vars(state).items():
        assert torch.equal(tensor, getattr(expected, name)), name
