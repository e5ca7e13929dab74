"""Clients as their makers publish them, each in a process of its own."""

import pytest
from support.command import mtcli
from support.serving import RunningServer, run_client

TEXTS = ["Where is the station?", "I love you."]


@pytest.fixture(scope="module")
def expected() -> list[str]:
    return mtcli("translate", "--quiet", stdin="\n".join(TEXTS).encode()).stdout.decode().split("\n")


def test_libretranslatepy(server: RunningServer, expected: list[str]) -> None:
    program = """
import json, sys
from libretranslatepy import LibreTranslateAPI
api = LibreTranslateAPI(sys.argv[1])
print(json.dumps([api.translate(sys.argv[2], "en", "de"), api.languages(), api.detect("Wo ist der Bahnhof?")]))
"""
    translation, languages, detected = run_client(program, server.url, TEXTS[0])
    assert translation == expected[0]
    assert languages[0] == {"code": "en", "name": "English", "targets": ["de", "en"]}
    assert detected[0]["language"] == "de"


def test_libretranslate_aio(server: RunningServer, expected: list[str]) -> None:
    program = """
import asyncio, io, json, sys
from libretranslate_aio import AsyncLibreTranslate

async def main():
    async with AsyncLibreTranslate(sys.argv[1]) as client:
        one = await client.translate(sys.argv[2], "auto", "de", alternatives=1)
        many = await client.translate(sys.argv[2:], "en", "de")
        file = io.BytesIO(sys.argv[2].encode())
        file.name = "a.txt"
        sent = await client.translate_file(file, "en", "de")
        languages, settings = await client.languages(), await client.frontend_settings()
        await client.health()
        print(json.dumps([repr(one), repr(many), repr(sent), len(languages), repr(settings)]))

asyncio.run(main())
"""
    one, many, sent, languages, settings = run_client(program, server.url, *TEXTS)
    assert expected[0] in one
    assert all(text in many for text in expected)
    assert "/download_file/" in sent
    assert languages == 2 and ".txt" in settings


def test_deep_translator(server: RunningServer, expected: list[str]) -> None:
    program = """
import json, sys
from deep_translator import LibreTranslator
translator = LibreTranslator(source="en", target="de", api_key="any", custom_url=sys.argv[1] + "/")
print(json.dumps(translator.translate(sys.argv[2])))
"""
    assert run_client(program, server.url, TEXTS[0]) == expected[0]


def test_deepl(server: RunningServer, expected: list[str]) -> None:
    program = """
import json, sys
import deepl
client = deepl.DeepLClient("key", server_url=sys.argv[1])
texts = client.translate_text(sys.argv[2:], source_lang="EN", target_lang="DE")
marked = client.translate_text('Good morning. <x id="12"></x>', target_lang="DE", tag_handling="xml", ignore_tags="x")
try:
    client.translate_text("a", target_lang="ZZ")
except deepl.DeepLException as error:
    refused = str(error)
targets = [language.code for language in client.get_target_languages()]
print(json.dumps([[one.text for one in texts], marked.text, marked.detected_source_lang, targets, refused]))
client.get_usage()
"""
    texts, marked, detected, targets, refused = run_client(program, server.url, *TEXTS)
    assert texts == expected
    assert marked.endswith('<x id="12"></x>') and detected == "EN"
    assert targets == ["DE"] and "ZZ is not supported" in refused
