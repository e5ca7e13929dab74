"""API keys: who is let in."""

from pathlib import Path

import pytest
from support.serving import running_server

from mtcli.errors import DataError
from mtcli.serve.keys import ApiKeys
from mtcli.serve.refusals import RefusalError


def test_a_file_of_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("# the team\nsecret\n\n  other  \n", "utf-8")
    keys = ApiKeys.read(path)
    keys.check("secret")
    keys.check("other")
    for wrong in ("secre", "secret ", "# the team", "", None):
        with pytest.raises(RefusalError) as refusal:
            keys.check(wrong)
        assert refusal.value.status == 403
    path.write_text("# none\n", "utf-8")
    with pytest.raises(DataError, match="holds no API key"):
        ApiKeys.read(path)


def test_without_keys_everybody_is_let_in() -> None:
    ApiKeys.read(None).check(None)


def test_each_interface_takes_its_own_kind_of_key(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("secret\n", "utf-8")
    with running_server(tmp_path, "--api-keys", keys) as server:
        text = {"q": "Hello.", "source": "en", "target": "de"}
        assert server.post("/translate", text).status == 403
        wrong = server.post("/translate", {**text, "api_key": "wrong"})
        assert (wrong.status, wrong.json()) == (403, {"error": "Invalid API key"})
        assert server.post("/translate", {**text, "api_key": "secret"}).status == 200
        assert server.post("/translate", text, {"Authorization": "Bearer secret"}).status == 200
        deepl = {"text": ["Hello."], "source_lang": "EN", "target_lang": "DE"}
        assert server.post("/v2/translate", deepl).status == 403
        assert server.post("/v2/translate", deepl, {"Authorization": "DeepL-Auth-Key secret"}).status == 200
        pair = "input=Hello.&srcLangCode=en&trgLangCode=de"
        for code, status in (("0", 403), ("secret", 200)):
            answer = server.ask("GET", f"/MTRestService/TranslateJson?tokenCode={code}&{pair}")
            assert answer.status == status
        assert server.ask("GET", "/translate?q=Hello.&langpair=en%7Cde&key=secret").status == 200
        assert server.ask("GET", "/translate?q=Hello.&langpair=en%7Cde").status == 403
        assert server.ask("GET", "/metrics").status == 403
        assert server.ask("GET", "/metrics", headers={"Authorization": "Bearer secret"}).status == 200
        for path in ("/health", "/languages", "/spec", "/"):
            assert server.ask("GET", path).status in (200, 503)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert server.ask("POST", "/", "q=Hello.&source=en&target=de", form).status == 403
