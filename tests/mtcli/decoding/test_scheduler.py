"""No line is lost, none comes twice, and all come out in order, whatever happens to their sentences between."""

import random

from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples

from mtcli.decoding.scheduler import Scheduler
from mtcli.decoding.search import Sentence, Task

Lines = list[list[Sentence]]


def sentence(*source: int) -> Sentence:
    return Sentence(source, 2 * len(source))


def random_lines(rng: random.Random, count: int) -> Lines:
    """Lines of no, one or several sentences; there are so few different ones that many are equal."""
    different = [sentence(*(rng.randrange(9) for _ in range(rng.randint(1, 6)))) for _ in range(rng.randint(1, 12))]
    return [rng.choices(different, k=rng.choice([0, 1, 1, 1, 2, 4])) for _ in range(count)]


@examples(500, 20_000)
@given(st.integers(0, 2**32))
def test_every_line_comes_out_once_in_order(seed: int) -> None:
    rng = random.Random(seed)
    scheduler: Scheduler[str] = Scheduler(remember=rng.choice([0, 2, 100]))
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
    assert out == [[f"<{each.source}>" for each in line] for line in lines]
    sentences = [each for line in lines for each in line]
    assert scheduler.num_sentences == len(sentences)
    assert len(set(sentences)) <= scheduler.num_distinct <= len(sentences)


def finish_all(scheduler: Scheduler[str]) -> list[Task]:
    tasks = scheduler.take(10**9, 10**9)
    for task in tasks:
        scheduler.finish(task, "done")
    return tasks


def test_equal_sentences_are_decoded_once_now_and_later() -> None:
    scheduler: Scheduler[str] = Scheduler()
    scheduler.add([[sentence(1, 2)], [sentence(3), sentence(1, 2)], [sentence(1, 2)]])
    assert len(finish_all(scheduler)) == 2
    assert len(list(scheduler.ready())) == 3
    scheduler.add([[sentence(3)], [sentence(4)]])
    assert [task.source for task in finish_all(scheduler)] == [(4,)]
    assert (scheduler.num_sentences, scheduler.num_distinct) == (6, 3)


def test_a_sentence_with_another_limit_is_another() -> None:
    scheduler: Scheduler[str] = Scheduler()
    scheduler.add([[Sentence((1,), 5)], [Sentence((1,), 6)]])
    assert [task.max_tokens for task in finish_all(scheduler)] == [5, 6]


def test_equal_sentences_are_decoded_apart_where_that_is_wanted() -> None:
    scheduler: Scheduler[str] = Scheduler(merge_equal=False)
    scheduler.add([[sentence(1)], [sentence(1), sentence(1)]])
    assert len(finish_all(scheduler)) == 3
    scheduler.add([[sentence(1)]])
    assert len(finish_all(scheduler)) == 1
    assert list(scheduler.ready()) == [["done"], ["done", "done"], ["done"]]


def test_what_was_long_not_seen_is_forgotten() -> None:
    scheduler: Scheduler[str] = Scheduler(remember=2)
    for token in (1, 2, 1, 3, 1, 2):
        scheduler.add([[sentence(token)]])
        finish_all(scheduler)
    assert scheduler.num_distinct == 4  # only (2,) was forgotten


def test_windows_meet_where_lengths_are_alike() -> None:
    scheduler: Scheduler[str] = Scheduler()
    scheduler.add([[sentence(*n * [1])] for n in (2, 5, 3)])
    scheduler.add([[sentence(*n * [2])] for n in (4, 1, 6)])
    assert [len(task.source) for task in scheduler.take(9, 99)] == [5, 3, 2, 1, 4, 6]


def test_a_huge_sentence_is_taken_when_there_is_no_other() -> None:
    scheduler: Scheduler[str] = Scheduler()
    scheduler.add([[sentence(*100 * [1])], [sentence(2)]])
    assert scheduler.take(9, 50, live=1, longest=3) == []
    assert [len(task.source) for task in scheduler.take(9, 50)] == [100]
    assert [len(task.source) for task in scheduler.take(9, 50)] == [1]
