"""Files over HTTP: translated as the command does, fetched by an id, never half."""

import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.command import mtcli
from support.serving import Answer, RunningServer, running_server

TEXT = b"Where is the station?\n\nI love you.\r\nGood morning."
TABLE = b"Good morning.\tkept\nI love you.\t\n"
CUES = b"1\n00:00:01,000 --> 00:00:02,000\nWhere is <i>my book</i>?\n\n2\n00:00:03,000 --> 00:00:04,000\nI am %s.\n"
CATALOGUE = b'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Good morning."\nmsgstr ""\n'
RECORDS = b'{"text": "Good morning.", "id": 7}\n'
BOUNDARY = "boundary"


def send(server: RunningServer, name: str, content: bytes, **fields: str) -> Answer:
    """Send a file as a browser's form does."""
    values = {"source": "en", "target": "de", **fields}
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{one}\r\n' for key, one in values.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = "".join([*parts, head]).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    return server.ask("POST", "/translate_file", body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})


def fetch(server: RunningServer, url: str) -> Answer:
    return server.ask("GET", urlsplit(url).path)


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.txt", TEXT, ["--input-format", "text"]),
        ("a.tsv", TABLE, ["--input-format", "tsv"]),
        ("a.JSONL", RECORDS, ["--input-format", "jsonl", "--format", "jsonl"]),
        ("empty.txt", b"", []),
        ("film.srt", CUES, ["--input-format", "srt"]),
        ("app.po", CATALOGUE, ["--input-format", "po"]),
        ("a.md", b"# My *house*\n\nIt is `big`.\n", ["--input-format", "markdown"]),
    ],
)
def test_a_file_comes_back_as_the_command_writes_it(
    name: str, content: bytes, options: list[str], server: RunningServer
) -> None:
    answer = send(server, name, content)
    assert answer.status == 200, answer.text
    url = answer.json()["translatedFileUrl"]
    assert url.startswith(server.url)
    found = fetch(server, url)
    assert found.body == mtcli("translate", "--quiet", *options, stdin=content).stdout
    assert found.headers["content-disposition"].startswith("attachment")


def test_the_language_of_a_file_is_found_out(server: RunningServer) -> None:
    german = "Wo ist denn hier der nächste Bahnhof?\n".encode()
    found = send(server, "a.txt", german, source="auto")
    assert fetch(server, found.json()["translatedFileUrl"]).body == german


@pytest.mark.parametrize(
    ("name", "content", "fields", "status", "sentence"),
    [
        ("a.pdf", b"%PDF", {}, 400, "file format not supported; supported are .arb, .doc"),
        ("a.txt", b"a\n\xff\n", {}, 400, "a.txt:2"),
        ("a.txt", b"\x1f\x8b\x08\x00", {}, 400, "compressed"),
        ("a.jsonl", b"[1]\n", {}, 400, "a.jsonl:1"),
        ("a.po", b'msgid "\xff"\n', {}, 400, "a.po:1"),
        ("a.srt", b"no cues", {}, 400, "a.srt:1"),
        ("a.txt", b"a", {"source": "zz"}, 400, "zz is not supported"),
        ("a.txt", b"a", {"target": "fr"}, 400, "fr is not supported"),
        ("", b"a", {}, 400, "no name"),
    ],
)
def test_a_file_that_cannot_be_translated(
    name: str, content: bytes, fields: dict[str, str], status: int, sentence: str, server: RunningServer
) -> None:
    answer = send(server, name, content, **fields)
    assert (answer.status, sentence in answer.json()["error"]) == (status, True), answer.text
    assert "mtcli-serve" not in answer.text, "no path of the server's is told"


def test_a_name_is_never_a_path(server: RunningServer) -> None:
    answer = send(server, "../../../tmp/x\\y<z>.txt", TEXT)
    url = urlsplit(answer.json()["translatedFileUrl"]).path
    assert url.count("/") == 2 and ".." not in url and "<" not in url
    for path in ("/download_file/../../etc/passwd", "/download_file/%2e%2e%2fetc%2fpasswd", "/download_file/none.txt"):
        assert server.ask("GET", path).status == 404


def test_progress_is_told_and_the_file_is_there_at_the_end(server: RunningServer) -> None:
    begun = send(server, "a.txt", TEXT, wait="false")
    assert begun.status == 202
    progress = urlsplit(begun.json()["progressUrl"]).path
    while (told := server.ask("GET", progress).json())["state"] == "translating":
        assert 0 <= told["share"] <= 1
    assert (told["state"], told["share"]) == ("done", 1.0)
    assert fetch(server, told["translatedFileUrl"]).body.count(b"\n") == TEXT.count(b"\n")


def test_files_that_nobody_fetches_do_not_pile_up(tmp_path: Path) -> None:
    with running_server(tmp_path, env={"TMPDIR": str(tmp_path)}) as server:
        urls = [send(server, "a.txt", b"1\n").json()["translatedFileUrl"] for _ in range(103)]
        assert fetch(server, urls[-1]).body == b"1\n"
        assert [fetch(server, url).status for url in urls[:2]] == [404, 404]
        assert len(list(tmp_path.glob("mtcli-serve-*/*.txt"))) <= 101


def test_text_is_told_where_that_is_wanted_and_keys_are_not(tmp_path: Path) -> None:
    with running_server(tmp_path, "--log-text") as server:
        assert server.translate("Good morning.", api_key="hidden")
        assert send(server, "a.txt", TEXT, api_key="hidden").status == 200
        assert "Good morning." in server.log and "hidden" not in server.log


def test_too_large_a_file_is_refused(tmp_path: Path) -> None:
    with running_server(tmp_path, "--file-limit", "1") as server:
        answer = send(server, "a.txt", b"a" * 1_010_000)
        assert answer.status == 413 and "1,000,000" in answer.json()["error"]
        assert send(server, "a.txt", b"a" * 5_000_000).status == 413


def test_a_killed_server_leaves_no_half_file_behind(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    many = b"".join(b"There are %d men at the station.\n" % number for number in range(20_000))
    with running_server(tmp_path, env={"TMPDIR": str(temporary)}) as server:
        begun = send(server, "a.txt", many, wait="false").json()
        assert begun["state"] == "translating"
        early = server.ask(
            "GET", urlsplit(begun["progressUrl"]).path.replace("file_progress", "download_file") + ".txt"
        )
        assert early.status == 409
        server.end(signal.SIGKILL)
    assert list(temporary.glob("mtcli-serve-*")), "nobody could clear up"
    with running_server(tmp_path, env={"TMPDIR": str(temporary)}) as server:
        server.wait_until_ready()
        assert len(list(temporary.glob("mtcli-serve-*"))) == 1, "what was left is gone"
        answer = server.ask("GET", urlsplit(begun["progressUrl"]).path)
        assert answer.status == 404 and "started anew" in answer.json()["error"]
        assert server.translate("Good morning.")
        assert server.end() == 0
    assert not list(temporary.glob("mtcli-serve-*"))
