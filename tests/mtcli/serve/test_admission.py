"""The queue: what is let in, what is sent away, and how it empties."""

import asyncio

import pytest

from mtcli.serve.admission import Admission
from mtcli.serve.refusals import RefusalError


def test_lines_beyond_the_bound_are_sent_away() -> None:
    async def scene() -> None:
        admission = Admission(10)
        with admission.admit(6):
            with pytest.raises(RefusalError) as refusal, admission.admit(5):
                pass
            assert refusal.value.status == 429
            assert refusal.value.retry_after is not None and refusal.value.retry_after >= 1
            with admission.admit(4):
                assert admission.under_way == 10
        assert (admission.under_way, admission.requests) == (0, 0)

    asyncio.run(scene())


def test_what_is_larger_than_the_queue_is_let_in_alone() -> None:
    async def scene() -> None:
        admission = Admission(10)
        with admission.admit(50):
            assert admission.under_way == 50

    asyncio.run(scene())


def test_draining_waits_for_those_inside_and_refuses_others() -> None:
    async def scene() -> None:
        admission = Admission(10)
        leave = asyncio.Event()

        async def inside() -> None:
            with admission.admit(1):
                await leave.wait()

        task = asyncio.create_task(inside())
        await asyncio.sleep(0)
        assert not await admission.drained(0.0)
        with pytest.raises(RefusalError) as refusal, admission.admit(1):
            pass
        assert (refusal.value.status, refusal.value.retry_after) == (503, 5)
        leave.set()
        assert await admission.drained(60.0)
        await task

    asyncio.run(scene())
