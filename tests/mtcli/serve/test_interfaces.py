"""The interfaces, asked by plain requests: what clients rely on, to the letter."""

import json
import socket
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from support.command import mtcli
from support.serving import RunningServer, gauge, running_server

from mtcli.model_directory.box import IN_THE_BOX

TEXT = "Where is the station?"
LINES = "Where is the station?\n\nI love you.\r\n   \nGood morning, Tom. How are you today?\n"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def by_command() -> dict[str, str]:
    """What `mtcli translate` makes of the texts."""
    made = {text: mtcli("translate", "--quiet", stdin=text.encode()) for text in (TEXT, LINES)}
    return {text: finished.stdout.decode() for text, finished in made.items()}


def test_an_answer_is_what_the_command_writes(server: RunningServer, by_command: dict[str, str]) -> None:
    assert server.translate(TEXT) == by_command[TEXT]
    assert server.translate(LINES) == by_command[LINES]
    assert server.translate([LINES, TEXT, ""]) == [by_command[LINES], by_command[TEXT], ""]
    assert server.translate([]) == []


def test_text_comes_as_json_form_or_query(server: RunningServer, by_command: dict[str, str]) -> None:
    query = f"q={quote(TEXT)}&source=EN&target=de"
    for answer in (
        server.ask("POST", "/translate", query, FORM),
        server.ask("POST", f"/translate?{query}"),
        server.ask("POST", "/translate", json.dumps({"q": TEXT, "source": "en", "target": "de-AT"})),
    ):
        assert answer.json() == {"translatedText": by_command[TEXT]}
    several = server.ask("POST", "/translate", f"q=a&{query}", FORM).json()["translatedText"]
    assert several[1] == by_command[TEXT]


def test_alternatives_are_other_translations(server: RunningServer, by_command: dict[str, str]) -> None:
    asked = {"q": TEXT, "source": "en", "target": "de", "alternatives": 2}
    one = server.post("/translate", asked).json()
    assert one["translatedText"] == by_command[TEXT]
    assert len(one["alternatives"]) == 2 and by_command[TEXT] not in one["alternatives"]
    many = server.post("/translate", {**asked, "q": [TEXT, TEXT]}).json()
    assert many["alternatives"] == [one["alternatives"]] * 2
    assert len(server.post("/translate", {**asked, "alternatives": 1000}).json()["alternatives"]) <= 3


def test_what_is_at_fault_is_repaired_or_flagged(server: RunningServer) -> None:
    before = [gauge(server, f"mtcli_{name}_total") for name in ("repaired", "flagged")]
    asked = {"q": "Open %s now.", "source": "en", "target": "de"}
    mended = server.post("/translate", asked).json()
    assert "%s" in mended["translatedText"] and "flags" not in mended
    lost = {**asked, "q": "More than 1904 people came."}
    flagged = server.post("/translate", lost).json()
    assert flagged["flags"] == ["number"]
    both = server.post("/translate", {**lost, "q": [asked["q"], lost["q"]]}).json()
    assert both["flags"] == [[], ["number"]]
    after = [gauge(server, f"mtcli_{name}_total") for name in ("repaired", "flagged")]
    assert [now - then for then, now in zip(before, after, strict=True)] == [2, 2]


def test_a_server_may_leave_faults(tmp_path: Path) -> None:
    with running_server(tmp_path, "--no-repair") as plain:
        plain.wait_until_ready()
        answer = plain.post("/translate", {"q": "Open %s now.", "source": "en", "target": "de"}).json()
    assert answer.keys() == {"translatedText"} and "%s" not in answer["translatedText"]


def test_the_language_is_found_out(server: RunningServer, by_command: dict[str, str]) -> None:
    one = server.post("/translate", {"q": TEXT, "source": "auto", "target": "de"}).json()
    assert one["translatedText"] == by_command[TEXT] and one["detectedLanguage"]["language"] == "en"
    german = "Wo ist denn hier der nächste Bahnhof?"
    many = server.post("/translate", {"q": [TEXT, german], "source": "auto", "target": "de"}).json()
    assert [found["language"] for found in many["detectedLanguage"]] == ["en", "de"]
    assert many["translatedText"] == [by_command[TEXT], german]
    found = server.post("/detect", {"q": german}).json()
    assert found[0]["language"] == "de" and 50 < found[0]["confidence"] <= 100
    assert server.ask("GET", "/detect").status == 405


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"source": "en", "target": "de"}, "Invalid request: missing q parameter"),
        ({"q": "a", "target": "de"}, "Invalid request: missing source parameter"),
        ({"q": "a", "source": "en"}, "Invalid request: missing target parameter"),
        ({"q": "a", "source": "zz", "target": "de"}, "zz is not supported"),
        ({"q": "a", "source": "en", "target": "zz"}, "zz is not supported"),
        (
            {"q": "a", "source": "de", "target": "en"},
            "English (en) is not available as a target language from German (de)",
        ),
        ({"q": "\ud800", "source": "en", "target": "de"}, "Invalid request: a text holds half of a surrogate pair"),
        ({"q": "a", "source": "en", "target": "de", "format": "pdf"}, "Invalid request: format"),
    ],
)
def test_what_is_wrong_is_said(content: dict[str, str], sentence: str, server: RunningServer) -> None:
    answer = server.post("/translate", content)
    assert answer.status == 400
    assert answer.json()["error"].startswith(sentence)


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"q": ' + b"[" * 100_000, b"null"])
def test_what_is_no_json_is_no_bug(body: bytes, server: RunningServer) -> None:
    answer = server.ask("POST", "/translate", body, {"Content-Type": "application/json"})
    assert (answer.status, answer.json()["error"].startswith("Invalid")) == (400, True)


def test_html_keeps_its_tags_and_makes_none(server: RunningServer) -> None:
    page = "<p>Good morning. <!-- so --><br>&lt;script&gt;</p>"
    found = server.translate(page, format="html")
    assert found.startswith("<p>Guten Morgen") and "<!-- so --><br>" in found and "<script" not in found
    asked = "<p>Where is <b>my book</b>?</p>"  # one sentence, whatever is bold in it
    assert server.translate(asked, format="html") == "<p>Wo ist <b>mein Buch</b>?</p>"


def test_languages_and_settings(server: RunningServer) -> None:
    assert server.ask("GET", "/languages").json() == [
        {"code": "en", "name": "English", "targets": ["de", "en"]},
        {"code": "de", "name": "German", "targets": ["de"]},
    ]
    settings = server.ask("GET", "/frontend/settings").json()
    assert settings["charLimit"] == -1 and {".docx", ".po", ".txt"} < set(settings["supportedFilesFormat"])
    assert settings["language"]["target"] == {"code": "de", "name": "German"}
    assert server.post("/suggest", {"q": "a", "s": "b", "source": "en", "target": "de"}).json() == {"success": False}


def test_opus_cat_is_found_in_any_case(server: RunningServer, by_command: dict[str, str]) -> None:
    query = f'tokenCode=0&input={quote(TEXT)}&srcLangCode=en&trgLangCode=de&modelTag=""'.replace('"', "%22")
    for base in ("/MTRestService", "/MtRestService", "/mtrestservice"):
        found = server.ask("GET", f"{base}/TranslateJson?{query}").json()
        assert found["translation"] == by_command[TEXT]
        assert "".join(found["segmentedTranslation"]).replace("▁", " ").strip() == by_command[TEXT]
        assert len(found["alignmentString"].split()) == len(found["segmentedTranslation"])
    assert server.ask("GET", "/MTRestService/ListSupportedLanguagePairs").json() == ["en-de"]
    assert server.ask("GET", "/MTRestService/GetLanguagePairModelTags?srcLangCode=en&trgLangCode=de").json() == [
        "en-de"
    ]
    assert server.ask("POST", "/MTRestService/Customize").status == 404


def test_omegat_sends_its_bar_raw(server: RunningServer, by_command: dict[str, str]) -> None:
    with socket.create_connection(server.address) as connection:
        path = f"/translate?q={quote(TEXT)}&markUnknown=no&langpair=en|de&key="
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    found = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert found["responseStatus"] == 200
    assert found["responseData"]["translatedText"] == by_command[TEXT]
    wrong = server.ask("GET", "/translate?q=a&langpair=ende")
    assert wrong.status == 400 and wrong.json()["explanation"]
    pairs = server.ask("GET", "/listPairs").json()["responseData"]
    assert pairs == [{"sourceLanguage": "en", "targetLanguage": "de"}]


def test_attention_tells_which_words_belong_together(server: RunningServer, by_command: dict[str, str]) -> None:
    found = server.post("/attention", {"q": f"{TEXT}\n\nI love you.", "source": "en", "target": "de"}).json()
    assert found["translation"].startswith(f"{by_command[TEXT]}\n\n")
    assert found["source"] == f"{TEXT} I love you.".split()
    assert found["target"] == found["translation"].split()
    assert [len(row) for row in found["weights"]] == [len(found["source"])] * len(found["target"])
    assert all(sum(row) == pytest.approx(1, abs=0.01) for row in found["weights"])
    second = found["weights"][found["target"].index("Ich")]
    assert second.index(max(second)) == found["source"].index("I")


def test_weblate_can_save_its_settings(server: RunningServer) -> None:
    assert server.translate("test").strip()
    form = "text=test&source_lang=EN&target_lang=DE"
    found = server.ask("POST", "/v2/translate", form, {**FORM, "Authorization": "DeepL-Auth-Key x"}).json()
    assert found["translations"][0]["text"].strip()
    assert server.ask("GET", "/v2/languages?type=target").json()[0]["language"] == "DE"


def test_what_deepl_has_and_this_server_has_not(server: RunningServer) -> None:
    for path in ("/v2/glossaries", "/v2/document", "/v2/glossary-language-pairs"):
        answer = server.ask("GET", path)
        assert answer.status == 404 and "message" in answer.json()
    malformed = {"text": ["<b>a"], "source_lang": "EN", "target_lang": "DE", "tag_handling": "xml"}
    assert server.post("/v2/translate", malformed).status == 200
    answer = server.post("/v2/translate", {**malformed, "tag_handling_version": "v2"})
    assert answer.status == 400 and "well-formed" in answer.json()["message"]


def test_health_and_metrics(server: RunningServer) -> None:
    assert server.ask("GET", "/health").json() == {"status": "ok"}
    server.translate(TEXT)
    text = server.ask("GET", "/metrics").text
    assert 'mtcli_requests_total{interface="libretranslate",status="200"}' in text
    assert 'mtcli_target_tokens_total{model="en-de"}' in text
    assert "process_resident_memory_bytes" in text and "mtcli_queue_lines 0.0" in text


def test_every_answer_has_headers_that_trust_little(server: RunningServer) -> None:
    for path in ("/health", "/languages", "/nothing", "/", "/page/none.js"):
        headers = server.ask("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "unsafe" not in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers


def test_only_named_origins_may_ask_from_a_browser(tmp_path: Path) -> None:
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    with running_server(tmp_path, "--cors", "https://a.example") as other:
        for origin, allowed in (("https://a.example", "https://a.example"), ("https://b.example", None)):
            headers = other.ask("OPTIONS", "/translate", headers={**asked, "Origin": origin}).headers
            assert headers.get("access-control-allow-origin") == allowed
            assert "access-control-allow-credentials" not in headers
            answer = other.ask("GET", "/languages", headers={"Origin": origin})
            assert answer.headers.get("access-control-allow-origin") == allowed


def test_the_page_translates_without_javascript(server: RunningServer, by_command: dict[str, str]) -> None:
    body = f"q={quote(TEXT)}&source=en&target=de"
    page = server.ask("POST", "/", body, FORM)
    assert page.status == 200 and by_command[TEXT] in page.text and TEXT in page.text
    hostile = '"><script>alert(1)</script>'
    page = server.ask("POST", "/", f"q={quote(hostile)}&source={quote(hostile)}&target={quote(hostile)}", FORM)
    assert page.status == 400 and "<script>alert" not in page.text
    for path in ("/page/index.html", "/page/../__init__.py", "/page/%2e%2e%2f__init__.py", "/page/"):
        assert server.ask("GET", path).status == 404


def test_no_text_is_logged(server: RunningServer) -> None:
    server.ask("POST", f"/translate?q={quote('Unmentionable word.')}&source=en&target=de")
    assert "POST /translate" in server.log
    assert "nmentionable" not in server.log


def test_over_a_language_between(tmp_path: Path) -> None:
    models = [f"-m{direction}={IN_THE_BOX}" for direction in ("ko-en", "en-fr")]
    with running_server(tmp_path, "--no-box", *models) as other:
        once = other.post("/translate", {"q": LINES, "source": "ko", "target": "en"}).json()
        twice = other.post("/translate", {"q": once["translatedText"], "source": "en", "target": "fr"}).json()
        found = other.post("/translate", {"q": LINES, "source": "ko", "target": "fr"}).json()
        assert found == {"translatedText": twice["translatedText"], "pivot": "en"}
        assert "pivot" not in once
        listed = {one["code"]: one["targets"] for one in other.ask("GET", "/languages").json()}
        assert listed == {"ko": ["en", "fr", "ko"], "en": ["en", "fr"], "fr": ["fr"]}
        head = '--b\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
        fields = [("source", "", "ko"), ("target", "", "fr"), ("file", '; filename="a.txt"', LINES)]
        body = "".join(head.format(*one) for one in fields) + "--b--\r\n"
        sent = other.ask("POST", "/translate_file", body, {"Content-Type": "multipart/form-data; boundary=b"}).json()
        fetched = other.ask("GET", urlsplit(sent["translatedFileUrl"]).path)
        assert fetched.text == found["translatedText"]
