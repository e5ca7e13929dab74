"""What every form of the search step must do, each as a function of the form and the device, with what is expected
written out.

Axes: K beam, V vocabulary.
"""

from collections.abc import Callable

import torch
from support.beam_cases import (
    EOS,
    START,
    assert_same_hypotheses,
    assert_same_state,
    copy_of,
    logits_of,
    middle_of_search,
    place_finished,
    place_live,
    plain_search,
    random_logits,
    rules_for,
    table_model,
    whole_search,
)

from mtcli_kernels.beam_step import BeamState, SlotStatus, Stop, beam_step

DEAD = float("-inf")


def equal_logits_go_to_the_lowest_id(impl: str, device: torch.device) -> None:
    state = BeamState.empty(1, 4, 10, device)
    place_live(state, 0, [0.0, DEAD, DEAD, DEAD], 3, 10)
    logits = torch.zeros(4, 5000, device=device)
    logits[0, [4999, 4200, 2049, 2048, 2047, 70]] = 6.0
    logits[0, [63, 64]] = 5.0
    beam_step(logits, state, rules_for(5000, 10, device=device), impl=impl)
    assert state.last_tokens[0].tolist() == [70, 2047, 2048, 2049]
    assert state.parents[0, 3].tolist() == [0, 0, 0, 0]


def zeros_of_either_sign_are_equal(impl: str, device: torch.device) -> None:
    state = BeamState.empty(1, 3, 10, device)
    place_live(state, 0, [0.0, DEAD, DEAD], 3, 10)
    logits = torch.full((3, 100), -9.0, device=device)
    logits[0, [50, 60, 70]] = torch.tensor([-0.0, 0.0, -0.0], device=device)
    beam_step(logits, state, rules_for(100, 10, device=device), impl=impl)
    assert state.last_tokens[0].tolist() == [50, 60, 70]


def equal_totals_go_to_the_lowest_place(impl: str, device: torch.device) -> None:
    state = BeamState.empty(1, 3, 10, device)
    place_live(state, 0, [-2.0, -2.0, -2.0], 3, 10)
    logits = torch.zeros(3, 300, device=device)
    logits[:, 200], logits[:, 100] = 4.0, 3.0
    beam_step(logits, state, rules_for(300, 10, device=device), impl=impl)
    assert state.last_tokens[0].tolist() == [200, 200, 200]
    assert state.parents[0, 3].tolist() == [0, 1, 2]

    place_live(state, 0, [-2.0, -2.0, -2.0], 3, 10)
    logits[:, 101] = 4.0
    beam_step(logits, state, rules_for(300, 10, device=device), impl=impl)
    assert state.last_tokens[0].tolist() == [101, 200, 101]
    assert state.parents[0, 3].tolist() == [0, 0, 1]


def the_end_token_ties_like_any_other(impl: str, device: torch.device) -> None:
    # One below the end token and one above, all equal: the end comes second, within the first K of two.
    for eos_id, ends in ((5, True), (7, False)):
        state = BeamState.empty(1, 2, 10, device)
        place_live(state, 0, [-1.0, DEAD], 3, 10)
        logits = torch.zeros(2, 300, device=device)
        logits[:, [4, 6, eos_id]] = 5.0
        beam_step(logits, state, rules_for(300, 10, eos_id=eos_id, device=device), impl=impl)
        assert state.last_tokens[0].tolist() == [4, 6]
        assert state.finished_steps[0].tolist() == ([4, 0] if ends else [0, 0])


def of_equal_scores_the_earlier_is_kept(impl: str, device: torch.device) -> None:
    state = BeamState.empty(1, 2, 10, device)
    place_live(state, 0, [-3.0, -3.0], 2, 10)
    logits = torch.zeros(2, 50, device=device)
    logits[:, EOS] = 9.0
    rules = rules_for(50, 10, length_penalty=0.0, device=device)
    beam_step(logits, state, rules, impl=impl)
    assert state.finished_places.tolist() == [[0, 1]]  # both rank among the first two
    first = state.finished_scores.clone()
    place_live(state, 0, [-3.0, -3.0], 4, 10)
    state.finished_scores.copy_(first)
    state.finished_log_probs.copy_(first)
    state.finished_steps[:], state.finished_places[:] = 3, 1
    beam_step(logits, state, rules, impl=impl)
    assert state.finished_steps.tolist() == [[3, 3]]
    assert state.finished_places.tolist() == [[1, 1]]


def a_search_goes_on_while_a_live_hypothesis_may_still_enter_the_n_best(impl: str, device: torch.device) -> None:
    logits = torch.full((12, 50), DEAD, device=device)
    logits[:, 4] = 1.0  # all the probability, so that the totals stay -6 to -8
    rules = [rules_for(50, 10, length_penalty=1.0, n_best=n_best, device=device) for n_best in (1, 2)]

    def statuses(finished: list[list[float]], n_best: int) -> list[int]:
        state = BeamState.empty(4, 3, 10, device)
        for slot, scores in enumerate(finished):
            place_live(state, slot, [-6.0, -7.0, -8.0], 3, 10)
            place_finished(state, slot, scores)
        beam_step(logits, state, rules[n_best - 1], impl=impl)
        status: list[int] = state.status.tolist()
        assert state.positions.tolist() == [4 if left == SlotStatus.LIVE else -1 for left in status]
        return status

    # -6 over the 10 tokens that it may have in the end is -0.6, though it is -1.5 over the 4 that it has now.
    live, done = SlotStatus.LIVE, SlotStatus.DONE
    assert statuses([[-0.7], [-0.5, -0.9], [-0.6], []], 1) == [live, done, done, live]
    assert statuses([[-0.1, -0.7], [-0.1, -0.5], [-0.1, -0.6], [-0.1]], 2) == [live, done, done, live]


def a_search_stops_when_as_many_have_finished_as_the_beam_holds(impl: str, device: torch.device) -> None:
    for beam in (1, 2):
        state = BeamState.empty(2, beam, 10, device)
        logits = torch.full((2 * beam, 50), DEAD, device=device)
        for slot in range(2):
            place_live(state, slot, [-1.0, -9.0][:beam], 3, 10)
            place_finished(state, slot, [-5.0] * (beam - 1))
        # The first slot's best ends, or is about to: half its probability goes on, and could score far above the rest.
        logits[0, EOS] = logits[:, 4] = 1.0
        beam_step(logits, state, rules_for(50, 10, length_penalty=1.0, n_best=beam, device=device), impl=impl)
        assert state.status.tolist() == [SlotStatus.DONE, SlotStatus.LIVE]
        assert state.finished_steps[0].tolist() == [4, 2][:beam]


def a_search_may_go_on_when_as_many_have_finished_as_the_beam_holds(impl: str, device: torch.device) -> None:
    logits = torch.full((6, 50), DEAD, device=device)
    logits[:, 4] = 1.0  # all the probability, so that the totals stay -6 and -7: -1.5 over 4 tokens, -0.6 over 10

    def statuses(stop: Stop) -> list[int]:
        state = BeamState.empty(3, 2, 10, device)
        for slot, scores in enumerate(([-0.5, -0.5], [-1.0, -1.4], [-1.0, -1.6])):
            place_live(state, slot, [-6.0, -7.0], 3, 10)
            place_finished(state, slot, scores)
        beam_step(logits, state, rules_for(50, 10, length_penalty=1.0, n_best=2, stop=stop, device=device), impl=impl)
        status: list[int] = state.status.tolist()
        return status

    live, done = SlotStatus.LIVE, SlotStatus.DONE
    assert statuses(Stop.FULL) == [done, done, done]
    assert statuses(Stop.ESTIMATE) == [done, done, live]
    assert statuses(Stop.CERTAIN) == [done, live, live]


def banned_tokens_keep_their_share(impl: str, device: torch.device) -> None:
    state = BeamState.empty(1, 2, 10, device)
    place_live(state, 0, [-1.0, DEAD], 3, 10)
    logits = random_logits(2, 700, 1).to(device)
    logits[:, [0, 300, 699]] = 50.0
    log_probs = logits.double().log_softmax(1)[0]
    beam_step(logits, state, rules_for(700, 10, banned=(0, 300, 699), device=device), impl=impl)
    log_probs[[0, 300, 699, EOS]] = DEAD
    best, ids = log_probs.topk(2)
    assert state.last_tokens[0].tolist() == ids.tolist()
    assert torch.allclose(state.log_probs[0].double(), best - 1, atol=1e-5, rtol=0)


def whole_blocks_may_be_banned(impl: str, device: torch.device) -> None:
    state = BeamState.empty(1, 3, 10, device)
    place_live(state, 0, [-1.0, -1.5, -2.0], 3, 10)
    allowed = (4, 5000, 5003, 4500)
    logits = random_logits(3, 5004, 2).to(device)
    banned = [token for token in range(5004) if token not in (*allowed, EOS)]
    totals = logits.double().log_softmax(1)[:, allowed] + state.log_probs[0, :, None]
    beam_step(logits, state, rules_for(5004, 10, banned=banned, device=device), impl=impl)
    best, indices = totals.flatten().topk(3)
    assert state.last_tokens[0].tolist() == [allowed[i % 4] for i in indices.tolist()]
    assert torch.allclose(state.log_probs[0].double(), best, atol=1e-5, rtol=0)


def no_end_before_the_minimum(impl: str, device: torch.device) -> None:
    rules = rules_for(50, 10, min_tokens=3, device=device)
    state = BeamState.empty(2, 2, 10, device)
    place_live(state, 0, [-1.0, -1.1], 2, 10)
    place_live(state, 1, [-1.0, -1.1], 3, 10)
    logits = random_logits(4, 50, 3).to(device)
    logits[:, EOS] = 20.0
    beam_step(logits, state, rules, impl=impl)
    assert state.finished_steps.tolist() == [[0, 0], [4, 4]]
    assert state.finished_places.tolist() == [[0, 0], [0, 1]]
    assert state.status.tolist() == [SlotStatus.LIVE, SlotStatus.DONE]
    assert EOS not in state.last_tokens[0].tolist()


def nothing_but_the_end_at_the_maximum(impl: str, device: torch.device) -> None:
    state = BeamState.empty(2, 3, 10, device)
    place_live(state, 0, [-1.0, -2.0, DEAD], 4, 5)
    place_live(state, 1, [-1.0, -2.0, DEAD], 4, 6)
    logits = random_logits(6, 3000, 4).to(device)
    logits[:, EOS] = -30.0  # far from the best
    beam_step(logits, state, rules_for(3000, 10, length_penalty=1.0, device=device), impl=impl)
    assert state.status.tolist() == [SlotStatus.DONE, SlotStatus.LIVE]
    assert state.positions.tolist() == [-1, 5]
    assert state.finished_steps.tolist() == [[5, 5, 0], [0, 0, 0]]
    ends = logits.double().log_softmax(1)[:2, EOS] + torch.tensor([-1.0, -2.0], device=device)
    order = ends.argsort(descending=True)
    assert state.finished_places[0, :2].tolist() == order.tolist()
    assert torch.allclose(state.finished_scores[0, :2].double(), ends[order] / 5, atol=1e-5, rtol=0)


def a_free_end_at_the_maximum_costs_nothing(impl: str, device: torch.device) -> None:
    state = BeamState.empty(2, 3, 10, device)
    place_live(state, 0, [-2.0, -1.0, DEAD], 4, 5)
    place_live(state, 1, [-2.0, -1.0, DEAD], 4, 6)
    logits = random_logits(6, 3000, 4).to(device)
    logits[:, EOS] = 14.0
    own = logits[3:5].double().log_softmax(1)[:, EOS] + torch.tensor([-2.0, -1.0], device=device)
    rules = rules_for(3000, 10, length_penalty=1.0, n_best=3, free_end=True, device=device)
    beam_step(logits, state, rules, impl=impl)
    assert state.status.tolist() == [SlotStatus.DONE, SlotStatus.LIVE]
    assert state.finished_places[0, :2].tolist() == [1, 0]
    assert torch.allclose(state.finished_log_probs[0, :2].cpu(), torch.tensor([-1.0, -2.0]), atol=1e-5, rtol=0)
    assert torch.allclose(state.finished_log_probs[1, :2].double(), own.sort(descending=True).values, atol=1e-5)


def a_banned_end_is_no_end(impl: str, device: torch.device) -> None:
    state = BeamState.empty(1, 2, 10, device)
    place_live(state, 0, [-1.0, -2.0], 4, 5)
    rules = rules_for(40, 10, banned=(EOS,), device=device)
    beam_step(random_logits(2, 40, 5).to(device), state, rules, impl=impl)
    assert state.status.tolist() == [SlotStatus.DONE]
    assert state.hypotheses(0) == []


def broken_logits_stop_their_slot_alone(impl: str, device: torch.device) -> None:
    poisons: list[Callable[[torch.Tensor], object]] = [
        lambda rows: rows[1].fill_(float("nan")),
        lambda rows: rows[1, 77].fill_(float("nan")),
        lambda rows: rows[0, 2999].fill_(float("inf")),
        lambda rows: rows[0].fill_(DEAD),
        lambda rows: rows[0, 0].fill_(float("inf")),  # banned, but it takes all the probability
    ]
    state = middle_of_search(len(poisons) + 1, 2, 12, 6, device)
    rules = rules_for(3000, 12, device=device)
    logits = random_logits(2 * state.num_slots, 3000, 7).to(device)
    for slot, poison in enumerate(poisons):
        poison(logits[2 * slot : 2 * slot + 2])
    before = copy_of(state)
    beam_step(logits, state, rules, impl=impl)
    assert state.status.tolist() == [*[SlotStatus.NOT_A_NUMBER] * len(poisons), SlotStatus.LIVE]
    assert state.positions[:-1].tolist() == [-1] * len(poisons)
    for name in ("log_probs", "last_tokens", "tokens", "parents", "ancestry", "finished_scores", "finished_steps"):
        assert torch.equal(getattr(state, name)[:-1], getattr(before, name)[:-1]), name
    assert int(state.positions[-1]) == int(before.positions[-1]) + 1


def logits_of_minus_infinity_are_allowed(impl: str, device: torch.device) -> None:
    state = BeamState.empty(1, 3, 10, device)
    place_live(state, 0, [-1.0, DEAD, DEAD], 3, 10)
    logits = torch.full((3, 5000), DEAD, device=device)
    logits[0, [4500, 10]] = torch.tensor([1.0, 2.0], device=device)
    beam_step(logits, state, rules_for(5000, 10, device=device), impl=impl)
    assert state.last_tokens[0].tolist() == [10, 4500, EOS]  # the third place is dead
    assert state.parents[0, 3].tolist() == [0, 0, 0]
    assert state.log_probs[0, 2] == DEAD
    assert state.status.tolist() == [SlotStatus.LIVE]


def dead_rows_are_not_looked_at(impl: str, device: torch.device) -> None:
    state = BeamState.empty(1, 3, 10, device)
    place_live(state, 0, [-1.0, DEAD, -2.0], 3, 10)
    rules = rules_for(100, 10, device=device)
    logits = random_logits(3, 100, 8).to(device)
    expected = copy_of(state)
    beam_step(logits, expected, rules, impl="reference")
    logits[1] = float("nan")
    beam_step(logits, state, rules, impl=impl)
    assert_same_state(state, expected)
    assert 1 not in state.parents[0, 3].tolist()


def slots_that_are_not_live_keep_everything(impl: str, device: torch.device) -> None:
    state = middle_of_search(4, 3, 12, 9, device)
    for slot, status in ((0, SlotStatus.EMPTY), (2, SlotStatus.DONE), (3, SlotStatus.NOT_A_NUMBER)):
        state.status[slot], state.positions[slot] = int(status), -1
    before = copy_of(state)
    logits = torch.full((12, 90), float("nan"), device=device)
    logits[3:6] = random_logits(3, 90, 10).to(device)
    beam_step(logits, state, rules_for(90, 12, device=device), impl=impl)
    for name, tensor in vars(state).items():
        assert torch.equal(tensor[[0, 2, 3]], getattr(before, name)[[0, 2, 3]]), name
    assert int(state.positions[1]) == int(before.positions[1]) + 1


def logits_are_not_changed(impl: str, device: torch.device) -> None:
    logits = random_logits(6, 200, 11).to(device)
    kept = logits.clone()
    beam_step(logits, middle_of_search(2, 3, 12, 12, device), rules_for(200, 12, device=device), impl=impl)
    assert torch.equal(logits, kept)


def a_refilled_slot_is_like_new(impl: str, device: torch.device) -> None:
    tables = torch.stack([table_model(20, 9, seed) for seed in (20, 21)]).to(device)
    rules = rules_for(20, 9, device=device)
    state = whole_search(tables, [9, 4], 3, rules, impl)
    done = state.hypotheses(0)
    state.admit([1], [8], START)
    fresh = BeamState.empty(2, 3, 9, device)
    fresh.admit([1], [8], START)
    slot = torch.tensor([1], device=device)
    while (state.status == SlotStatus.LIVE).any():
        beam_step(logits_of(tables, state), state, rules, impl=impl)
        beam_step(logits_of(tables, fresh), fresh, rules, impl=impl)
        assert_same_state(state.select(slot), fresh.select(slot), close=0.0)
    assert state.hypotheses(1) == fresh.hypotheses(1)
    assert state.hypotheses(0) == done


def slots_do_not_depend_on_their_neighbours(impl: str, device: torch.device) -> None:
    tables = torch.stack([table_model(20, 8, seed) for seed in range(30, 33)]).to(device)
    rules, limits = rules_for(20, 8, device=device), [8, 3, 6]
    together = whole_search(tables, limits, 3, rules, impl).all_hypotheses(range(3))
    order = [2, 0, 1]
    turned = whole_search(tables[order], [limits[i] for i in order], 3, rules, impl).all_hypotheses(range(3))
    assert turned == [together[i] for i in order]
    for i in range(3):
        assert whole_search(tables[i : i + 1], limits[i : i + 1], 3, rules, impl).hypotheses(0) == together[i]


def whole_searches_find_what_a_plain_search_finds(impl: str, device: torch.device) -> None:
    for beam, length_penalty, min_tokens, n_best in ((1, 1.0, 1, 1), (2, 0.0, 2, 1), (4, 0.6, 4, 3)):
        banned, limits = (0, 7), [15, 6]
        tables = torch.stack([table_model(15, 15, 40 + beam + i, end_bias=i) for i in range(2)])
        chosen = {"length_penalty": length_penalty, "banned": banned, "min_tokens": min_tokens, "n_best": n_best}
        rules = rules_for(15, 15, **chosen, device=device)
        found = whole_search(tables.to(device), limits, beam, rules, impl).all_hypotheses(range(2))
        for table, limit, ours in zip(tables, limits, found, strict=True):
            assert_same_hypotheses(ours, plain_search(table, limit, beam, **chosen))


def whole_searches_stop_by_their_rule(impl: str, device: torch.device) -> None:
    tables = torch.stack([table_model(15, 12, 80 + i, end_bias=0.0) for i in range(4)])
    found = set()
    for stop in Stop:
        for free_end in (False, True):
            chosen = {"length_penalty": 1.0, "n_best": 3, "stop": stop, "free_end": free_end}
            rules = rules_for(15, 12, **chosen, device=device)
            hypotheses = whole_search(tables.to(device), [12] * 4, 3, rules, impl).all_hypotheses(range(4))
            for table, ours in zip(tables, hypotheses, strict=True):
                assert_same_hypotheses(ours, plain_search(table, 12, 3, **chosen))
            found.add(str([[h.tokens for h in ours] for ours in hypotheses]))
    assert len(found) == 6  # the rules do make a difference here


def what_is_found_early_is_what_is_found_late(impl: str, device: torch.device) -> None:
    tables = torch.stack([table_model(12, 12, 61 + i) for i in range(4)])
    num_early = 0
    for length_penalty, n_best in ((0.0, 2), (0.6, 1), (1.0, 1)):
        rules = rules_for(12, 12, length_penalty=length_penalty, n_best=n_best, device=device)
        found = whole_search(tables.to(device), [12] * 4, 4, rules, impl).all_hypotheses(range(4))
        for table, ours in zip(tables, found, strict=True):
            late = plain_search(table, 12, 4, length_penalty=length_penalty, n_best=None)
            assert_same_hypotheses(ours[:n_best], late[:n_best])
            num_early += len(ours) < len(late)
    assert num_early > 4


def no_slots_are_no_work(impl: str, device: torch.device) -> None:
    state = BeamState.empty(0, 3, 10, device)
    beam_step(torch.empty(0, 50, device=device), state, rules_for(50, 10, device=device), impl=impl)
    assert state.all_hypotheses([]) == []


BEHAVIOURS: tuple[Callable[[str, torch.device], None], ...] = (
    equal_logits_go_to_the_lowest_id,
    zeros_of_either_sign_are_equal,
    equal_totals_go_to_the_lowest_place,
    the_end_token_ties_like_any_other,
    of_equal_scores_the_earlier_is_kept,
    a_search_goes_on_while_a_live_hypothesis_may_still_enter_the_n_best,
    a_search_stops_when_as_many_have_finished_as_the_beam_holds,
    a_search_may_go_on_when_as_many_have_finished_as_the_beam_holds,
    banned_tokens_keep_their_share,
    whole_blocks_may_be_banned,
    no_end_before_the_minimum,
    nothing_but_the_end_at_the_maximum,
    a_free_end_at_the_maximum_costs_nothing,
    a_banned_end_is_no_end,
    broken_logits_stop_their_slot_alone,
    logits_of_minus_infinity_are_allowed,
    dead_rows_are_not_looked_at,
    slots_that_are_not_live_keep_everything,
    logits_are_not_changed,
    a_refilled_slot_is_like_new,
    slots_do_not_depend_on_their_neighbours,
    whole_searches_find_what_a_plain_search_finds,
    whole_searches_stop_by_their_rule,
    what_is_found_early_is_what_is_found_late,
    no_slots_are_no_work,
)
