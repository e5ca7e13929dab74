"""One queue for all callers: each gets its own back in order, and what is given up is forgotten."""

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.decoding.search import Sentence, Task
from mtcli.decoding.stream import FAIR_SHARE, Call, Stream

Shouting = Stream[str]


def sentence(text: str) -> Sentence:
    return Sentence(tuple(map(ord, text)), 9)


def texts(tasks: list[Task] | None) -> list[str]:
    return ["".join(map(chr, task.source)) for task in tasks or []]


def shouted(tasks: list[Task]) -> list[tuple[Task, str]]:
    return [(task, text.upper()) for task, text in zip(tasks, texts(tasks), strict=True)]


def take(stream: Shouting, most: int = 100, *, live: int = 0, longest: int = 0) -> list[Task]:
    return stream.take(most, 10**6, live=live, longest=longest) or []


def give(stream: Shouting, *lines: str, when_ready: Callable[[], None] | None = None) -> Call[str]:
    call = stream.open(when_ready=when_ready)
    call.add([[sentence(line)] for line in lines], last=True)
    return call


@given(st.lists(st.lists(st.text(st.sampled_from("abc"), max_size=3), max_size=9), max_size=5), st.integers(1, 7))
def test_each_call_gets_its_own_back_in_order(calls: list[list[str]], most: int) -> None:
    stream = Shouting(2)
    opened = [stream.open() for _ in calls]
    for call, lines in zip(opened, calls, strict=True):
        call.add([[sentence(line)] if line else [] for line in lines], last=True)
    while tasks := take(stream, most):
        stream.finish(shouted(tasks)[::-1])
    found = [[(results or [""])[0] for results in call.ready()] for call in opened]
    assert found == [[line.upper() for line in lines] for lines in calls]


def test_calls_take_turns() -> None:
    stream = Shouting(1)
    give(stream, *(f"large {number}" for number in range(1000)))
    give(stream, "small")
    assert "small" in texts(take(stream, 4))
    give(stream, "another")
    assert "another" in texts(take(stream, 4))


def test_what_one_call_leaves_another_gets() -> None:
    stream = Shouting(1)
    give(stream, "small")
    give(stream, *(f"large {number}" for number in range(1000)))
    assert len(take(stream, 10)) == 10


def test_sentences_are_shared_among_the_threads() -> None:
    stream = Shouting(2)
    give(stream, *(f"{number}" for number in range(64)))
    assert len(take(stream)) == 32
    assert len(take(stream)) == FAIR_SHARE


def test_threads_are_asked_for_as_sentences_come() -> None:
    asked: list[int] = []
    stream = Shouting(3, asked.append)
    call = stream.open()
    for count in (0, 1, FAIR_SHARE, 10 * FAIR_SHARE):
        call.add([[sentence(f"{count} {number}")] for number in range(count)])
    assert asked == [0, 1, 2, 3]


def test_sentences_given_back_are_the_next() -> None:
    stream = Shouting(1)
    call = give(stream, "a", "b")
    tasks = take(stream)
    stream.give_back(tasks)
    assert take(stream) == tasks
    stream.finish(shouted(tasks))
    assert call.ready() == [["A"], ["B"]]


def test_a_closed_call_is_forgotten() -> None:
    stream = Shouting(1)
    call, other = give(stream, "a", "b"), give(stream, "c")
    tasks = take(stream, 2)
    call.close()
    assert [stream.is_unwanted(task) for task in tasks] == [text != "c" for text in texts(tasks)]
    assert stream.num_given_up == 1
    stream.finish(shouted(tasks))
    stream.give_back(tasks)
    stream.finish(shouted(take(stream)))
    assert other.ready() == [["C"]]
    assert stream.take(1, 9, live=0, longest=0) is None


def test_an_error_reaches_the_calls_it_concerns() -> None:
    stream, told = Shouting(1), []
    call = give(stream, "a", "b", when_ready=lambda: told.append(1))
    other = give(stream, "c")
    tasks = take(stream)
    concerned = [task for task, text in zip(tasks, texts(tasks), strict=True) if text == "a"]
    stream.fail(concerned, MemoryError("none left"))
    stream.finish(shouted(tasks))
    with pytest.raises(MemoryError, match="none left"):
        call.ready()
    assert told == [1]
    assert other.ready() == [["C"]]


def test_an_error_of_all_reaches_all() -> None:
    stream = Shouting(1)
    calls = [give(stream, "a"), give(stream, "b")]
    stream.fail_all(OSError("no engine"))
    for call in calls:
        with pytest.raises(OSError, match="no engine"):
            call.ready()


def test_threads_wait_while_sentences_may_come_and_go_home_when_none_will() -> None:
    stream = Shouting(2)
    call, found = stream.open(), []

    def work() -> None:
        while (tasks := stream.take(9, 99, live=0, longest=0)) is not None:
            found.extend(texts(tasks))
            stream.finish(shouted(tasks))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    call.add([[sentence("first")]])
    with call.lock:
        while not call.ready():
            call.changed.wait()
    call.add([[sentence("last")]], last=True)
    for thread in threads:
        thread.join()
    assert found == ["first", "last"]


def test_a_call_whose_caller_ended_with_the_program_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, calls = Shouting(1), []
    caller = threading.Thread(target=lambda: calls.append(give(stream, "a")))
    caller.start()
    caller.join()
    assert texts(take(stream)) == ["a"]  # the program goes on: somebody may still ask for the results
    monkeypatch.setattr(threading, "main_thread", lambda: caller)
    assert stream.take(9, 99, live=0, longest=0) is None
    assert calls[0].is_closed
