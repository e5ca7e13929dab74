"""The page in a real browser, with the model in the box behind it."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.patience import PATIENCE
from support.serving import RunningServer, running_server

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no browser: chromium is not installed")
TEXT = "The dog sleeps."
expect.set_options(timeout=1000 * PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser: "sync_api.Browser", server: RunningServer) -> Iterator["sync_api.Page"]:
    """An open page which asked no other host and broke no policy, by its end."""
    context = browser.new_context()
    opened = context.new_page()
    addresses: list[str] = []
    complaints: list[str] = []
    opened.on("request", lambda request: addresses.append(request.url))
    opened.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(server.url)
    opened.select_option("#source", "en")
    opened.select_option("#target", "de")
    yield opened
    assert not complaints
    assert addresses and all(one.startswith((server.url.rstrip("/") + "/", "blob:")) for one in addresses)
    context.close()


def _type(page: "sync_api.Page", server: RunningServer, text: str = TEXT) -> str:
    page.fill("#q", text)
    translation = str(server.translate(text))
    expect(page.locator("#translation")).to_have_text(translation)
    return translation


def test_typing_translates(page: "sync_api.Page", server: RunningServer) -> None:
    _type(page, server)
    expect(page.locator("#count")).to_contain_text(str(len(TEXT)))
    assert page.get_attribute("#translation", "lang") == "de"


def test_a_superseded_answer_is_not_shown(page: "sync_api.Page", server: RunningServer) -> None:
    held: list[sync_api.Route] = []

    def hold_the_first(route: "sync_api.Route") -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/translate", hold_the_first)
    with page.expect_event("requestfailed") as aborted:
        with page.expect_request("**/translate"):
            page.fill("#q", "A cat.")
        page.fill("#q", TEXT)
    assert "ABORTED" in aborted.value.failure
    expect(page.locator("#translation")).to_have_text(str(server.translate(TEXT)))


def test_an_alternative_takes_the_translations_place(page: "sync_api.Page", server: RunningServer) -> None:
    first = _type(page, server)
    other = page.locator("#alternatives button").first
    chosen = other.inner_text()
    other.click()
    expect(page.locator("#translation")).to_have_text(chosen)
    expect(page.locator("#alternatives")).to_contain_text(first)


def test_words_show_what_they_looked_at_by_keyboard_and_pointer(page: "sync_api.Page", server: RunningServer) -> None:
    _type(page, server)
    page.focus("#translation")
    expect(page.locator("#translation .word").first).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#translation .current")).to_have_count(1)
    expect(page.locator("#spoken")).to_contain_text("looked at")
    page.locator("#translation .word").last.hover()
    expect(page.locator("#translation .word").last).to_have_class(re.compile("current"))
    shares = page.eval_on_selector_all("#mirror mark", "all => all.map(one => one.style.getPropertyValue('--share'))")
    assert "1" in shares


def test_the_attention_picture_opens_and_closes(page: "sync_api.Page", server: RunningServer) -> None:
    _type(page, server)
    page.click("#show-attention")
    expect(page.locator("#attention thead th")).to_have_count(len(TEXT.split()))
    page.keyboard.press("Escape")
    expect(page.locator("#attention")).to_be_hidden()
    expect(page.locator("#show-attention")).to_be_focused()


def test_swap_puts_the_translation_where_the_text_was(page: "sync_api.Page", server: RunningServer) -> None:
    translation = _type(page, server)
    page.click("#swap")
    expect(page.locator("#message")).to_have_text("Nothing is translated from German into English here.")
    page.evaluate(
        """() => document.querySelectorAll("select").forEach(
            (select, place) => select.append(new Option("new", place ? "en" : "de")))"""
    )
    page.route("**/translate", lambda route: route.fulfill(json={"translatedText": "Back."}))
    page.keyboard.press("Alt+s")
    expect(page.locator("#translation")).to_have_text("Back.")
    assert page.input_value("#q") == translation
    assert (page.input_value("#source"), page.input_value("#target")) == ("de", "en")


def test_a_right_to_left_text_is_set_so(page: "sync_api.Page") -> None:
    page.evaluate("""() => document.querySelector("#target").append(new Option("Arabic", "ar"))""")
    page.route("**/translate", lambda route: route.fulfill(json={"translatedText": "الكلب نائم."}))
    page.evaluate("""() => { document.querySelector("#target").value = "ar"; }""")
    page.fill("#q", TEXT)
    expect(page.locator("#translation")).to_have_text("الكلب نائم.")
    assert page.get_attribute("#translation", "dir") == "rtl" and page.get_attribute("#q", "dir") == "ltr"


def test_tab_reaches_everything_in_reading_order(page: "sync_api.Page", server: RunningServer) -> None:
    _type(page, server)
    page.focus("#source")
    reached = []
    for _ in range(8):
        reached.append(page.evaluate("() => document.activeElement.id"))
        page.keyboard.press("Tab")
    assert reached == ["source", "swap", "target", "q", "pick", "translation", "copy", "show-attention"]


def test_ctrl_enter_tries_again(page: "sync_api.Page", server: RunningServer) -> None:
    page.route("**/translate", lambda route: route.fulfill(status=503, json={"error": "The server is busy."}))
    page.fill("#q", TEXT)
    expect(page.locator("#message")).to_have_text("The server is busy.")
    page.unroute("**/translate")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#translation")).to_have_text(str(server.translate(TEXT)))
    expect(page.locator("#message")).to_be_empty()


def test_a_dropped_file_is_translated(page: "sync_api.Page") -> None:
    dropped = page.evaluate_handle(
        """text => { const data = new DataTransfer();
            data.items.add(new File([text], "dropped.txt", { type: "text/plain" })); return data; }""",
        TEXT,
    )
    page.dispatch_event("#source-pane", "drop", {"dataTransfer": dropped})
    expect(page.locator("#files a")).to_have_attribute("download", "dropped.txt")


def test_a_file_is_translated(page: "sync_api.Page", server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "dog.txt").write_text(TEXT + "\n", "utf-8")
    page.set_input_files("#file", tmp_path / "dog.txt")
    with page.expect_download() as download:
        page.click("#files a")
    assert Path(download.value.path()).read_text("utf-8").strip() == server.translate(TEXT)


def test_a_server_that_is_gone_is_said(page: "sync_api.Page") -> None:
    page.route("**/translate", lambda route: route.abort("connectionrefused"))
    page.fill("#q", TEXT)
    expect(page.locator("#message")).to_contain_text("does not answer")


def test_a_failed_translation_leaves_no_words_to_ask_about(page: "sync_api.Page", server: RunningServer) -> None:
    _type(page, server)
    page.route("**/translate", lambda route: route.fulfill(status=503, json={"error": "The server is busy."}))
    page.fill("#q", "A cat.")
    expect(page.locator("#message")).to_have_text("The server is busy.")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.focus("#translation")
    page.hover("#translation")
    page.click("#show-attention")
    expect(page.locator("#attention .scroll")).to_have_text("It appears with the next translation.")
    assert sent == []


def test_a_key_is_entered_where_one_is_needed(browser: "sync_api.Browser", tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("secret\n", "utf-8")
    with running_server(tmp_path, "--api-keys", tmp_path / "keys") as keyed:
        page = browser.new_page()
        page.goto(keyed.url)
        page.fill("#q", TEXT)
        expect(page.locator("#message")).to_contain_text("API key")
        page.fill("#key", "secret")
        page.press("#key", "Enter")
        expect(page.locator("#translation")).not_to_be_empty()
        expect(page.locator("#message")).to_be_empty()
        page.close()


def test_the_form_works_without_javascript(browser: "sync_api.Browser", server: RunningServer) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url)
    page.fill("#q", TEXT)
    page.select_option("#source", "en")
    page.select_option("#target", "de")
    page.click("#submit")
    assert page.inner_text("#translation") == server.translate(TEXT)
    assert page.input_value("#q") == TEXT
    context.close()
