"""Under load: full queues, vanished and slow clients, too much at once, and an end in good order."""

import http.client
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.serving import RunningServer, gauge, running_server

from mtcli.serve.guards import BoundedBody
from mtcli.serve.refusals import RefusalError
from mtcli.serve.settings import Limits

MANY = "\n".join(f"There are {number} men at the station." for number in range(20_000))


@contextmanager
def busy(server: RunningServer, text: str = MANY) -> Iterator[http.client.HTTPConnection]:
    """Have a text under way; whoever leaves the block early has not waited for its answer."""
    connection = server.connection()
    try:
        body = b'{"q": "%s", "source": "en", "target": "de"}' % text.replace("\n", "\\n").encode()
        connection.request("POST", "/translate", body, {"Content-Type": "application/json"})
        while not gauge(server, "mtcli_queue_lines"):
            pass
        yield connection
    finally:
        connection.close()


def wait_until_empty(server: RunningServer) -> None:
    while gauge(server, "mtcli_queue_lines") or gauge(server, "mtcli_model_slots_used"):
        pass


def test_a_client_that_vanishes_frees_its_slots(server: RunningServer) -> None:
    before = gauge(server, "mtcli_decoded_total")
    with busy(server):
        pass
    wait_until_empty(server)
    assert gauge(server, "mtcli_decoded_total") - before < 20_000
    assert server.translate("Good morning.")


def test_a_full_queue_sends_away_and_says_for_how_long(tmp_path: Path) -> None:
    with running_server(tmp_path, "--queue", "5") as server:
        with busy(server):
            answer = server.post("/translate", {"q": "a", "source": "en", "target": "de"})
            assert answer.status == 429 and answer.json()["error"].startswith("Slowdown")
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            deepl = server.post("/v2/translate", {"text": ["a"], "source_lang": "EN", "target_lang": "DE"})
            assert deepl.status == 429 and "message" in deepl.json()
        wait_until_empty(server)
        assert server.translate("Good morning.")


def test_limits_of_a_request(tmp_path: Path) -> None:
    with running_server(tmp_path, "--char-limit", "20", "--batch-limit", "3", "--timeout", "0.1") as server:
        long = server.post("/translate", {"q": "a" * 21, "source": "en", "target": "de"})
        assert (long.status, long.json()["error"]) == (400, "Invalid request: request (21) exceeds text limit (20)")
        many = server.post("/translate", {"q": ["a"] * 4, "source": "en", "target": "de"})
        assert (many.status, many.json()["error"]) == (400, "Invalid request: request (4) exceeds batch limit (3)")
        assert server.ask("GET", "/frontend/settings").json()["charLimit"] == 20
        huge = server.ask("POST", "/translate", b"a" * 3_000_000, {"Content-Type": "application/json"})
        assert huge.status == 413


def test_an_answer_may_take_so_long_and_no_longer(tmp_path: Path) -> None:
    with running_server(tmp_path, "--timeout", "0.1") as server:
        answer = server.post("/translate", {"q": MANY, "source": "en", "target": "de"})
        assert answer.status == 503 and "longer than 0.1 s" in answer.json()["error"]
        wait_until_empty(server)


def test_two_hundred_slow_connections_hold_nobody_up(server: RunningServer) -> None:
    request = b"POST /translate HTTP/1.1\r\nHost: slow\r\nContent-Length: 100\r\n\r\n{"
    slow = [socket.create_connection(server.address) for _ in range(200)]
    try:
        for place in range(len(request)):
            for connection in slow:
                connection.send(request[place : place + 1])
            if place % 20 == 0:
                assert server.translate("Good morning.").startswith("Guten Morgen")
        assert server.translate("Good morning.").startswith("Guten Morgen")
    finally:
        for connection in slow:
            connection.close()


PATIENT = """
import sys
from mtcli.model_directory.box import IN_THE_BOX
from mtcli.serve.server import serve
from mtcli.serve.settings import Limits, NamedModel, ServeSettings

limits = Limits(body_seconds=0.3)
settings = ServeSettings(models=[NamedModel(IN_THE_BOX)], limits=limits)
serve(settings, "127.0.0.1", 0, lambda sentence: print(sentence, file=sys.stderr, flush=True))
"""


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"", b""),
        (b"POST /transl", b""),
        (b"POST /translate HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", b"408"),
    ],
)
def test_a_request_that_never_ends_is_ended(sent: bytes, answer: bytes, tmp_path: Path) -> None:
    with running_server(tmp_path, program=PATIENT) as server, socket.create_connection(server.address) as connection:
        connection.sendall(sent)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
        assert received.split(b" ")[1:2] == ([answer] if answer else [])


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_beyond_the_bound_is_not_read(declared: bool) -> None:
    read = 0

    async def receive() -> dict[str, object]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"a" * 60, "more_body": True}

    async def app(scope: object, receive: object, send: object) -> None:
        while True:
            await receive()  # type: ignore[operator]

    async def scene() -> None:
        headers = [(b"content-length", b"1000")] if declared else []
        scope = {"type": "http", "path": "/translate", "headers": headers}
        await BoundedBody(app, Limits(body_bytes=100))(scope, receive, None)  # type: ignore[arg-type]

    import asyncio

    with pytest.raises(RefusalError) as refusal:
        asyncio.run(scene())
    assert refusal.value.status == 413
    assert read == (0 if declared else 2)


def test_sigterm_lets_it_finish_and_refuses_others(tmp_path: Path) -> None:
    lines = MANY.split("\n")[:3000]
    with running_server(tmp_path) as server:
        server.wait_until_ready()
        with busy(server, "\n".join(lines)) as connection:
            server.process.send_signal(signal.SIGTERM)
            while "Finishing 1 requests" not in server.log:
                assert server.process.poll() is None
            late = server.post("/translate", {"q": "a", "source": "en", "target": "de"})
            assert late.status == 503 and late.headers["retry-after"] == "5"
            assert server.ask("GET", "/health").json() == {"status": "draining"}
            response = connection.getresponse()
            assert response.status == 200
            assert response.read().count(b"\\n") == len(lines) - 1
        assert server.process.wait() == 0
    assert "Traceback" not in server.log


def test_told_twice_it_ends_at_once(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        server.wait_until_ready()
        with busy(server):
            server.process.send_signal(signal.SIGINT)
            while "Finishing" not in server.log:
                assert server.process.poll() is None
            assert server.end(signal.SIGINT) == 130


def test_killed_and_started_again_on_its_port(tmp_path: Path) -> None:
    with running_server(tmp_path) as server, busy(server):
        port = str(server.address[1])
        server.end(signal.SIGKILL)
    with running_server(tmp_path, "--port", port) as server:
        server.wait_until_ready()
        assert server.translate("Good morning.").startswith("Guten Morgen")


def test_many_clients_get_what_one_gets(server: RunningServer) -> None:
    texts = [f"I have {number} brothers and {number} sisters." for number in range(40)]
    alone = [server.translate(text) for text in texts]
    found: dict[int, str] = {}

    def ask(first: int) -> None:
        for place in range(first, len(texts), 8):
            found[place] = server.translate(texts[place])

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[place] for place in range(len(texts))] == alone
