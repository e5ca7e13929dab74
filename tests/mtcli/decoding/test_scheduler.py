"""No line is lost, none comes twice, and all come out in order, whatever happens to their sentences between."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from mtcli.decoding.scheduler import Scheduler
from mtcli.decoding.search import Task

Lines = list[list[tuple[int, ...]]]


def random_lines(rng: random.Random, count: int) -> Lines:
    """Lines of no, one or several sentences; there are so few different ones that many are equal."""
    different = [tuple(rng.randrange(9) for _ in range(rng.randint(1, 6))) for _ in range(rng.randint(1, 12))]
    return [rng.choices(different, k=rng.choice([0, 1, 1, 1, 2, 4])) for _ in range(count)]


@settings(max_examples=20_000)
@given(st.integers(0, 2**32))
def test_every_line_comes_out_once_in_order(seed: int) -> None:
    rng = random.Random(seed)
    scheduler: Scheduler[str] = Scheduler(lambda length: 2 * length, remember=rng.choice([0, 2, 100]))
    lines = random_lines(rng, rng.randint(0, 15))
    arriving, in_work, out = list(lines), [], []
    given_back = 0
    while arriving or scheduler.num_unfinished or scheduler.num_lines:
        event = rng.random()
        if event < 0.3 and arriving:
            count = rng.randint(1, len(arriving))
            scheduler.add(arriving[:count])
            del arriving[:count]
        elif event < 0.6:
            longest = max((len(task.source) for task in in_work), default=0)
            most, tokens = rng.randint(1, 5), rng.randint(1, 40)
            taken = scheduler.take(most, tokens, live=len(in_work), longest=longest)
            assert len(taken) <= most
            assert taken or in_work or not scheduler.num_waiting
            in_work += taken
            assert len(in_work) <= 1 or not taken or len(in_work) * max(len(t.source) for t in in_work) <= tokens
        elif event < 0.65 and in_work and given_back < 20:
            scheduler.give_back(in_work)
            in_work, given_back = [], given_back + 1
        elif in_work:
            task = in_work.pop(rng.randrange(len(in_work)))
            assert task.max_tokens == 2 * len(task.source)
            scheduler.finish(task, f"<{task.source}>")
        out += list(scheduler.ready())
    assert out == [[f"<{source}>" for source in line] for line in lines]
    sentences = [source for line in lines for source in line]
    assert scheduler.num_sentences == len(sentences)
    assert len(set(sentences)) <= scheduler.num_distinct <= len(sentences)


def finish_all(scheduler: Scheduler[str]) -> list[Task]:
    tasks = scheduler.take(10**9, 10**9)
    for task in tasks:
        scheduler.finish(task, "done")
    return tasks


def test_equal_sentences_are_decoded_once_now_and_later() -> None:
    scheduler: Scheduler[str] = Scheduler(lambda length: 9)
    scheduler.add([[(1, 2)], [(3,), (1, 2)], [(1, 2)]])
    assert len(finish_all(scheduler)) == 2
    assert len(list(scheduler.ready())) == 3
    scheduler.add([[(3,)], [(4,)]])
    assert [task.source for task in finish_all(scheduler)] == [(4,)]
    assert (scheduler.num_sentences, scheduler.num_distinct) == (6, 3)


def test_what_was_long_not_seen_is_forgotten() -> None:
    scheduler: Scheduler[str] = Scheduler(lambda length: 9, remember=2)
    for source in [(1,), (2,), (1,), (3,), (1,), (2,)]:
        scheduler.add([[source]])
        finish_all(scheduler)
    assert scheduler.num_distinct == 4  # only (2,) was forgotten


def test_windows_meet_where_lengths_are_alike() -> None:
    scheduler: Scheduler[str] = Scheduler(lambda length: 9)
    scheduler.add([[(1,) * n] for n in (2, 5, 3)])
    scheduler.add([[(2,) * n] for n in (4, 1, 6)])
    assert [len(task.source) for task in scheduler.take(9, 99)] == [5, 3, 2, 1, 4, 6]


def test_a_huge_sentence_is_taken_when_there_is_no_other() -> None:
    scheduler: Scheduler[str] = Scheduler(lambda length: 9)
    scheduler.add([[(1,) * 100], [(2,)]])
    assert scheduler.take(9, 50, live=1, longest=3) == []
    assert [len(task.source) for task in scheduler.take(9, 50)] == [100]
    assert [len(task.source) for task in scheduler.take(9, 50)] == [1]
